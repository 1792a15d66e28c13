//! Streams of PulseAudio (or PipeWire in its place), one thread each that moves sound, without locks or logging, and without allocation once
//! its buffers have their size.
//!
//! cpal finds the devices here too, but its streams ask the server for the time after every callback, and the client below them clears a megabyte before each
//! read: two fifths of what the sound of a call cost. The messages are written and read by the crate `pulseaudio`.

use std::ffi::CString;
use std::io::{BufReader, Cursor, ErrorKind as IoErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cpal::{BufferSize, Error, ErrorKind, StreamConfig};
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    self, ChannelMap, ChannelPosition, Command, CommandReply, Descriptor, DescriptorFlags, Prop, Props,
    ProtocolError, PulseError, SampleFormat, SampleSpec,
};

use super::device::OnError;
use super::ring::{CaptureWriter, PlayReader};

/// How long the server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// What one read from the server takes at most; larger messages take several.
const READ: usize = 16 * 1024;

/// Bytes of a sample: 32 bit floating point, which the server converts to what the device takes.
const SAMPLE: usize = 4;

/// A running stream; it ends when this is dropped.
pub struct Stream {
    socket: UnixStream,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    /// Gives what the source of this name captures to `writer`, in pieces of the configured size.
    pub fn capture(
        source: &str,
        config: StreamConfig,
        mut writer: CaptureWriter,
        on_error: OnError,
    ) -> Result<Self, Error> {
        let format = Format::new(config);
        let piece = format.bytes(config.buffer_size);
        let params = protocol::RecordStreamParams {
            sample_spec: format.spec(),
            channel_map: format.map(),
            source_name: Some(name(source)?),
            buffer_attr: BufferAttr { max_length: piece, fragment_size: piece, ..BufferAttr::default() },
            flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
            props: properties(),
            ..Default::default()
        };
        let (connection, reply): (_, protocol::CreateRecordStreamReply) =
            create(&Command::CreateRecordStream(params))?;
        let mut samples = Vec::new();
        Self::spawn("microphone", connection, on_error, move |connection| {
            loop {
                let message = connection.next()?;
                if message == reply.channel {
                    samples.clear();
                    samples.extend(connection.payload.chunks_exact(SAMPLE).map(sample));
                    writer.write(&samples, format.channels);
                } else if let Some(Command::RecordStreamKilled(_)) = connection.command(message) {
                    return Err(ProtocolError::ServerError(PulseError::Killed));
                }
            }
        })
    }

    /// Plays on the sink of this name what `reader` gives, in pieces of the configured size.
    pub fn play(
        sink: &str,
        config: StreamConfig,
        mut reader: PlayReader,
        on_error: OnError,
    ) -> Result<Self, Error> {
        let format = Format::new(config);
        let piece = format.bytes(config.buffer_size);
        let both = piece.saturating_mul(2);
        let params = protocol::PlaybackStreamParams {
            sample_spec: format.spec(),
            channel_map: format.map(),
            sink_name: Some(name(sink)?),
            buffer_attr: BufferAttr {
                max_length: both,
                target_length: both,
                minimum_request_length: piece,
                ..BufferAttr::default()
            },
            flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
            props: properties(),
            ..Default::default()
        };
        let (connection, reply): (_, protocol::CreatePlaybackStreamReply) =
            create(&Command::CreatePlaybackStream(params))?;
        let mut sound = Sound::new(reply.channel, format);
        let mut wanted = reply.requested_bytes;
        Self::spawn("speaker", connection, on_error, move |connection| {
            loop {
                sound.send(wanted, &mut reader, connection)?;
                let message = connection.next()?;
                wanted = match connection.command(message) {
                    Some(Command::Request(request)) => request.length,
                    Some(Command::PlaybackStreamKilled(_)) => {
                        return Err(ProtocolError::ServerError(PulseError::Killed));
                    }
                    _ => 0,
                };
            }
        })
    }

    fn spawn(
        thread: &str,
        mut connection: Connection,
        mut on_error: OnError,
        mut run: impl FnMut(&mut Connection) -> Result<(), ProtocolError> + Send + 'static,
    ) -> Result<Self, Error> {
        let socket = connection.wait_for_ever().map_err(|error| explain(&error.into()))?;
        let ending = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ending);
        let thread = std::thread::Builder::new().name(thread.to_owned()).spawn(move || {
            if let Err(error) = run(&mut connection)
                && !told.load(Ordering::Relaxed)
            {
                on_error(explain(&error));
            }
        });
        let thread =
            thread.map_err(|error| Error::with_message(ErrorKind::ResourceExhausted, error.to_string()))?;
        Ok(Self { socket, ending, thread: Some(thread) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        // An error means that the other side was quicker.
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A stream on a connection of its own.
fn create<T: CommandReply>(command: &Command) -> Result<(Connection, T), Error> {
    let open = || {
        let mut connection = Connection::open()?;
        let reply = connection.ask(command)?;
        Ok((connection, reply))
    };
    open().map_err(|error| explain(&error))
}

/// One or two channels of floating point; the server mixes them to as many as the device has.
#[derive(Clone, Copy)]
struct Format {
    rate: u32,
    channels: u16,
}

impl Format {
    fn new(config: StreamConfig) -> Self {
        Self { rate: config.sample_rate, channels: config.channels.clamp(1, 2) }
    }

    fn frame(self) -> usize {
        SAMPLE * usize::from(self.channels)
    }

    fn bytes(self, size: BufferSize) -> u32 {
        let BufferSize::Fixed(frames) = size else { return u32::MAX };
        let bytes = (frames as usize).saturating_mul(self.frame());
        // Two of them have to fit into the server's queue.
        bytes.min(protocol::MAX_MEMBLOCKQ_LENGTH / 2) as u32
    }

    fn spec(self) -> SampleSpec {
        SampleSpec { format: SampleFormat::Float32Le, channels: self.channels as u8, sample_rate: self.rate }
    }

    fn map(self) -> ChannelMap {
        match self.channels {
            1 => ChannelMap::mono(),
            _ => ChannelMap::new([ChannelPosition::FrontLeft, ChannelPosition::FrontRight]),
        }
    }
}

fn sample(bytes: &[u8]) -> f32 {
    bytes.try_into().map_or(0.0, f32::from_le_bytes)
}

/// What is on its way to the server.
struct Sound {
    channel: u32,
    format: Format,
    /// Bytes that were asked for, less than a frame.
    rest: usize,
    samples: Vec<f32>,
    message: Vec<u8>,
}

impl Sound {
    fn new(channel: u32, format: Format) -> Self {
        Self { channel, format, rest: 0, samples: Vec::new(), message: Vec::new() }
    }

    fn send(
        &mut self,
        bytes: u32,
        reader: &mut PlayReader,
        connection: &mut Connection,
    ) -> Result<(), ProtocolError> {
        let wanted = self.rest + (bytes as usize).min(protocol::MAX_MEMBLOCKQ_LENGTH);
        self.rest = wanted % self.format.frame();
        let length = wanted - self.rest;
        if length == 0 {
            return Ok(());
        }
        self.samples.resize(length / SAMPLE, 0.0);
        reader.fill(&mut self.samples, self.format.channels);
        let descriptor = Descriptor {
            length: length as u32,
            channel: self.channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        self.message.clear();
        protocol::write_descriptor(&mut self.message, &descriptor)?;
        self.message.extend(self.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        connection.reader.get_mut().write_all(&self.message)?;
        Ok(())
    }
}

/// A connection to the server.
struct Connection {
    reader: BufReader<UnixStream>,
    version: u16,
    sequence: u32,
    /// What the last message holds.
    payload: Vec<u8>,
}

impl Connection {
    fn open() -> Result<Self, ProtocolError> {
        let path = pulseaudio::socket_path_from_env()
            .ok_or_else(|| std::io::Error::from(IoErrorKind::ConnectionRefused))?;
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        socket.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let mut connection = Self {
            reader: BufReader::with_capacity(READ, socket),
            version: protocol::MAX_VERSION,
            sequence: 0,
            payload: Vec::new(),
        };
        // A server that wants no cookie takes an empty one.
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let auth = protocol::AuthParams {
            version: protocol::MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie.unwrap_or_default(),
        };
        let reply: protocol::AuthReply = connection.ask(&Command::Auth(auth))?;
        connection.version = reply.version.min(protocol::MAX_VERSION);
        let _: protocol::SetClientNameReply = connection.ask(&Command::SetClientName(properties()))?;
        Ok(connection)
    }

    fn ask<T: CommandReply>(&mut self, command: &Command) -> Result<T, ProtocolError> {
        protocol::write_command_message(self.reader.get_mut(), self.sequence, command, self.version)?;
        self.sequence += 1;
        let (_, reply) = protocol::read_reply_message(&mut self.reader, self.version)?;
        Ok(reply)
    }

    /// From now on messages come when they come. Gives a second handle, to end that.
    fn wait_for_ever(&mut self) -> std::io::Result<UnixStream> {
        let socket = self.reader.get_ref().try_clone()?;
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(None)?;
        Ok(socket)
    }

    /// Reads a message, and tells its channel.
    fn next(&mut self) -> Result<u32, ProtocolError> {
        let Descriptor { length, channel, .. } = protocol::read_descriptor(&mut self.reader)?;
        let length = length as usize;
        if length > protocol::MAX_MEMBLOCKQ_LENGTH {
            return Err(ProtocolError::Invalid(format!("a message of {length} bytes")));
        }
        self.payload.resize(length, 0);
        self.reader.read_exact(&mut self.payload)?;
        Ok(channel)
    }

    /// The command of the last message, if it is one that is known.
    fn command(&self, channel: u32) -> Option<Command> {
        let payload = Some(&self.payload).filter(|_| channel == u32::MAX)?;
        Command::read_tag_prefixed(&mut Cursor::new(payload), self.version).ok().map(|(_, command)| command)
    }
}

/// How this program is called where people see who plays and captures.
fn properties() -> Props {
    let mut properties = Props::new();
    for (property, value) in [(Prop::ApplicationName, c"Roundtable"), (Prop::MediaName, c"Call")] {
        properties.set(property, value);
    }
    properties
}

fn name(device: &str) -> Result<CString, Error> {
    CString::new(device).map_err(|error| Error::with_message(ErrorKind::InvalidInput, error.to_string()))
}

/// The same in cpal's terms.
fn explain(error: &ProtocolError) -> Error {
    let kind = match error {
        ProtocolError::ServerError(error) => match error {
            PulseError::NoEntity | PulseError::Killed => ErrorKind::DeviceNotAvailable,
            PulseError::Busy => ErrorKind::DeviceBusy,
            PulseError::AccessDenied | PulseError::AuthKey => ErrorKind::PermissionDenied,
            PulseError::Invalid | PulseError::NotSupported | PulseError::TooLarge => {
                ErrorKind::UnsupportedConfig
            }
            _ => ErrorKind::BackendError,
        },
        ProtocolError::Io(error) => match error.kind() {
            IoErrorKind::WouldBlock
            | IoErrorKind::TimedOut
            | IoErrorKind::ConnectionRefused
            | IoErrorKind::NotFound => ErrorKind::HostUnavailable,
            IoErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::StreamInvalidated,
        },
        ProtocolError::Timeout => ErrorKind::StreamInvalidated,
        _ => ErrorKind::BackendError,
    };
    Error::with_message(kind, error.to_string())
}
