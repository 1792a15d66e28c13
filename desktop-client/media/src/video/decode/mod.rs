//! The decode thread: pictures of all peers, decoded one after the other as they come, and shown each at its time.

pub(crate) mod figures;
mod player;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::playout::PlayoutPoint;
use media_core::slot::Slot;
use media_core::video_receiver::ReceivedFrame;
use rtrb::{Producer, RingBuffer};
use tokio::sync::Notify;

use self::player::Player;
use crate::repaint::Repaint;
use crate::stats::VideoReceiveStats;

/// Orders waiting for the decode thread. Adding a player waits for a place; wake-ups find a full queue to be as good as delivered.
const QUEUE: usize = 32;

/// Whole frames of one peer waiting to be decoded: half a second. When it is full, all are dropped up to the next key frame, for which the
/// peer is asked.
const FRAMES_PER_PLAYER: usize = 16;

enum DecodeOrder {
    Add(Box<Player>),
    /// There is work, or a picture is due.
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
    /// The newest picture's time, and how much later than the fastest pictures all are shown.
    shown: Slot<(PlayoutPoint, Duration)>,
    /// Microseconds of delay that lip sync wants at least.
    min_delay: AtomicU64,
    /// How much later the sound is than the picture.
    av_offset_ms: Slot<f64>,
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
        stats.av_offset_ms = self.av_offset_ms.peek();
        stats
    }

    /// What is shown at which time, and how much later than the fastest pictures all are; `None` before the first.
    pub fn shown(&self) -> Option<(PlayoutPoint, Duration)> {
        self.shown.peek()
    }

    /// Lip sync wants at least this delay; `offset_ms` is what it found.
    pub fn set_lip_sync(&self, min_delay: Duration, offset_ms: Option<f64>) {
        self.min_delay.store(u64::try_from(min_delay.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        match offset_ms {
            Some(offset) => drop(self.av_offset_ms.put(offset)),
            None => self.av_offset_ms.clear(),
        }
    }

    fn min_delay(&self) -> Duration {
        Duration::from_micros(self.min_delay.load(Ordering::Relaxed))
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
            shown: Slot::new(),
            min_delay: AtomicU64::new(0),
            av_offset_ms: Slot::new(),
            first_picture: OnceLock::new(),
            broken: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        });
        let player = Box::new(Player::new(frames, Arc::clone(&shared)));
        let _ = self.orders.send(DecodeOrder::Add(player));
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
        loop {
            match self.next_order() {
                DecodeOrder::Add(player) => self.players.push(*player),
                DecodeOrder::Wake => {}
                DecodeOrder::Stop => return,
            }
            self.decode_waiting();
        }
    }

    /// Waits for an order, or until a picture is due.
    fn next_order(&self) -> DecodeOrder {
        match self.players.iter().filter_map(Player::next_due).min() {
            None => self.orders.recv().unwrap_or(DecodeOrder::Stop),
            Some(due) => match self.orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(order) => order,
                Err(RecvTimeoutError::Timeout) => DecodeOrder::Wake,
                Err(RecvTimeoutError::Disconnected) => DecodeOrder::Stop,
            },
        }
    }

    /// Takes one frame of each player in turn, so that none has to wait for another's backlog; between them, shows what is due.
    fn decode_waiting(&mut self) {
        self.players.retain(|player| !player.ended());
        let mut decoded = true;
        while decoded {
            decoded = false;
            for at in 0..self.players.len() {
                self.show_due();
                decoded |= self.players.get_mut(at).is_some_and(|player| player.decode_next(&self.repaint));
            }
        }
        self.show_due();
    }

    fn show_due(&mut self) {
        for player in &mut self.players {
            player.show_due(Instant::now(), &self.repaint);
        }
    }
}
