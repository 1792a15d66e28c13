//! Packets that left together, and how much further apart such groups arrive than they left.
//!
//! A pacer sends in bursts, so single packets say little. As in draft-ietf-rmcat-gcc-02, sections 5.1 and 5.2: packets that left within 5 ms are a group, and packets
//! that arrive in a burst after something held them up belong to the group before.

use super::timeline::Arrived;

/// Packets that left within so many milliseconds are one group (draft-ietf-rmcat-gcc-02, burst_time).
const GROUP_MS: f64 = 5.0;

/// Packets that arrive within so many milliseconds of each other were held up together (libwebrtc's kBurstDeltaThreshold).
const BURST_MS: f64 = 5.0;

/// Such a burst lasts no longer, in milliseconds (libwebrtc's kMaxBurstDuration).
const MAX_BURST_MS: f64 = 100.0;

/// So many groups in a row that arrived before the group before are a clock that was set (libwebrtc's kReorderedResetThreshold).
const MAX_REORDERED: u32 = 3;

/// After a pause of so many milliseconds there is nothing to compare with (libwebrtc's kStreamTimeOut).
const PAUSE_MS: f64 = 2_000.0;

/// What two groups in a row differ by, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GroupDelta {
    /// Between their departures.
    pub(super) departure_ms: f64,
    /// Between their arrivals.
    pub(super) arrival_ms: f64,
    /// When the later one arrived.
    pub(super) arrived_at_ms: f64,
}

/// What a packet brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Grouped {
    /// Nothing yet.
    Pending,
    /// A group is complete.
    Delta(GroupDelta),
    /// There was a pause, or times that make no sense.
    StartOver,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_departure_ms: f64,
    last_departure_ms: f64,
    first_arrival_ms: f64,
    last_arrival_ms: f64,
}

#[derive(Debug, Default)]
pub(super) struct ArrivalGroups {
    current: Option<Group>,
    previous: Option<Group>,
    reordered: u32,
}

impl ArrivalGroups {
    /// The next packet in the order of arrival.
    pub(super) fn add(&mut self, packet: &Arrived) -> Grouped {
        let Some(current) = self.current.as_mut() else {
            self.current = Some(Group::of(packet));
            return Grouped::Pending;
        };
        let since = packet.departure_ms - current.first_departure_ms;
        if since < 0.0 {
            // Overtaken on the way.
            return Grouped::Pending;
        }
        if since > PAUSE_MS {
            *self = Self { current: Some(Group::of(packet)), ..Self::default() };
            return Grouped::StartOver;
        }
        if current.takes(packet) {
            current.add(packet);
            return Grouped::Pending;
        }
        let complete = *current;
        self.current = Some(Group::of(packet));
        let previous = self.previous.replace(complete);
        previous.map_or(Grouped::Pending, |previous| self.compare(previous, complete))
    }

    fn compare(&mut self, previous: Group, complete: Group) -> Grouped {
        let arrival_ms = complete.last_arrival_ms - previous.last_arrival_ms;
        if arrival_ms < 0.0 {
            self.reordered += 1;
            if self.reordered < MAX_REORDERED {
                return Grouped::Pending;
            }
            *self = Self::default();
            return Grouped::StartOver;
        }
        self.reordered = 0;
        Grouped::Delta(GroupDelta {
            departure_ms: complete.last_departure_ms - previous.last_departure_ms,
            arrival_ms,
            arrived_at_ms: complete.last_arrival_ms,
        })
    }
}

impl Group {
    fn of(packet: &Arrived) -> Self {
        Self {
            first_departure_ms: packet.departure_ms,
            last_departure_ms: packet.departure_ms,
            first_arrival_ms: packet.arrival_ms,
            last_arrival_ms: packet.arrival_ms,
        }
    }

    fn takes(&self, packet: &Arrived) -> bool {
        packet.departure_ms - self.first_departure_ms <= GROUP_MS || self.continues_burst(packet)
    }

    fn continues_burst(&self, packet: &Arrived) -> bool {
        let arrival = packet.arrival_ms - self.last_arrival_ms;
        let departure = packet.departure_ms - self.last_departure_ms;
        departure <= 0.0
            || (arrival - departure < 0.0
                && (0.0..=BURST_MS).contains(&arrival)
                && packet.arrival_ms - self.first_arrival_ms < MAX_BURST_MS)
    }

    fn add(&mut self, packet: &Arrived) {
        self.last_departure_ms = self.last_departure_ms.max(packet.departure_ms);
        self.last_arrival_ms = self.last_arrival_ms.max(packet.arrival_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn packet(departure_ms: f64, arrival_ms: f64) -> Arrived {
        Arrived { departure: sim::epoch(), departure_ms, arrival_ms, bytes: 1_200 }
    }

    fn deltas(packets: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut groups = ArrivalGroups::default();
        packets
            .iter()
            .filter_map(|(departure, arrival)| match groups.add(&packet(*departure, *arrival)) {
                Grouped::Delta(delta) => Some((delta.departure_ms, delta.arrival_ms)),
                Grouped::Pending | Grouped::StartOver => None,
            })
            .collect()
    }

    #[test]
    fn packets_of_one_burst_are_one_group() {
        let packets = [(0.0, 20.0), (2.0, 22.0), (4.0, 24.0), (20.0, 45.0), (22.0, 47.0), (40.0, 60.0)];
        assert_eq!(deltas(&packets), [(18.0, 23.0)]);
    }

    #[test]
    fn packets_that_were_held_up_together_are_one_group() {
        let packets = [(0.0, 20.0), (20.0, 80.0), (40.0, 81.0), (60.0, 82.0), (90.0, 110.0)];
        assert_eq!(deltas(&packets), [(60.0, 62.0)]);
    }

    #[test]
    fn a_pause_starts_over() {
        let mut groups = ArrivalGroups::default();
        assert_eq!(groups.add(&packet(0.0, 0.0)), Grouped::Pending);
        assert_eq!(groups.add(&packet(5_000.0, 5_000.0)), Grouped::StartOver);
    }

    #[test]
    fn arrivals_that_run_backwards_start_over() {
        let mut groups = ArrivalGroups::default();
        let backwards = (0..6).map(|i| packet(20.0 * f64::from(i), 100.0 - 20.0 * f64::from(i)));
        let outcomes: Vec<Grouped> = backwards.map(|packet| groups.add(&packet)).collect();
        assert!(outcomes.contains(&Grouped::StartOver), "{outcomes:?}");
        assert!(!outcomes.iter().any(|outcome| matches!(outcome, Grouped::Delta(_))), "{outcomes:?}");
    }
}
