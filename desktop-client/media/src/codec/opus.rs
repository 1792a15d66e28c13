//! Opus for voice: 48 kHz mono, in-band FEC (RFC 6716, RFC 7587).

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

/// The encoder.
pub struct AudioEncoder {
    encoder: Encoder,
    samples: usize,
    buffer: [u8; MAX_PACKET_BYTES],
}

impl AudioEncoder {
    /// Makes an encoder for `bitrate` bit/s in packets of `samples` samples that expects `loss_percent` of them to be lost.
    pub fn new(bitrate: i32, loss_percent: i32, samples: usize) -> Result<Self, OpusError> {
        let setup = |error: opus::Error| OpusError::Setup(error.to_string());
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).map_err(setup)?;
        encoder.set_bitrate(Bitrate::Bits(bitrate)).map_err(setup)?;
        encoder.set_signal(Signal::Voice).map_err(setup)?;
        encoder.set_inband_fec(true).map_err(setup)?;
        encoder.set_packet_loss_perc(loss_percent.clamp(0, 100)).map_err(setup)?;
        Ok(Self { encoder, samples, buffer: [0; MAX_PACKET_BYTES] })
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

    /// Samples in a packet.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Encodes exactly [`Self::samples`] samples.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Bytes, OpusError> {
        if samples.len() != self.samples {
            return Err(OpusError::BlockLength { expected: self.samples, actual: samples.len() });
        }
        let length = self
            .encoder
            .encode_float(samples, &mut self.buffer)
            .map_err(|error| OpusError::Encode(error.to_string()))?;
        Ok(Bytes::copy_from_slice(&self.buffer[..length]))
    }
}

/// The decoder of one peer. Stereo from a peer is mixed down by libopus.
pub struct AudioDecoder {
    decoder: Decoder,
}

impl AudioDecoder {
    /// Makes a decoder.
    pub fn new() -> Result<Self, OpusError> {
        let decoder =
            Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(|e| OpusError::Setup(e.to_string()))?;
        Ok(Self { decoder })
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
        output.resize(samples, 0.0);
        match self.decoder.decode_float(packet, output, fec) {
            Ok(decoded) => {
                output.truncate(decoded);
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
