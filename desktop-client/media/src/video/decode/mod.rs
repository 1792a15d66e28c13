//! The decode thread: pictures of all peers, one after the other.

pub(crate) mod figures;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::slot::Slot;
use media_core::video_receiver::ReceivedFrame;
use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::Notify;

use self::figures::Figures;
use crate::codec::vp8_decoder::{DecodeError, Vp8Decoder};
use crate::repaint::Repaint;
use crate::stats::VideoReceiveStats;

/// Orders waiting for the decode thread. Adding a player waits for a place; wake-ups find a full queue to be as good as delivered.
const QUEUE: usize = 32;

/// Whole frames of one peer waiting to be decoded: half a second. When it is full, all are dropped up to the next key frame, for which the
/// peer is asked.
const FRAMES_PER_PLAYER: usize = 16;

enum DecodeOrder {
    Add(Box<Player>),
    Wake,
    Stop,
}

/// The other threads' side of the decode thread.
#[derive(Clone)]
pub(crate) struct DecoderHandle {
    orders: SyncSender<DecodeOrder>,
}

/// A player's side of the decode thread.
pub(crate) struct VideoInput {
    frames: Producer<ReceivedFrame>,
    orders: SyncSender<DecodeOrder>,
    shared: Arc<PlayerShared>,
}

/// What a player and the decode thread both see.
pub(crate) struct PlayerShared {
    /// The newest picture.
    pub pictures: Slot<Arc<I420Frame>>,
    /// Notified when decoding can only go on at a key frame.
    pub decode_failed: Arc<Notify>,
    /// Figures.
    stats: Slot<(Instant, VideoReceiveStats)>,
    /// When the first picture was decoded.
    pub first_picture: OnceLock<Instant>,
    /// Frames were lost before decoding.
    broken: AtomicBool,
    /// How many.
    lost: AtomicU64,
}

impl PlayerShared {
    /// Figures.
    pub fn stats(&self) -> VideoReceiveStats {
        let Some((at, mut stats)) = self.stats.peek() else { return VideoReceiveStats::default() };
        if at.elapsed() > Duration::from_secs(1) {
            // Whoever sends nothing publishes nothing either.
            stats.frames_per_second = stats.frames_per_second.map(|_| 0.0);
        }
        stats.frames_dropped += self.lost.load(Ordering::Relaxed);
        stats
    }
}

impl VideoInput {
    /// Hands a whole frame over.
    pub fn push(&mut self, frame: ReceivedFrame) {
        if self.frames.push(frame).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            self.shared.broken.store(true, Ordering::Release);
        }
        let _ = self.orders.try_send(DecodeOrder::Wake);
    }

    /// What the decode thread shows of itself.
    pub fn shared(&self) -> &Arc<PlayerShared> {
        &self.shared
    }
}

impl Drop for VideoInput {
    fn drop(&mut self) {
        // So that the decoder's memory is given back even if nobody else sends.
        let _ = self.orders.try_send(DecodeOrder::Wake);
    }
}

impl DecoderHandle {
    /// Adds a player; it ends when its [`VideoInput`] is dropped.
    pub fn add(&self) -> VideoInput {
        let (producer, frames) = RingBuffer::new(FRAMES_PER_PLAYER);
        let shared = Arc::new(PlayerShared {
            pictures: Slot::new(),
            decode_failed: Arc::new(Notify::new()),
            stats: Slot::new(),
            first_picture: OnceLock::new(),
            broken: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        });
        let player = Player { frames, shared: Arc::clone(&shared), decoder: None, figures: Figures::new() };
        let _ = self.orders.send(DecodeOrder::Add(Box::new(player)));
        VideoInput { frames: producer, orders: self.orders.clone(), shared }
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let _ = self.orders.send(DecodeOrder::Stop);
    }
}

/// The decode thread's state.
pub(crate) struct DecodeThread {
    orders: Receiver<DecodeOrder>,
    players: Vec<Player>,
    repaint: Repaint,
}

/// The thread's state and the handle to it.
pub(crate) fn decoder(repaint: Repaint) -> (DecoderHandle, DecodeThread) {
    let (sender, orders) = sync_channel(QUEUE);
    (DecoderHandle { orders: sender }, DecodeThread { orders, players: Vec::new(), repaint })
}

impl DecodeThread {
    /// Runs until it is told to stop.
    pub fn run(mut self) {
        while let Ok(order) = self.orders.recv() {
            match order {
                DecodeOrder::Add(player) => self.players.push(*player),
                DecodeOrder::Wake => {}
                DecodeOrder::Stop => return,
            }
            self.decode_waiting();
        }
    }

    /// Takes one frame of each player in turn, so that none has to wait for another's backlog.
    fn decode_waiting(&mut self) {
        self.players.retain(|player| !(player.frames.is_abandoned() && player.frames.is_empty()));
        let mut decoded = true;
        while decoded {
            decoded = false;
            for player in &mut self.players {
                decoded |= player.decode_next(&self.repaint);
            }
        }
    }
}

struct Player {
    frames: Consumer<ReceivedFrame>,
    shared: Arc<PlayerShared>,
    decoder: Option<Vp8Decoder>,
    figures: Figures,
}

impl Player {
    fn decode_next(&mut self, repaint: &Repaint) -> bool {
        let Ok(frame) = self.frames.pop() else { return false };
        if self.shared.broken.swap(false, Ordering::AcqRel)
            && let Some(decoder) = &mut self.decoder
        {
            decoder.expect_key_frame();
        }
        match self.decode(&frame) {
            Ok(Some(picture)) => {
                self.shared.first_picture.get_or_init(|| picture.time);
                self.figures.decoded(&picture);
                self.shared.pictures.put(Arc::new(picture));
                repaint.call();
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a frame was not decoded");
                self.figures.dropped();
                self.shared.decode_failed.notify_one();
            }
        }
        self.shared.stats.put((Instant::now(), self.figures.stats()));
        true
    }

    fn decode(&mut self, frame: &ReceivedFrame) -> Result<Option<I420Frame>, DecodeError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(Vp8Decoder::new()?),
        };
        decoder.decode(&frame.data, Instant::now())
    }
}
