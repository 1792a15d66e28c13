//! Opus at 48 kHz (RFC 6716, RFC 7587): voices in mono with in-band FEC, music in mono or stereo.

use bytes::Bytes;
use media_core::frame::SAMPLE_RATE;
use opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};

/// Samples in the 20 ms that one of our usual packets holds.
pub const SAMPLES_PER_PACKET: usize = 960;

/// Samples in the 60 ms that one of our packets for thin paths holds.
pub const SAMPLES_PER_LONG_PACKET: usize = 2880;

/// Longest packet that Opus allows: 120 ms.
pub const MAX_SAMPLES_PER_PACKET: usize = 5760;

/// Largest Opus packet of one frame in bytes (RFC 6716 §3.4), plus its header.
const MAX_PACKET_BYTES: usize = 1276;

/// Largest packet that we decode: 48 frames of 2.5 ms, each of the largest size.
const MAX_DECODED_BYTES: usize = 48 * MAX_PACKET_BYTES;

/// How hard the encoder tries on voices, of 10. The default of 9 takes a fourth of its time more for what few can hear at our bitrates.
const VOICE_COMPLEXITY: i32 = 6;

/// Opus failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// The codec could not be set up.
    #[error("Opus could not be set up: {0}")]
    Setup(String),
    /// The block has not as many samples as the encoder's packets.
    #[error("an audio block of {actual} samples instead of {expected}")]
    BlockLength {
        /// What the encoder's packets hold.
        expected: usize,
        /// What there was.
        actual: usize,
    },
    /// libopus refused to encode.
    #[error("Opus could not encode: {0}")]
    Encode(String),
    /// Empty, too long, or not Opus. Conceal it as if it were lost.
    #[error("not a valid Opus packet: {0}")]
    Packet(String),
}

/// What an encoder is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A voice, mono.
    Voice,
    /// Anything, as it is.
    Music {
        /// One or two (other numbers count as the nearer of them).
        channels: usize,
    },
}

impl Form {
    /// One or two.
    pub fn channels(self) -> usize {
        match self {
            Self::Voice => 1,
            Self::Music { channels } => channels.clamp(1, 2),
        }
    }
}

/// The encoder.
pub struct AudioEncoder {
    encoder: Encoder,
    channels: usize,
    samples: usize,
    buffer: [u8; MAX_PACKET_BYTES],
}

impl AudioEncoder {
    /// Makes an encoder for `bitrate` bit/s in packets of `samples` samples per channel that expects `loss_percent` of them to be lost.
    pub fn new(form: Form, bitrate: i32, loss_percent: u8, samples: usize) -> Result<Self, OpusError> {
        let setup = |error: opus::Error| OpusError::Setup(error.to_string());
        let (application, signal) = match form {
            Form::Voice => (Application::Voip, Signal::Voice),
            Form::Music { .. } => (Application::Audio, Signal::Music),
        };
        let channels = form.channels();
        let mut encoder = Encoder::new(SAMPLE_RATE, layout(channels), application).map_err(setup)?;
        encoder.set_signal(signal).map_err(setup)?;
        if form == Form::Voice {
            encoder.set_complexity(VOICE_COMPLEXITY).map_err(setup)?;
        }
        // It exists in the speech mode only, into which libopus would be forced by it, whatever the sound.
        encoder.set_inband_fec(form == Form::Voice).map_err(setup)?;
        let mut encoder = Self { encoder, channels, samples, buffer: [0; MAX_PACKET_BYTES] };
        encoder.set_bitrate(bitrate)?;
        encoder.set_expected_loss(loss_percent)?;
        Ok(encoder)
    }

    /// Spends `bitrate` bit/s from the next packet on.
    pub fn set_bitrate(&mut self, bitrate: i32) -> Result<(), OpusError> {
        self.encoder.set_bitrate(Bitrate::Bits(bitrate)).map_err(|error| OpusError::Setup(error.to_string()))
    }

    /// Prepares the packets from the next one on for so much loss, in percent.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        let percent = i32::from(percent.min(100));
        self.encoder.set_packet_loss_perc(percent).map_err(|error| OpusError::Setup(error.to_string()))
    }

    /// Lets silence shrink to packets of a byte or two, which need not be sent.
    pub fn set_dtx(&mut self, on: bool) -> Result<(), OpusError> {
        self.encoder.set_dtx(on).map_err(|error| OpusError::Setup(error.to_string()))
    }

    /// Channels of what it encodes.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples per channel in a packet.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Encodes exactly [`Self::samples`] × [`Self::channels`] interleaved samples.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Bytes, OpusError> {
        let expected = self.samples * self.channels;
        if samples.len() != expected {
            return Err(OpusError::BlockLength { expected, actual: samples.len() });
        }
        let length = self
            .encoder
            .encode_float(samples, &mut self.buffer)
            .map_err(|error| OpusError::Encode(error.to_string()))?;
        Ok(Bytes::copy_from_slice(&self.buffer[..length]))
    }
}

fn layout(channels: usize) -> Channels {
    if channels == 2 { Channels::Stereo } else { Channels::Mono }
}

/// The decoder of one peer. Whatever the packets are, it gives as many channels as it was made for: libopus mixes down and doubles.
pub struct AudioDecoder {
    decoder: Decoder,
    channels: usize,
}

impl AudioDecoder {
    /// Makes a decoder that gives one or two channels (other numbers count as the nearer of them), interleaved.
    pub fn new(channels: usize) -> Result<Self, OpusError> {
        let channels = channels.clamp(1, 2);
        let decoder =
            Decoder::new(SAMPLE_RATE, layout(channels)).map_err(|e| OpusError::Setup(e.to_string()))?;
        Ok(Self { decoder, channels })
    }

    /// How many samples a packet stands for, from its first bytes (RFC 6716 §3.1).
    pub fn samples(packet: &[u8]) -> Result<usize, OpusError> {
        check_length(packet)?;
        let samples = opus::packet::get_nb_samples(packet, SAMPLE_RATE);
        samples.map_err(|error| OpusError::Packet(error.to_string()))
    }

    /// Decodes a packet into `output` (which is cleared first).
    pub fn decode(&mut self, packet: &[u8], output: &mut Vec<f32>) -> Result<(), OpusError> {
        check_length(packet)?;
        self.run(packet, MAX_SAMPLES_PER_PACKET, false, output)
    }

    /// Rebuilds the packet before `packet` from the redundancy within it; `samples` is the length of the lost one.
    pub fn decode_fec(
        &mut self,
        packet: &[u8],
        samples: usize,
        output: &mut Vec<f32>,
    ) -> Result<(), OpusError> {
        check_length(packet)?;
        self.run(packet, samples.clamp(120, MAX_SAMPLES_PER_PACKET), true, output)
    }

    /// Makes up `samples` samples (a multiple of 2.5 ms) for a packet that is lost.
    pub fn conceal(&mut self, samples: usize, output: &mut Vec<f32>) -> Result<(), OpusError> {
        self.run(&[], samples.clamp(120, MAX_SAMPLES_PER_PACKET), false, output)
    }

    fn run(
        &mut self,
        packet: &[u8],
        samples: usize,
        fec: bool,
        output: &mut Vec<f32>,
    ) -> Result<(), OpusError> {
        output.clear();
        output.resize(samples * self.channels, 0.0);
        match self.decoder.decode_float(packet, output, fec) {
            Ok(decoded) => {
                output.truncate(decoded * self.channels);
                Ok(())
            }
            Err(error) => {
                output.clear();
                Err(OpusError::Packet(error.to_string()))
            }
        }
    }
}

fn check_length(packet: &[u8]) -> Result<(), OpusError> {
    if packet.is_empty() || packet.len() > MAX_DECODED_BYTES {
        return Err(OpusError::Packet(format!("{} bytes", packet.len())));
    }
    Ok(())
}
