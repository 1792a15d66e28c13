//! Microphones and speakers of the system, by cpal.
//!
//! Never `BufferSize::Default` (two seconds on PulseAudio), never a callback size taken for granted. The callbacks only move samples to and from
//! the rings in [`super::ring`].

use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, Data, Device, ErrorKind, FromSample, I24, Sample, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig, U24,
};
use media_core::frame::SAMPLE_RATE;

use super::headroom::MOST;
#[cfg(target_os = "linux")]
use super::pulse;
use super::ring::{CaptureWriter, PlayReader, RingMicrophone, RingSpeaker, capture_ring, play_ring};
use crate::devices::{Direction, find};
use crate::event::DeviceError;

/// How long a sound server may take to set a stream up.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Buffer sizes of a microphone in milliseconds to try, best first: a device refuses what it cannot do. Smaller ones would bring sound no
/// sooner into packets of 20 ms.
const INPUT_MS: [u32; 4] = [20, 10, 40, 80];

/// The same of a speaker, for each step of [`Headroom`]. Sound servers hold two of them, and fall silent when a busy machine lets that time pass
/// without a refill.
///
/// [`Headroom`]: super::headroom::Headroom
const OUTPUT_MS: [u32; MOST + 1] = [10, 20, 40, 80];

/// Told what cpal reports about a running stream; on whatever thread it likes.
pub type OnError = Box<dyn FnMut(cpal::Error) + Send>;

/// A running stream: it ends when this is dropped.
pub enum Stream {
    /// One of cpal.
    Cpal(#[expect(dead_code, reason = "it runs until it is dropped")] cpal::Stream),
    /// One of PulseAudio.
    #[cfg(target_os = "linux")]
    Pulse(#[expect(dead_code, reason = "it runs until it is dropped")] pulse::Stream),
}

/// Opens a microphone; `None` is the default. It delivers until the stream is dropped.
pub fn open_microphone(
    id: Option<&str>,
    on_error: impl FnMut() -> OnError,
) -> Result<(Stream, RingMicrophone), DeviceError> {
    try_microphone(id, on_error).map_err(|error| told_apart(error, id, "Microphone"))
}

fn try_microphone(
    id: Option<&str>,
    mut on_error: impl FnMut() -> OnError,
) -> Result<(Stream, RingMicrophone), DeviceError> {
    let (device, name) = find(Direction::Input, id)?;
    let supported = choose(&name, device.default_input_config(), || {
        device.supported_input_configs().into_iter().flatten().collect()
    })?;
    try_buffers(&name, &supported, INPUT_MS, |config| {
        let (writer, microphone) =
            capture_ring(name.clone(), config.sample_rate, config.channels, Instant::now()).map_err(
                |error| cpal::Error::with_message(ErrorKind::UnsupportedConfig, error.to_string()),
            )?;
        let stream = input_stream(&device, config, supported.sample_format(), writer, on_error())?;
        Ok((stream, microphone))
    })
}

/// Opens a speaker with a buffer of this step; `None` is the default speaker. It plays until the stream is dropped.
pub fn open_speaker(
    id: Option<&str>,
    step: usize,
    on_error: impl FnMut() -> OnError,
) -> Result<(Stream, RingSpeaker), DeviceError> {
    try_speaker(id, step, on_error).map_err(|error| told_apart(error, id, "Speaker"))
}

fn try_speaker(
    id: Option<&str>,
    step: usize,
    mut on_error: impl FnMut() -> OnError,
) -> Result<(Stream, RingSpeaker), DeviceError> {
    let (device, name) = find(Direction::Output, id)?;
    let supported = choose(&name, device.default_output_config(), || {
        device.supported_output_configs().into_iter().flatten().collect()
    })?;
    let (smaller, from_step) = OUTPUT_MS.split_at(step.min(MOST));
    let sizes = from_step.iter().chain(smaller.iter().rev()).copied();
    try_buffers(&name, &supported, sizes, |config| {
        let (reader, speaker) = play_ring(name.clone(), config.sample_rate, config.channels, Instant::now())
            .map_err(|error| cpal::Error::with_message(ErrorKind::UnsupportedConfig, error.to_string()))?;
        let stream = output_stream(&device, config, supported.sample_format(), reader, on_error())?;
        Ok((stream, speaker))
    })
}

/// Systems call the default microphone and the default speaker the same.
fn told_apart(error: DeviceError, id: Option<&str>, kind: &str) -> DeviceError {
    if id.is_some() || error.device.to_lowercase().contains(&kind.to_lowercase()) {
        return error;
    }
    DeviceError { device: format!("{kind} ({})", error.device), ..error }
}

/// The device's own configuration, at 48 kHz if it has that.
fn choose(
    name: &str,
    default: Result<SupportedStreamConfig, cpal::Error>,
    all: impl FnOnce() -> Vec<cpal::SupportedStreamConfigRange>,
) -> Result<SupportedStreamConfig, DeviceError> {
    let default = default.map_err(|error| explain(name, &error))?;
    if default.sample_rate() == SAMPLE_RATE {
        return Ok(default);
    }
    let same = |range: &cpal::SupportedStreamConfigRange| {
        range.channels() == default.channels() && range.sample_format() == default.sample_format()
    };
    let ours = all().into_iter().filter(same).find_map(|range| range.try_with_sample_rate(SAMPLE_RATE));
    Ok(ours.unwrap_or(default))
}

/// Opens with the first of the buffer sizes (in milliseconds) that the device accepts.
fn try_buffers<T>(
    name: &str,
    supported: &SupportedStreamConfig,
    sizes: impl IntoIterator<Item = u32>,
    mut open: impl FnMut(StreamConfig) -> Result<T, cpal::Error>,
) -> Result<T, DeviceError> {
    let mut first = None;
    for ms in sizes {
        let frames = supported.sample_rate() * ms / 1000;
        let frames = match supported.buffer_size() {
            SupportedBufferSize::Range { min, max } => frames.clamp(*min, (*max).max(*min)),
            SupportedBufferSize::Unknown => frames,
        };
        let config = StreamConfig {
            channels: supported.channels(),
            sample_rate: supported.sample_rate(),
            buffer_size: BufferSize::Fixed(frames),
        };
        match open(config) {
            Ok(opened) => return Ok(opened),
            Err(error) if is_refusal(&error) => first = first.or(Some(error)),
            Err(error) => return Err(explain(name, &error)),
        }
    }
    Err(explain(name, &first.unwrap_or_else(|| ErrorKind::UnsupportedConfig.into())))
}

/// Whether another buffer size may be accepted.
fn is_refusal(error: &cpal::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput | ErrorKind::BackendError)
}

/// The device's name at PulseAudio, if it is one of those.
#[cfg(target_os = "linux")]
fn on_pulse(device: &Device) -> Option<String> {
    device.id().ok().filter(|id| id.host() == cpal::HostId::PulseAudio).map(|id| id.id().to_owned())
}

fn input_stream(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    mut writer: CaptureWriter,
    on_error: OnError,
) -> Result<Stream, cpal::Error> {
    #[cfg(target_os = "linux")]
    if let Some(source) = on_pulse(device) {
        return pulse::Stream::capture(&source, config, writer, on_error).map(Stream::Pulse);
    }
    let channels = config.channels;
    let callback = move |data: &Data, _: &cpal::InputCallbackInfo| match format {
        SampleFormat::I8 => capture::<i8>(&mut writer, data, channels),
        SampleFormat::I16 => capture::<i16>(&mut writer, data, channels),
        SampleFormat::I24 => capture::<I24>(&mut writer, data, channels),
        SampleFormat::I32 => capture::<i32>(&mut writer, data, channels),
        SampleFormat::U8 => capture::<u8>(&mut writer, data, channels),
        SampleFormat::U16 => capture::<u16>(&mut writer, data, channels),
        SampleFormat::U24 => capture::<U24>(&mut writer, data, channels),
        SampleFormat::U32 => capture::<u32>(&mut writer, data, channels),
        SampleFormat::F32 => capture::<f32>(&mut writer, data, channels),
        SampleFormat::F64 => capture::<f64>(&mut writer, data, channels),
        _ => {}
    };
    supported_format(format)?;
    let stream = device.build_input_stream_raw(config, format, callback, on_error, Some(OPEN_TIMEOUT))?;
    stream.play()?;
    Ok(Stream::Cpal(stream))
}

fn capture<T: SizedSample>(writer: &mut CaptureWriter, data: &Data, channels: u16)
where
    f32: FromSample<T>,
{
    if let Some(samples) = data.as_slice::<T>() {
        writer.write(samples, channels);
    }
}

fn output_stream(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    mut reader: PlayReader,
    on_error: OnError,
) -> Result<Stream, cpal::Error> {
    #[cfg(target_os = "linux")]
    if let Some(sink) = on_pulse(device) {
        return pulse::Stream::play(&sink, config, reader, on_error).map(Stream::Pulse);
    }
    let channels = config.channels;
    let callback = move |data: &mut Data, _: &cpal::OutputCallbackInfo| match format {
        SampleFormat::I8 => play::<i8>(&mut reader, data, channels),
        SampleFormat::I16 => play::<i16>(&mut reader, data, channels),
        SampleFormat::I24 => play::<I24>(&mut reader, data, channels),
        SampleFormat::I32 => play::<i32>(&mut reader, data, channels),
        SampleFormat::U8 => play::<u8>(&mut reader, data, channels),
        SampleFormat::U16 => play::<u16>(&mut reader, data, channels),
        SampleFormat::U24 => play::<U24>(&mut reader, data, channels),
        SampleFormat::U32 => play::<u32>(&mut reader, data, channels),
        SampleFormat::F32 => play::<f32>(&mut reader, data, channels),
        SampleFormat::F64 => play::<f64>(&mut reader, data, channels),
        _ => {}
    };
    supported_format(format)?;
    let stream = device.build_output_stream_raw(config, format, callback, on_error, Some(OPEN_TIMEOUT))?;
    stream.play()?;
    Ok(Stream::Cpal(stream))
}

fn play<T: SizedSample + Sample + FromSample<f32>>(reader: &mut PlayReader, data: &mut Data, channels: u16) {
    if let Some(samples) = data.as_slice_mut::<T>() {
        reader.fill(samples, channels);
    }
}

fn supported_format(format: SampleFormat) -> Result<(), cpal::Error> {
    match format {
        SampleFormat::I64 | SampleFormat::U64 => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
        format if format.is_dsd() => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
        _ => Ok(()),
    }
}

/// Whether a report means that the stream is over. The others pass, or were handled by the system.
pub fn is_fatal(error: &cpal::Error) -> bool {
    !matches!(error.kind(), ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied)
}

/// What a cpal error means for the person.
pub fn explain(name: &str, error: &cpal::Error) -> DeviceError {
    let (reason, next_step) = match error.kind() {
        ErrorKind::DeviceBusy => {
            ("It is in use by another program.", "Close that program, then press “Try again”.")
        }
        ErrorKind::DeviceNotAvailable => {
            ("It is not there.", "Plug it in and press “Try again”, or choose another device.")
        }
        ErrorKind::HostUnavailable => (
            "The system's sound service does not answer.",
            "Start the sound service, then press “Try again”.",
        ),
        ErrorKind::StreamInvalidated => {
            ("The system's sound service ended.", "Start it again, then press “Try again”.")
        }
        ErrorKind::PermissionDenied => (
            "This program may not use it.",
            "Allow it in the system's privacy settings, then press “Try again”.",
        ),
        ErrorKind::ResourceExhausted => {
            ("The system has no resources left for it.", "Close other programs, then press “Try again”.")
        }
        ErrorKind::UnsupportedConfig => ("It offers no format that can be used.", "Choose another device."),
        _ => {
            let reason = format!("It does not work ({}).", error.to_string().trim_end_matches('.'));
            return DeviceError::new(name, reason, "Choose another device.");
        }
    };
    DeviceError::new(name, reason, next_step)
}
