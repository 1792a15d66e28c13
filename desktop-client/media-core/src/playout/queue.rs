//! Decoded pictures that wait for their time.

use std::collections::VecDeque;
use std::time::Instant;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub struct RenderQueueLimits {
    /// Pictures. Default 32: the largest delay at 60 frames a second.
    pub pictures: usize,
    /// Bytes of them. Default 16 MiB: twelve of 720p, 0.4 s at 30 frames a second. Larger delays are then shortened.
    pub bytes: usize,
}

impl Default for RenderQueueLimits {
    fn default() -> Self {
        Self { pictures: 32, bytes: 16 << 20 }
    }
}

#[derive(Debug)]
struct Waiting<T> {
    due: Instant,
    bytes: usize,
    picture: T,
}

/// Holds pictures in the order in which they are shown. When it is full, the oldest is shown early.
#[derive(Debug)]
pub struct RenderQueue<T> {
    limits: RenderQueueLimits,
    waiting: VecDeque<Waiting<T>>,
    bytes: usize,
    dropped: u64,
}

impl<T> RenderQueue<T> {
    /// An empty queue.
    pub fn new(limits: RenderQueueLimits) -> Self {
        Self { limits, waiting: VecDeque::new(), bytes: 0, dropped: 0 }
    }

    /// Puts a picture in that is due then. Gives the one to show at once when there is no room for all.
    pub fn push(&mut self, picture: T, bytes: usize, due: Instant) -> Option<T> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.waiting.push_back(Waiting { due, bytes, picture });
        let mut shown = None;
        while self.waiting.len() > self.limits.pictures || self.bytes > self.limits.bytes {
            let Some(oldest) = self.pop() else { break };
            self.dropped += u64::from(shown.replace(oldest).is_some());
        }
        shown
    }

    /// The picture to show now: the newest of those that are due. Older ones are too late, and dropped.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        let mut shown = None;
        while self.waiting.front().is_some_and(|front| front.due <= now) {
            self.dropped += u64::from(shown.is_some());
            shown = self.pop();
        }
        shown
    }

    /// When the next picture is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|front| front.due)
    }

    /// Pictures that were not shown, because a newer one was due.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Pictures that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn pop(&mut self) -> Option<T> {
        let oldest = self.waiting.pop_front()?;
        self.bytes -= oldest.bytes;
        Some(oldest.picture)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn pictures_come_out_at_their_time() {
        let mut queue = RenderQueue::new(RenderQueueLimits::default());
        assert_eq!(queue.push('a', 1, at(10)), None);
        assert_eq!(queue.push('b', 1, at(40)), None);
        assert_eq!((queue.pop_due(at(9)), queue.next_due()), (None, Some(at(10))));
        assert_eq!((queue.pop_due(at(10)), queue.pop_due(at(10))), (Some('a'), None));
        assert_eq!((queue.pop_due(at(50)), queue.dropped()), (Some('b'), 0));
    }

    #[test]
    fn of_several_late_pictures_only_the_newest_is_shown() {
        let mut queue = RenderQueue::new(RenderQueueLimits::default());
        for (picture, due) in [('a', 10), ('b', 20), ('c', 30), ('d', 90)] {
            queue.push(picture, 1, at(due));
        }
        assert_eq!((queue.pop_due(at(35)), queue.dropped(), queue.len()), (Some('c'), 2, 1));
    }

    #[test]
    fn when_there_is_no_room_the_oldest_is_shown_early() {
        let mut queue = RenderQueue::new(RenderQueueLimits { pictures: 2, bytes: 100 });
        assert_eq!(queue.push('a', 10, at(10)), None);
        assert_eq!(queue.push('b', 10, at(20)), None);
        assert_eq!(queue.push('c', 10, at(30)), Some('a'));
        assert_eq!((queue.push('d', 95, at(40)), queue.len(), queue.dropped()), (Some('c'), 1, 1));
        assert_eq!(queue.push('e', 1_000, at(50)), Some('e'));
        assert!(queue.is_empty());
    }
}
