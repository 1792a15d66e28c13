//! The middle of the star: which frame leaves where, and when. Deterministic: time is an argument.
//!
//! [`Switch::handle`] takes a frame in; then [`Switch::poll`] is called until it gives nothing, and again at [`Switch::timeout`].

use std::sync::Arc;
use std::time::Instant;

use media_core::sim::{Link, LinkConfig, LinkStats, Profile};

use super::Port;

/// Ethernet II: two addresses and a type.
const HEADER: usize = 14;

/// The type of ARP (RFC 826).
const ARP: [u8; 2] = [0x08, 0x06];

/// A frame on its way. Shared, because a link may deliver it twice and a broadcast goes to many.
pub(super) type Frame = Arc<[u8]>;

/// What has passed an access link. Bytes are those of IP packets, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What became of packets from the host.
    pub up: LinkStats,
    /// What became of packets to the host.
    pub down: LinkStats,
    /// Bytes that got through from the host.
    pub up_bytes: u64,
    /// Bytes that got through to the host.
    pub down_bytes: u64,
}

/// All access links.
#[derive(Debug)]
pub(super) struct Switch {
    /// By port.
    links: Vec<Access>,
    /// What passes untouched, with its destination.
    unhindered: Vec<(Port, Frame)>,
    seed: u64,
}

#[derive(Debug)]
struct Access {
    port: Port,
    up: Link<Frame>,
    down: Link<Frame>,
    up_bytes: u64,
    down_bytes: u64,
}

impl Access {
    fn new(port: Port, up: Link<Frame>, down: Link<Frame>) -> Self {
        Self { port, up, down, up_bytes: 0, down_bytes: 0 }
    }
}

impl Switch {
    /// Perfect links.
    pub(super) fn new(ports: impl Iterator<Item = Port>, seed: u64) -> Self {
        let perfect = || Link::new(LinkConfig::default(), seed);
        let links = ports.map(|port| Access::new(port, perfect(), perfect())).collect();
        Self { links, unhindered: vec![], seed }
    }

    /// A link is like this from now on.
    pub(super) fn impose(&mut self, port: Port, profile: &Profile, now: Instant) {
        // Each direction has its own luck.
        let seed = self.seed.wrapping_add(2 * port.index() as u64);
        let up = Link::with_steps(&profile.up, now, seed);
        let down = Link::with_steps(&profile.down, now, seed.wrapping_add(1));
        if let Some(link) = self.links.get_mut(port.index()) {
            *link = Access::new(port, up, down);
        }
    }

    /// What has passed a link.
    pub(super) fn traffic(&self, port: Port) -> Traffic {
        self.links.get(port.index()).map_or_else(Traffic::default, |link| Traffic {
            up: link.up.stats(),
            down: link.down.stats(),
            up_bytes: link.up_bytes,
            down_bytes: link.down_bytes,
        })
    }

    /// A host sends a frame.
    pub(super) fn handle(&mut self, from: Port, frame: Vec<u8>, now: Instant) {
        let Some(kind) = frame.get(HEADER - 2..HEADER) else { return };
        let is_arp = kind == ARP;
        let frame = Frame::from(frame);
        if is_arp {
            let to = self.destinations(from, &frame);
            self.unhindered.extend(to.into_iter().map(|port| (port, Arc::clone(&frame))));
        } else if let Some(link) = self.links.get_mut(from.index()) {
            let bytes = packet_bytes(&frame);
            link.up.send(frame, bytes, now);
        }
    }

    /// A frame for a host, and when it should have got there; `None` when nothing is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(Port, Instant, Frame)> {
        if let Some((port, frame)) = self.unhindered.pop() {
            return Some((port, now, frame));
        }
        self.pass_middle(now);
        let arrived = |link: &Access| link.down.next_arrival().filter(|at| *at <= now);
        let link = self.links.iter_mut().filter(|link| arrived(link).is_some()).min_by_key(|l| arrived(l))?;
        let (at, frame) = link.down.receive(now)?;
        link.down_bytes += packet_bytes(&frame) as u64;
        Some((link.port, at, frame))
    }

    /// When there is something to poll; `None` when nothing is under way.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let links = self.links.iter();
        links.flat_map(|link| [link.up.next_arrival(), link.down.next_arrival()]).flatten().min()
    }

    /// Takes frames that have come up to the links that lead down, in the order of their arrival there.
    fn pass_middle(&mut self, now: Instant) {
        let arrived = |link: &Access| link.up.next_arrival().filter(|at| *at <= now);
        while let Some(link) =
            self.links.iter_mut().filter(|link| arrived(link).is_some()).min_by_key(|link| arrived(link))
            && let Some((at, frame)) = link.up.receive(now)
        {
            let from = link.port;
            let bytes = packet_bytes(&frame);
            link.up_bytes += bytes as u64;
            for port in self.destinations(from, &frame) {
                if let Some(link) = self.links.get_mut(port.index()) {
                    link.down.send(Arc::clone(&frame), bytes, at);
                }
            }
        }
    }

    fn destinations(&self, from: Port, frame: &[u8]) -> Vec<Port> {
        let to = &frame[..6];
        let to_many = to[0] & 1 == 1;
        let others = self.links.iter().map(|link| link.port).filter(|port| *port != from);
        others.filter(|port| to_many || to == port.mac()).collect()
    }
}

fn packet_bytes(frame: &[u8]) -> usize {
    frame.len().saturating_sub(HEADER)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use media_core::sim::{self, Loss};

    use super::*;

    const IP: [u8; 2] = [0x08, 0x00];

    fn frame(to: [u8; 6], kind: [u8; 2]) -> Vec<u8> {
        let mut frame = to.to_vec();
        frame.extend([0; 6]);
        frame.extend(kind);
        frame.extend([0; 100]);
        frame
    }

    fn switch() -> Switch {
        Switch::new((0..3).map(Port), 1)
    }

    fn drain(switch: &mut Switch, now: Instant) -> Vec<Port> {
        std::iter::from_fn(|| switch.poll(now)).map(|(port, ..)| port).collect()
    }

    #[test]
    fn frames_reach_their_host_and_broadcasts_all_others() {
        let (mut switch, now) = (switch(), sim::epoch());
        switch.handle(Port(0), frame(Port(2).mac(), IP), now);
        assert_eq!(drain(&mut switch, now), [Port(2)]);
        switch.handle(Port(1), frame([0xFF; 6], IP), now);
        assert_eq!(drain(&mut switch, now), [Port(0), Port(2)]);
        switch.handle(Port(1), frame([4; 6], IP), now);
        switch.handle(Port(1), vec![1, 2, 3], now);
        assert_eq!(drain(&mut switch, now), []);
    }

    #[test]
    fn both_ends_of_a_way_are_counted_and_delay() {
        let (mut switch, start) = (switch(), sim::epoch());
        let slow = LinkConfig { delay: Duration::from_millis(30), ..LinkConfig::default() };
        switch.impose(Port(0), &Profile::both(slow), start);
        switch.impose(Port(1), &Profile::both(slow), start);
        switch.handle(Port(0), frame(Port(1).mac(), IP), start);
        assert_eq!(drain(&mut switch, start + Duration::from_millis(59)), []);
        assert_eq!(switch.timeout(), Some(start + Duration::from_millis(60)));
        assert_eq!(drain(&mut switch, start + Duration::from_millis(61)), [Port(1)]);
        assert_eq!((switch.traffic(Port(0)).up_bytes, switch.traffic(Port(1)).down_bytes), (100, 100));
        assert_eq!(switch.timeout(), None);
    }

    #[test]
    fn arp_passes_where_all_else_is_lost() {
        let (mut switch, now) = (switch(), sim::epoch());
        let dead = LinkConfig { loss: Loss::Uniform { share: 1.0 }, ..LinkConfig::default() };
        switch.impose(Port(0), &Profile::both(dead), now);
        switch.handle(Port(0), frame(Port(1).mac(), IP), now);
        assert_eq!(drain(&mut switch, now), []);
        switch.handle(Port(0), frame(Port(1).mac(), ARP), now);
        assert_eq!(drain(&mut switch, now), [Port(1)]);
        assert_eq!(switch.traffic(Port(0)).up.lost, 1);
    }
}
