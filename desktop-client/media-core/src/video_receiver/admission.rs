//! Which packets belong to the stream, and whether the sender started anew.
//!
//! A sender that changes its SSRC or jumps in its sequence numbers has restarted; a single packet far off is garbage. As in RFC 3550 appendix A.1, two
//! packets in a row at the new place are believed.

use std::time::{Duration, Instant};

use crate::rtp::{self, RtpPacket, SequenceUnwrapper};

/// A packet further than this from the newest one is not of the running sequence (RFC 3550 A.1, MAX_DROPOUT).
const MAX_JUMP: i64 = 3_000;

/// Packets of a sequence that is through already are late repairs; when nothing newer comes for this long, they are a restart.
const STALL: Duration = Duration::from_millis(500);

/// How long late packets of the SSRC before are told apart from a new change.
const RETIREMENT: Duration = Duration::from_secs(2);

/// Packets that are remembered to tell a repair that comes again from a sender that restarts at lower numbers.
const HISTORY: usize = 1_024;

/// What to do with a packet.
#[derive(Debug)]
pub(super) enum Admission {
    /// It is of the running sequence; its unwrapped number.
    Accept(i64, RtpPacket),
    /// The sender started anew: forget the sequence before, then take these.
    Restart(Vec<(i64, RtpPacket)>),
    /// Late, or garbage.
    Refuse,
}

#[derive(Debug, Default)]
pub(super) struct Admitter {
    ssrc: Option<u32>,
    retired: Option<(u32, Instant)>,
    unwrapper: SequenceUnwrapper,
    /// A packet off the sequence; if the next one follows it, the sequence moved there.
    candidate: Option<RtpPacket>,
    last_progress: Option<Instant>,
    /// Timestamps of accepted packets by sequence number modulo [`HISTORY`]; empty before the first.
    history: Vec<Option<(u16, u32)>>,
}

impl Admitter {
    /// Judges a packet. `tail` is the last sequence number that is through.
    pub(super) fn admit(&mut self, packet: RtpPacket, tail: Option<i64>, now: Instant) -> Admission {
        let Some(ssrc) = self.ssrc else {
            self.ssrc = Some(packet.ssrc);
            return self.accept(packet, now);
        };
        if packet.ssrc != ssrc {
            return self.other_ssrc(ssrc, packet, now);
        }
        let sequence = self.unwrapper.peek(packet.sequence_number);
        let newest = self.unwrapper.newest().unwrap_or(sequence);
        let through = tail.is_some_and(|tail| sequence <= tail);
        if through && self.was_accepted(&packet) {
            return Admission::Refuse;
        }
        let stalled = self.last_progress.is_some_and(|at| now.saturating_duration_since(at) >= STALL);
        if (sequence - newest).abs() > MAX_JUMP || (through && stalled) {
            return self.off_sequence(packet, now);
        }
        if through {
            return Admission::Refuse;
        }
        self.accept(packet, now)
    }

    fn accept(&mut self, packet: RtpPacket, now: Instant) -> Admission {
        self.candidate = None;
        self.last_progress = Some(now);
        self.remember(&packet);
        Admission::Accept(self.unwrapper.unwrap(packet.sequence_number), packet)
    }

    fn remember(&mut self, packet: &RtpPacket) {
        self.history.resize(HISTORY, None);
        self.history[usize::from(packet.sequence_number) % HISTORY] =
            Some((packet.sequence_number, packet.timestamp));
    }

    fn was_accepted(&self, packet: &RtpPacket) -> bool {
        let remembered = self.history.get(usize::from(packet.sequence_number) % HISTORY);
        remembered == Some(&Some((packet.sequence_number, packet.timestamp)))
    }

    fn other_ssrc(&mut self, current: u32, packet: RtpPacket, now: Instant) -> Admission {
        let late = self.retired.is_some_and(|(ssrc, until)| ssrc == packet.ssrc && now < until);
        if late {
            return Admission::Refuse;
        }
        self.retired = Some((current, now + RETIREMENT));
        self.ssrc = Some(packet.ssrc);
        self.restart(vec![packet], now)
    }

    fn off_sequence(&mut self, packet: RtpPacket, now: Instant) -> Admission {
        match self.candidate.take() {
            Some(first) if rtp::sequence_diff(packet.sequence_number, first.sequence_number) == 1 => {
                self.restart(vec![first, packet], now)
            }
            Some(_) | None => {
                self.candidate = Some(packet);
                Admission::Refuse
            }
        }
    }

    fn restart(&mut self, packets: Vec<RtpPacket>, now: Instant) -> Admission {
        self.unwrapper = SequenceUnwrapper::default();
        self.candidate = None;
        self.last_progress = Some(now);
        Admission::Restart(
            packets
                .into_iter()
                .map(|packet| (self.unwrapper.unwrap(packet.sequence_number), packet))
                .collect(),
        )
    }
}
