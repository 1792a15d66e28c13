//! Hosts on networks that people have: slow, lossy, late.
//!
//! A [`Network`] is a star. Each [`Host`] is a network namespace with one interface and an address from 198.18.0.0/15 (RFC 2544: for benchmarks, and nobody
//! else's), and its access link leads to a relay in the middle. The relay holds back each Ethernet frame as the host's [`Profile`] says: first on the way up
//! from one host, then on the way down to the other. Whatever a program on the host does passes there: media, signaling, the page itself. Only ARP is left
//! alone, for a neighbour that is not found is no property of the networks in question.
//!
//! A userspace relay because kernels in containers and small virtual machines lack netem; and because the very model that tests use in virtual time
//! ([`media_core::sim`]) then holds back real packets.
//!
//! Interfaces are TAP devices: the relay reads and writes whole frames with checksums in place, as the device offers no offload. Namespaces have no names: the
//! kernel removes them with the last process or file that refers to them, so nothing is left behind by a test that is killed. To look into one, take any
//! process in it: `nsenter --target PID --net`.

mod forward;
mod namespace;
mod relay;
mod switch;
mod tap;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use media_core::sim::Profile;

pub use self::forward::Forward;
use self::namespace::Namespace;
use self::relay::Relay;
pub use self::switch::Traffic;
use self::tap::Tap;

/// Where hosts have their addresses.
const SUBNET: [u8; 3] = [198, 18, 0];

/// How long a connection may take. Long enough for a second attempt on a lossy link (RFC 6298: after one second).
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A host's place in the star, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Port(u8);

impl Port {
    fn index(self) -> usize {
        usize::from(self.0)
    }

    fn address(self) -> Ipv4Addr {
        let [a, b, c] = SUBNET;
        Ipv4Addr::new(a, b, c, self.0 + 1)
    }

    /// Locally administered (IEEE 802), and the same in each run.
    fn mac(self) -> [u8; 6] {
        [2, 0, 0, 0, 0, self.0 + 1]
    }
}

/// A machine of its own, as far as the network is concerned.
#[derive(Debug, Clone)]
pub struct Host {
    namespace: Arc<Namespace>,
    port: Port,
}

impl Host {
    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.port.address()
    }

    /// Has a program run there. It keeps everything else: files, clock, processes.
    pub fn place(&self, command: &mut Command) {
        self.namespace.place(command);
    }

    /// Connects as a program there would: over the network to another host, or past it to what listens on its own loopback.
    pub fn connect(&self, address: SocketAddr) -> Result<TcpStream> {
        let connect = move || TcpStream::connect_timeout(&address, CONNECT_PATIENCE);
        self.namespace.run(connect)?.with_context(|| format!("nobody answers at {address}"))
    }
}

/// Hosts and what is between them. All of it is gone when this and everything placed on the hosts is.
#[derive(Debug)]
pub struct Network {
    hosts: Vec<Host>,
    relay: Relay,
}

impl Network {
    /// Why there can be no networks here, or `None` when there can. Needs root, or capabilities as good.
    pub fn unavailable() -> Option<String> {
        let error = Self::new(1, 0).err()?;
        Some(format!("no networks of our own here (they need root, /dev/net/tun and iproute2): {error:#}"))
    }

    /// So many hosts, all of them on perfect links. The seed decides which packets will be lost.
    pub fn new(hosts: u8, seed: u64) -> Result<Self> {
        let mut taps = vec![];
        let hosts = (0..hosts)
            .map(|number| {
                let port = Port(number);
                let namespace = Arc::new(Namespace::new()?);
                taps.push((port, connected(&namespace, port)?));
                Ok(Host { namespace, port })
            })
            .collect::<Result<_>>()?;
        Ok(Self { hosts, relay: Relay::start(taps, seed)? })
    }

    /// All hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// From now on a host's access link is like this. What changes over time in the profile is counted from now; frames under way are lost.
    pub fn impose(&self, host: &Host, profile: &Profile) -> Result<()> {
        self.relay.impose(host.port, profile.clone())
    }

    /// What has passed a host's access link since the last [`Network::impose`].
    pub fn traffic(&self, host: &Host) -> Result<Traffic> {
        self.relay.traffic(host.port)
    }

    /// The most by which a frame came later than it should have so far, because this machine was busy. Figures of a network mean little when this is much.
    pub fn worst_lateness(&self) -> Result<Duration> {
        self.relay.worst_lateness()
    }
}

/// Gives a namespace its loopback and its access link.
fn connected(namespace: &Namespace, port: Port) -> Result<Tap> {
    let tap = namespace.run(Tap::open)??;
    let [a, b, c, d, e, f] = port.mac();
    let (name, address) = (tap::NAME, port.address());
    // Multicast has a way, for names of candidates; whatever is neither here nor there fails at once. No IPv6: link-local addresses would be candidates too, and twice as many to check.
    namespace.configure(&format!(
        "link set dev lo up
         link set dev {name} address {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x} addrgenmode none
         address add {address}/24 dev {name}
         link set dev {name} up
         route add 224.0.0.0/4 dev {name}\n"
    ))?;
    Ok(tap)
}

#[cfg(test)]
mod tests;
