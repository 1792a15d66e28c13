//! From blocks to Opus packets, encoded once for all peers.

use std::sync::Arc;
use std::time::Instant;

use media_core::frame::EncodedAudio;
use tokio::sync::mpsc;

use super::capture::Block;
use super::clock::BLOCK;
use crate::codec::opus::{AudioEncoder, OpusError, SAMPLES_PER_PACKET};

/// 32 kbit/s: full-band voice that few can tell from the original.
const BITRATE: i32 = 32_000;

/// Loss that in-band FEC is prepared for, in percent.
const EXPECTED_LOSS: i32 = 10;

/// A packet of at most this many bytes says only "still silent" (RFC 6716 §3.2.1, DTX) and need not be sent.
const DTX_BYTES: usize = 2;

/// The sending half of the audio thread.
pub struct SendPath {
    encoder: AudioEncoder,
    pending: Vec<f32>,
    captured: Option<Instant>,
    /// 48 kHz media time; runs on while muted and while nobody listens.
    timestamp: u32,
    talk_spurt: bool,
    muted: bool,
    subscribers: Vec<mpsc::Sender<Arc<EncodedAudio>>>,
    packets: u64,
}

impl SendPath {
    /// With nobody listening.
    pub fn new() -> Result<Self, OpusError> {
        Ok(Self {
            encoder: AudioEncoder::new(BITRATE, EXPECTED_LOSS)?,
            pending: Vec::with_capacity(SAMPLES_PER_PACKET),
            captured: None,
            timestamp: 0,
            talk_spurt: true,
            muted: false,
            subscribers: Vec::new(),
            packets: 0,
        })
    }

    /// Adds a receiver of all packets; it ends when its channel is closed.
    pub fn subscribe(&mut self, sender: mpsc::Sender<Arc<EncodedAudio>>) {
        self.subscribers.push(sender);
    }

    /// Somebody is subscribed, as far as is known.
    pub fn has_listeners(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// Packets encoded.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Takes the next 10 ms, which ended now. While the microphone is off, the silence is sent sparsely: a packet in 400 ms.
    pub fn push(&mut self, block: &Block, now: Instant, microphone_on: bool) {
        if self.pending.is_empty() {
            self.captured = now.checked_sub(BLOCK);
        }
        self.pending.extend_from_slice(block);
        if self.pending.len() < SAMPLES_PER_PACKET {
            return;
        }
        self.subscribers.retain(|subscriber| !subscriber.is_closed());
        if self.subscribers.is_empty() {
            self.talk_spurt = true;
        } else if let Err(error) = self.encode(now, !microphone_on) {
            tracing::warn!(%error, "a block of sound was not encoded");
        }
        self.pending.clear();
        self.timestamp = self.timestamp.wrapping_add(SAMPLES_PER_PACKET as u32);
    }

    fn encode(&mut self, now: Instant, muted: bool) -> Result<(), OpusError> {
        if self.muted != muted {
            self.encoder.set_dtx(muted)?;
            self.muted = muted;
        }
        let data = self.encoder.encode(&self.pending)?;
        self.packets += 1;
        if data.len() <= DTX_BYTES {
            self.talk_spurt = true;
            return Ok(());
        }
        let packet = Arc::new(EncodedAudio {
            data,
            timestamp: self.timestamp,
            samples: SAMPLES_PER_PACKET as u32,
            talk_spurt: std::mem::take(&mut self.talk_spurt),
            captured: self.captured.unwrap_or(now),
        });
        for subscriber in &self.subscribers {
            // A peer task that is a second behind loses the newest: its jitter buffer conceals it.
            let _ = subscriber.try_send(Arc::clone(&packet));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use media_core::frame::SAMPLES_PER_BLOCK;

    use super::*;

    fn receive(receiver: &mut mpsc::Receiver<Arc<EncodedAudio>>) -> Vec<Arc<EncodedAudio>> {
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    fn loud() -> Block {
        std::array::from_fn(|n| (n as f32 * 0.7).sin() * 0.5)
    }

    #[test]
    fn each_packet_is_encoded_once_for_all_and_only_while_somebody_listens() {
        let mut send = SendPath::new().unwrap();
        let now = Instant::now();
        for _ in 0..10 {
            send.push(&loud(), now, true);
        }
        assert_eq!(send.packets(), 0);
        let mut receivers: Vec<_> = (0..5)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(50);
                send.subscribe(sender);
                receiver
            })
            .collect();
        for _ in 0..10 {
            send.push(&loud(), now, true);
        }
        assert_eq!(send.packets(), 5);
        let first = receive(&mut receivers[0]);
        let timestamps: Vec<u32> = first.iter().map(|packet| packet.timestamp).collect();
        // Media time went on while nobody listened.
        assert_eq!(timestamps, [4800, 5760, 6720, 7680, 8640]);
        assert!(first[0].talk_spurt && !first[1].talk_spurt);
        for receiver in &mut receivers[1..] {
            let same = receive(receiver);
            assert!(first.iter().zip(&same).all(|(a, b)| Arc::ptr_eq(a, b)) && same.len() == 5);
        }
        receivers.clear();
        send.push(&loud(), now, true);
        send.push(&loud(), now, true);
        assert_eq!(send.packets(), 5);
    }

    #[test]
    fn a_muted_microphone_sends_little_and_then_starts_a_talk_spurt() {
        let mut send = SendPath::new().unwrap();
        let (sender, mut receiver) = mpsc::channel(500);
        send.subscribe(sender);
        let now = Instant::now();
        for _ in 0..400 {
            send.push(&[0.0; SAMPLES_PER_BLOCK], now, false);
        }
        let muted = receive(&mut receiver);
        assert!((1..40).contains(&muted.len()), "{} packets in 4 s", muted.len());
        send.push(&loud(), now, true);
        send.push(&loud(), now, true);
        let spoken = receive(&mut receiver);
        assert_eq!(spoken.len(), 1);
        assert!(spoken[0].talk_spurt);
        assert_eq!(spoken[0].timestamp, 200 * 960);
    }
}
