//! From blocks to Opus packets, encoded once for all peers: in two ways while some peers have thin paths, and each peer gets one of them.
//!
//! Voices are mono. Music is stereo where its blocks are, and for thin paths it is sent as a voice is.

use std::sync::Arc;
use std::time::Instant;

use media_core::audio::encodings::{self, Encodings, SoundMode};
use media_core::audio::level::level;
use media_core::frame::{EncodedAudio, SAMPLES_PER_BLOCK};
use tokio::sync::mpsc;

use super::block::Block;
use super::clock::BLOCK;
use crate::codec::opus::{AudioEncoder, Form, OpusError, SAMPLES_PER_LONG_PACKET, SAMPLES_PER_PACKET};
use crate::subscription::SoundChoice;

/// A packet of at most this many bytes says only "still silent" (RFC 6716 §3.2.1, DTX) and need not be sent.
const DTX_BYTES: usize = 2;

/// The sending half of the audio thread.
pub struct SendPath {
    usual: Encoding,
    thin: Encoding,
    /// 48 kHz media time of the next block; runs on while muted and while nobody listens.
    timestamp: u32,
    subscribers: Vec<Subscriber>,
    packets: u64,
    mode: SoundMode,
}

struct Subscriber {
    sender: mpsc::Sender<Arc<EncodedAudio>>,
    choice: SoundChoice,
    /// What it gets now; follows the choice where packets of both kinds begin.
    thin: bool,
}

impl SendPath {
    /// With nobody listening.
    pub fn new() -> Result<Self, OpusError> {
        let encodings = Encodings::start(SoundMode::default());
        Ok(Self {
            usual: Encoding::new(encodings.usual, SAMPLES_PER_PACKET)?,
            thin: Encoding::new(encodings.thin, SAMPLES_PER_LONG_PACKET)?,
            mode: encodings.mode,
            timestamp: 0,
            subscribers: Vec::new(),
            packets: 0,
        })
    }

    /// Encodes sound of this kind from the next packets on.
    pub fn set_mode(&mut self, mode: SoundMode) {
        if mode != self.mode {
            self.mode = mode;
            self.follow(&Encodings::start(mode));
        }
    }

    /// Encodes in this way from the next packets on, if that is about the kind of sound that there is.
    pub fn follow(&mut self, encodings: &Encodings) {
        if encodings.mode == self.mode {
            self.usual.wanted = encodings.usual;
            self.thin.wanted = encodings.thin;
        }
    }

    /// Adds a receiver of all packets of the chosen kind; it ends when its channel is closed.
    pub fn subscribe(&mut self, sender: mpsc::Sender<Arc<EncodedAudio>>, choice: SoundChoice) {
        self.subscribers.push(Subscriber { sender, choice, thin: false });
    }

    /// Somebody is subscribed, as far as is known.
    pub fn has_listeners(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// A packet of usual length is incomplete.
    pub fn is_incomplete(&self) -> bool {
        !self.usual.is_empty()
    }

    /// Packets encoded.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Takes the next 10 ms, which ended now. While the microphone is off, the silence is sent sparsely: a packet in 400 ms.
    pub fn push(&mut self, block: &Block, now: Instant, microphone_on: bool) {
        for thin in [false, true] {
            let form = match self.mode {
                SoundMode::Music if !thin => Form::Music { channels: block.channels() },
                SoundMode::Music | SoundMode::Voice => Form::Voice,
            };
            let encoding = if thin { &mut self.thin } else { &mut self.usual };
            encoding.prepare(form);
            if !encoding.take(block, self.timestamp, now) {
                continue;
            }
            self.subscribers.retain(|subscriber| !subscriber.sender.is_closed());
            if self.subscribers.iter().any(|subscriber| subscriber.thin == thin) {
                self.encode(thin, !microphone_on);
            } else {
                encoding.skip();
            }
        }
        self.timestamp = self.timestamp.wrapping_add(SAMPLES_PER_BLOCK as u32);
        if self.usual.is_empty() && self.thin.is_empty() {
            for subscriber in &mut self.subscribers {
                subscriber.thin = subscriber.choice.is_thin();
            }
        }
    }

    fn encode(&mut self, thin: bool, muted: bool) {
        let encoding = if thin { &mut self.thin } else { &mut self.usual };
        self.packets += 1;
        match encoding.encode(muted) {
            Ok(Some(packet)) => {
                let packet = Arc::new(packet);
                for subscriber in self.subscribers.iter().filter(|subscriber| subscriber.thin == thin) {
                    // A peer task that is a second behind loses the newest: its jitter buffer conceals it.
                    let _ = subscriber.sender.try_send(Arc::clone(&packet));
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a block of sound was not encoded"),
        }
    }
}

/// One way to encode our sound.
struct Encoding {
    encoder: AudioEncoder,
    form: Form,
    /// What the encoder follows, and what it shall.
    followed: encodings::Encoding,
    wanted: encodings::Encoding,
    /// Interleaved, as many channels as the encoder has.
    pending: Vec<f32>,
    captured: Option<Instant>,
    /// Of the first pending sample.
    timestamp: u32,
    talk_spurt: bool,
    muted: bool,
}

impl Encoding {
    fn new(encoding: encodings::Encoding, samples: usize) -> Result<Self, OpusError> {
        let form = Form::Voice;
        Ok(Self {
            encoder: new_encoder(form, encoding, samples)?,
            form,
            followed: encoding,
            wanted: encoding,
            pending: Vec::with_capacity(2 * samples),
            captured: None,
            timestamp: 0,
            talk_spurt: true,
            muted: false,
        })
    }

    fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Where a packet begins, the encoder becomes what is wanted. Another form takes another encoder.
    fn prepare(&mut self, form: Form) {
        if !self.is_empty() || (form == self.form && self.wanted == self.followed) {
            return;
        }
        let prepared = if form == self.form { self.follow() } else { self.become_of(form) };
        match prepared {
            Ok(()) => (self.form, self.followed) = (form, self.wanted),
            Err(error) => tracing::warn!(%error, "sound is encoded as before"),
        }
    }

    fn follow(&mut self) -> Result<(), OpusError> {
        self.encoder.set_bitrate(bits(self.form, self.wanted))?;
        self.encoder.set_expected_loss(self.wanted.expected_loss)
    }

    fn become_of(&mut self, form: Form) -> Result<(), OpusError> {
        self.encoder = new_encoder(form, self.wanted, self.encoder.samples())?;
        self.muted = false;
        Ok(())
    }

    /// Takes a block that began at this media time; true when a packet is full.
    fn take(&mut self, block: &Block, timestamp: u32, now: Instant) -> bool {
        if self.pending.is_empty() {
            self.captured = now.checked_sub(BLOCK);
            self.timestamp = timestamp;
        }
        let channels = self.encoder.channels();
        block.append_to(&mut self.pending, channels);
        self.pending.len() >= self.encoder.samples() * channels
    }

    /// Nobody wants what is pending.
    fn skip(&mut self) {
        self.pending.clear();
        self.talk_spurt = true;
    }

    /// What is pending as a packet; `None` when it says only that we are still silent.
    fn encode(&mut self, muted: bool) -> Result<Option<EncodedAudio>, OpusError> {
        let level_dbfs = level(&self.pending).rms_dbfs;
        let data = self.set_muted(muted).and_then(|()| self.encoder.encode(&self.pending));
        self.pending.clear();
        let data = data?;
        if data.len() <= DTX_BYTES {
            self.talk_spurt = true;
            return Ok(None);
        }
        Ok(Some(EncodedAudio {
            data,
            timestamp: self.timestamp,
            samples: self.encoder.samples() as u32,
            talk_spurt: std::mem::take(&mut self.talk_spurt),
            captured: self.captured.unwrap_or_else(Instant::now),
            level_dbfs,
        }))
    }

    fn set_muted(&mut self, muted: bool) -> Result<(), OpusError> {
        if self.muted != muted {
            self.encoder.set_dtx(muted)?;
            self.muted = muted;
        }
        Ok(())
    }
}

fn new_encoder(form: Form, encoding: encodings::Encoding, samples: usize) -> Result<AudioEncoder, OpusError> {
    AudioEncoder::new(form, bits(form, encoding), encoding.expected_loss, samples)
}

/// Music with one channel gets half of what is meant for two.
fn bits(form: Form, encoding: encodings::Encoding) -> i32 {
    let bits = i32::try_from(encoding.bitrate.as_bps()).unwrap_or(i32::MAX);
    if form == (Form::Music { channels: 1 }) { bits / 2 } else { bits }
}

#[cfg(test)]
mod tests {
    use media_core::audio::opus_packet;
    use media_core::bitrate::Bitrate;

    use super::*;
    use crate::audio::block::MonoBlock;

    fn receive(receiver: &mut mpsc::Receiver<Arc<EncodedAudio>>) -> Vec<Arc<EncodedAudio>> {
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    fn loud() -> Block {
        <[f32; SAMPLES_PER_BLOCK]>::into(std::array::from_fn(|n| (n as f32 * 0.7).sin() * 0.5))
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
                send.subscribe(sender, SoundChoice::default());
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
    fn packets_follow_what_is_asked_for_while_somebody_talks() {
        let mut send = SendPath::new().unwrap();
        let (sender, mut receiver) = mpsc::channel(500);
        send.subscribe(sender, SoundChoice::default());
        let mut noise = media_core::sim::Rng::new(7);
        let mut bytes_at = |send: &mut SendPath, kbps| {
            let usual = encodings::Encoding { bitrate: Bitrate::kbps(kbps), expected_loss: 2 };
            send.follow(&Encodings { usual, ..Encodings::start(SoundMode::Voice) });
            for _ in 0..200 {
                let block: MonoBlock = std::array::from_fn(|_| noise.unit() as f32 - 0.5);
                send.push(&block.into(), Instant::now(), true);
            }
            receive(&mut receiver)[50..].iter().map(|packet| packet.data.len()).sum::<usize>()
        };
        let (low, high) = (bytes_at(&mut send, 24), bytes_at(&mut send, 48));
        assert!(high * 10 > low * 15, "{low} and {high} bytes in a second");
    }

    #[test]
    fn music_is_stereo_where_its_blocks_are_and_a_voice_never_and_none_of_it_has_a_gap() {
        let mut send = SendPath::new().unwrap();
        let thin = SoundChoice::default();
        thin.set_thin(true);
        let (usual_sender, mut usual) = mpsc::channel(500);
        let (thin_sender, mut thin_packets) = mpsc::channel(500);
        send.subscribe(usual_sender, SoundChoice::default());
        send.subscribe(thin_sender, thin);
        let stereo = Block::stereo(|n| (n as f32 * 0.7).sin() * 0.5, |_| 0.0);
        for n in 0..240 {
            match n {
                61 => send.set_mode(SoundMode::Music),
                181 => send.set_mode(SoundMode::Voice),
                _ => {}
            }
            let block = if (121..151).contains(&n) { &loud() } else { &stereo };
            send.push(block, Instant::now(), true);
        }
        let packets = receive(&mut usual);
        assert!(packets.windows(2).all(|pair| pair[0].timestamp + pair[0].samples == pair[1].timestamp));
        let stereo: Vec<bool> = packets.iter().map(|packet| opus_packet::is_stereo(&packet.data)).collect();
        // Of 20 ms each: voice, music, music from one channel, music, voice.
        let runs = stereo.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()));
        assert_eq!(runs.collect::<Vec<_>>(), [(false, 31), (true, 30), (false, 15), (true, 15), (false, 29)]);
        let thin_packets = receive(&mut thin_packets);
        assert!(thin_packets.len() > 30 && thin_packets.iter().all(|p| !opus_packet::is_stereo(&p.data)));
    }

    #[test]
    fn muted_music_sends_little() {
        let mut send = SendPath::new().unwrap();
        send.set_mode(SoundMode::Music);
        let (sender, mut receiver) = mpsc::channel(500);
        send.subscribe(sender, SoundChoice::default());
        for _ in 0..400 {
            send.push(&Block::silent(2), Instant::now(), false);
        }
        let packets = receive(&mut receiver).len();
        assert!((1..40).contains(&packets), "{packets} packets in 4 s");
    }

    #[test]
    fn a_muted_microphone_sends_little_and_then_starts_a_talk_spurt() {
        let mut send = SendPath::new().unwrap();
        let (sender, mut receiver) = mpsc::channel(500);
        send.subscribe(sender, SoundChoice::default());
        let now = Instant::now();
        for _ in 0..400 {
            send.push(&Block::silence(), now, false);
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

    #[test]
    fn a_thin_path_gets_long_packets_without_a_gap_and_others_go_on() {
        let mut send = SendPath::new().unwrap();
        let now = Instant::now();
        let thin = SoundChoice::default();
        let (usual_sender, mut usual) = mpsc::channel(500);
        let (thin_sender, mut changing) = mpsc::channel(500);
        send.subscribe(usual_sender, SoundChoice::default());
        send.subscribe(thin_sender, thin.clone());
        for block in 0..120 {
            match block {
                31 => thin.set_thin(true),
                77 => thin.set_thin(false),
                _ => {}
            }
            send.push(&loud(), now, true);
        }
        assert_eq!(receive(&mut usual).len(), 60);
        let packets = receive(&mut changing);
        assert!(packets.windows(2).all(|pair| pair[0].timestamp + pair[0].samples == pair[1].timestamp));
        let long: Vec<_> = packets.iter().filter(|packet| packet.samples == 2_880).collect();
        assert_eq!((long.len(), long[0].timestamp), (7, 36 * 480));
        let bytes: usize = long.iter().map(|packet| packet.data.len()).sum();
        assert!(bytes * 8 < 18_000 * 420 / 1_000, "{bytes} bytes in 420 ms");
    }
}
