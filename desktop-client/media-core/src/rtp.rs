//! The little of RTP (RFC 3550) that media needs: packets as facts, sequence numbers and timestamps that wrap.
//!
//! The wire (SRTP, header extensions, RTCP) belongs to the WebRTC stack. These types are the seam to it: the peer task turns what the stack
//! delivers into an [`RtpPacket`], and the cores here never see a socket or a foreign type.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// Ticks per second of every video RTP clock (RFC 7741 §4.1).
pub const VIDEO_CLOCK_RATE: u32 = 90_000;

/// Ticks per second of the Opus RTP clock, whatever rate is coded (RFC 7587 §4.1).
pub const AUDIO_CLOCK_RATE: u32 = 48_000;

/// A received RTP packet, without padding and header extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    /// Synchronisation source: a sender that restarts takes a new one.
    pub ssrc: u32,
    /// Wraps at 2^16.
    pub sequence_number: u16,
    /// Media time in the payload's clock, wraps at 2^32.
    pub timestamp: u32,
    /// Video: last packet of a frame. Audio: first of a talk spurt.
    pub marker: bool,
    /// The payload. Empty in packets that only carry padding.
    pub payload: Bytes,
    /// When it came off the wire.
    pub arrival: Instant,
}

/// An RTP packet to send; SSRC, payload type and extensions are the wire's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingPacket {
    /// Wraps at 2^16.
    pub sequence_number: u16,
    /// Media time in the payload's clock.
    pub timestamp: u32,
    /// Video: last packet of a frame. Audio: first of a talk spurt.
    pub marker: bool,
    /// The payload.
    pub payload: Bytes,
}

/// Turns wrapping sequence numbers into a count that never wraps, taking each number as the one nearest to the newest so far.
#[derive(Debug, Clone, Default)]
pub struct SequenceUnwrapper {
    newest: Option<i64>,
}

impl SequenceUnwrapper {
    /// The unwrapped number; the state moves only forward. The first number is itself.
    pub fn unwrap(&mut self, sequence_number: u16) -> i64 {
        let unwrapped = self.peek(sequence_number);
        self.newest = Some(self.newest.map_or(unwrapped, |newest| newest.max(unwrapped)));
        unwrapped
    }

    /// What [`Self::unwrap`] would answer, without moving.
    pub fn peek(&self, sequence_number: u16) -> i64 {
        match self.newest {
            None => i64::from(sequence_number),
            // The truncation to 16 bits is the arithmetic that RFC 3550 asks for.
            Some(newest) => newest + i64::from(sequence_number.wrapping_sub(newest as u16) as i16),
        }
    }

    /// The highest unwrapped number so far.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }
}

/// Turns wrapping timestamps into a count that never wraps, taking each as the one nearest to the newest so far.
#[derive(Debug, Clone, Default)]
pub struct TimestampUnwrapper {
    newest: Option<i64>,
}

impl TimestampUnwrapper {
    /// The unwrapped timestamp; the state moves only forward. The first timestamp is itself.
    pub fn unwrap(&mut self, timestamp: u32) -> i64 {
        let unwrapped = self.peek(timestamp);
        self.newest = Some(self.newest.map_or(unwrapped, |newest| newest.max(unwrapped)));
        unwrapped
    }

    /// What [`Self::unwrap`] would answer, without moving.
    pub fn peek(&self, timestamp: u32) -> i64 {
        match self.newest {
            None => i64::from(timestamp),
            Some(newest) => newest + i64::from(timestamp.wrapping_sub(newest as u32) as i32),
        }
    }
}

/// How far `a` is ahead of `b` in sequence numbers, negative when it is behind.
pub fn sequence_diff(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b) as i16
}

/// How far `a` is ahead of `b` in ticks, negative when it is behind.
pub fn timestamp_diff(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

/// A duration in ticks of a clock, rounded down; wraps as timestamps do.
pub fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    (duration.as_nanos() * u128::from(clock_rate) / 1_000_000_000) as u32
}

/// Ticks of a clock as a duration. A clock rate of 0 counts as 1.
pub fn ticks_to_duration(ticks: u64, clock_rate: u32) -> Duration {
    let rate = u128::from(clock_rate.max(1));
    let nanos = u128::from(ticks) * 1_000_000_000 / rate;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sequence_numbers_continue_over_the_wrap() {
        let mut unwrapper = SequenceUnwrapper::default();
        let unwrapped: Vec<i64> = [65_534, 65_535, 0, 1].into_iter().map(|s| unwrapper.unwrap(s)).collect();
        assert_eq!(unwrapped, [65_534, 65_535, 65_536, 65_537]);
    }

    #[test]
    fn a_late_packet_from_before_the_wrap_keeps_its_place() {
        let mut unwrapper = SequenceUnwrapper::default();
        unwrapper.unwrap(65_535);
        unwrapper.unwrap(2);
        assert_eq!(unwrapper.unwrap(65_534), 65_534);
        assert_eq!(unwrapper.newest(), Some(65_538));
    }

    #[test]
    fn timestamps_continue_over_the_wrap() {
        let mut unwrapper = TimestampUnwrapper::default();
        assert_eq!(unwrapper.unwrap(u32::MAX), i64::from(u32::MAX));
        assert_eq!(unwrapper.unwrap(2_999), i64::from(u32::MAX) + 3_000);
        assert_eq!(unwrapper.peek(u32::MAX), i64::from(u32::MAX));
    }

    #[test]
    fn ticks_and_durations_agree() {
        assert_eq!(ticks(Duration::from_millis(33), VIDEO_CLOCK_RATE), 2_970);
        assert_eq!(ticks_to_duration(960, AUDIO_CLOCK_RATE), Duration::from_millis(20));
        assert_eq!(ticks_to_duration(1, 0), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn unwrapping_inverts_wrapping(start in any::<u16>(), steps in prop::collection::vec(-1_000_i64..1_000, 1..200)) {
            let mut unwrapper = SequenceUnwrapper::default();
            let mut truth = i64::from(unwrapper.unwrap(start) as u16);
            for step in steps {
                // Stay within half the range of the newest, as the sender's window does.
                truth = (truth + step).max(unwrapper.newest().unwrap() - 30_000);
                prop_assert_eq!(unwrapper.unwrap(truth as u16), truth);
            }
        }
    }
}
