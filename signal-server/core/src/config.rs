//! What a host can set.

use std::time::Duration;

use shared::events::IceServer;
use shared::limits::ROOM_CAPACITY_DEFAULT;

use crate::Rate;

/// The lobby's settings.
#[derive(Debug, Clone)]
pub struct LobbyConfig {
    /// Whether `join-room` on an unknown id makes a room that vanishes with its last guest. Default: yes.
    pub ephemeral_rooms: bool,
    /// Capacity of a room when its maker names none, in participants. Default: 8, as the contract says.
    pub default_capacity: u32,
    /// Most rooms of both kinds. Default: 20 000, about 10 MB.
    pub max_rooms: usize,
    /// Most rooms made by request, which stay until deleted. Default: 10 000, so that these alone can never use up [`Self::max_rooms`].
    pub max_permanent_rooms: usize,
    /// Most connections. Default: 50 000, about 20 MB in the lobby; the transport costs more.
    pub max_peers: usize,
    /// ICE servers that a newcomer is told. Default: none.
    pub ice_servers: Vec<IceServer>,
    /// What one connection may ask for.
    pub limits: RateLimits,
}

impl Default for LobbyConfig {
    fn default() -> Self {
        Self {
            ephemeral_rooms: true,
            default_capacity: ROOM_CAPACITY_DEFAULT,
            max_rooms: 20_000,
            max_permanent_rooms: 10_000,
            max_peers: 50_000,
            ice_servers: Vec::new(),
            limits: RateLimits::default(),
        }
    }
}

/// What one connection may ask for. A request above a limit is refused with `rate-limited` and changes nothing.
///
/// The limits are far above any honest use, on purpose: a client that gathers 10 000 candidates, or a throughput test, passes. What keeps a
/// flood from harming its addressee is that a relay to a full queue is refused ([`crate::Input::Undeliverable`]).
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Events of any kind. Default: 200 000 at once, 10 000 per second; a twentieth of what one core relays.
    pub events: Rate,
    /// Kibibytes of `signal` data. Default: 256 MiB at once, 16 MiB per second.
    pub signal_kib: Rate,
    /// Joins, each of which is told to everybody in the room. Default: 1 000 at once, 50 per second.
    pub joins: Rate,
    /// Wrong passwords. Default: 10 at once, one per 5 s: a guess of a four-letter password then takes a month per connection.
    pub wrong_passwords: Rate,
    /// Refused requests, each of which is answered. Default: 20 000 at once, 200 per second; who exceeds this is disconnected.
    pub refusals: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            events: Rate::new(200_000, 10_000),
            signal_kib: Rate::new(256 * 1024, 16 * 1024),
            joins: Rate::new(1_000, 50),
            wrong_passwords: Rate { burst: 10, refill: Duration::from_secs(5) },
            refusals: Rate::new(20_000, 200),
        }
    }
}
