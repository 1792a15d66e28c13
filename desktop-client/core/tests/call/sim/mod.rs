//! The world that sessions live in: a clock, a server, and paths between peers.
//!
//! Messages of one connection keep their order; everything else overtakes everything else, as the seed wills.

mod lobby;
mod machinery;
mod pc;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use call_core::command::Command;
use call_core::link::{Channel, ConnectionState, LinkEvent, LinkId, LinkOrder};
use call_core::session::{Input, Output, Session, SessionConfig};
use call_core::signaling::Signaling;
use call_core::snapshot::{ParticipantView, RoomConnection, Snapshot};
use shared::RoomId;

use lobby::Lobby;
use pc::Pc;

pub const SERVER: &str = "http://localhost:3000";

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn ms(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.next() % (range.end - range.start))
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// One participant's program: its cores, its WebSocket and its peer connections.
pub struct Client {
    pub session: Session,
    signaling: Signaling,
    socket: Option<u64>,
    pcs: BTreeMap<LinkId, Pc>,
    /// One for all of its connections, or one for each.
    certificate: Option<u64>,
    /// Killed: nothing of it runs any more.
    dead: bool,
    /// Orders to links, for looking at afterwards.
    pub orders: Vec<(LinkId, LinkOrder)>,
    pub outputs: Vec<Output>,
}

enum Task {
    ToServer {
        socket: u64,
        text: String,
    },
    ToClient {
        client: usize,
        socket: u64,
        text: String,
    },
    Opened {
        client: usize,
        socket: u64,
    },
    Closed {
        client: usize,
        socket: u64,
    },
    /// The server misses a connection.
    Missed {
        socket: u64,
    },
    Ping {
        socket: u64,
    },
    Order {
        client: usize,
        link: LinkId,
        order: LinkOrder,
    },
    Event {
        client: usize,
        link: LinkId,
        event: LinkEvent,
    },
    Settle {
        client: usize,
        link: LinkId,
        generation: u64,
        state: ConnectionState,
    },
    Deliver {
        client: usize,
        link: LinkId,
        channel: Channel,
        text: String,
    },
}

pub struct World {
    start: Instant,
    pub now: Instant,
    pub random: Random,
    pub clients: Vec<Client>,
    pub lobby: Lobby,
    pub server_up: bool,
    /// How long the server takes to miss a connection.
    pub ghosts: Range<u64>,
    /// Pairs between which no media can flow.
    pub cut: BTreeSet<(usize, usize)>,
    /// What a real peer connection would have refused because of us.
    pub misuse: Vec<String>,
    delay: Range<u64>,
    tasks: BTreeMap<(Instant, u64), Task>,
    last_task: u64,
    /// When the last message of each direction of each socket arrives.
    arrivals: BTreeMap<(u64, bool), Instant>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a point to count virtual time from")]
        let start = Instant::now();
        let mut random = Random(seed);
        // From a LAN to a bad mobile network.
        let longest = [3, 30, 300, 1500][random.next() as usize % 4];
        Self {
            start,
            now: start,
            random,
            clients: Vec::new(),
            lobby: Lobby::default(),
            server_up: true,
            ghosts: 0..5_000,
            cut: BTreeSet::new(),
            misuse: Vec::new(),
            delay: 1..longest,
            tasks: BTreeMap::new(),
            last_task: 0,
            arrivals: BTreeMap::new(),
        }
    }

    /// A client on the start screen.
    pub fn add(&mut self, name: &str) -> usize {
        let config = SessionConfig {
            display_name: name.to_owned(),
            server_url: SERVER.to_owned(),
            ..SessionConfig::default()
        };
        let (seed_a, seed_b) = (self.random.next(), self.random.next());
        self.clients.push(Client {
            session: Session::new(config, seed_a),
            signaling: Signaling::new(seed_b),
            socket: None,
            pcs: BTreeMap::new(),
            certificate: self.random.chance(50).then_some(seed_a),
            dead: false,
            orders: Vec::new(),
            outputs: Vec::new(),
        });
        self.pump(self.clients.len() - 1);
        self.clients.len() - 1
    }

    /// A client that is joining.
    pub fn join(&mut self, name: &str) -> usize {
        let client = self.add(name);
        self.command(client, Command::OpenPreview(room()));
        self.command(client, Command::Join { password: None });
        client
    }

    /// A room with these people, all connected.
    pub fn call(seed: u64, names: &[&str]) -> Self {
        let mut world = Self::new(seed);
        for name in names {
            world.join(name);
        }
        world.run(60_000);
        world.assert_all_connected();
        world
    }

    pub fn command(&mut self, client: usize, command: Command) {
        self.give(client, Input::Command(command));
    }

    pub fn give(&mut self, client: usize, input: Input) {
        if !self.clients[client].dead {
            let now = self.now;
            self.clients[client].session.handle(input, now);
            self.pump(client);
        }
    }

    pub fn snapshot(&self, client: usize) -> Snapshot {
        self.clients[client].session.snapshot()
    }

    pub fn participants(&self, client: usize) -> Vec<ParticipantView> {
        self.snapshot(client).room.map(|room| room.participants).unwrap_or_default()
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Runs for this many virtual milliseconds.
    pub fn run(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        let mut steps = 0;
        while let Some(at) = self.next_time().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
            steps += 1;
            assert!(steps < 500_000, "the world spins at {:?}", self.elapsed());
        }
        self.now = end;
    }

    /// The client's WebSocket breaks.
    pub fn lose_socket(&mut self, client: usize) {
        let Some(socket) = self.clients[client].socket.take() else { return };
        let (told, missed) = (self.random.ms(1..50), self.random.ms(self.ghosts.clone()));
        self.clients[client].socket = Some(socket);
        self.after(told, Task::Closed { client, socket });
        self.after(missed, Task::Missed { socket });
    }

    /// The server goes away, with all it knew.
    pub fn stop_server(&mut self) {
        self.server_up = false;
        self.lobby = Lobby::restarted(&self.lobby);
        for client in 0..self.clients.len() {
            if let Some(socket) = self.clients[client].socket {
                let told = self.random.ms(1..50);
                self.after(told, Task::Closed { client, socket });
            }
        }
    }

    /// The client's peer tasks hang.
    pub fn hang_tasks(&mut self, client: usize) {
        self.clients[client].pcs.values_mut().for_each(|pc| pc.hung = true);
        self.connectivity();
    }

    /// The client's process is killed.
    pub fn kill(&mut self, client: usize) {
        self.clients[client].dead = true;
        self.clients[client].pcs.clear();
        if let Some(socket) = self.clients[client].socket.take() {
            self.after(Duration::from_millis(1), Task::Missed { socket });
        }
        self.connectivity();
    }

    /// Everybody who wants to be in the room sees everybody else there, connected.
    pub fn assert_all_connected(&self) {
        assert_eq!(self.misuse, Vec::<String>::new());
        let inside: Vec<usize> = (0..self.clients.len())
            .filter(|client| !self.clients[*client].dead && self.snapshot(*client).room.is_some())
            .collect();
        for client in &inside {
            let room = self.snapshot(*client).room.unwrap();
            assert_eq!(room.connection, RoomConnection::Joined, "client {client} at {:?}", self.elapsed());
            assert_eq!(
                room.participants.len(),
                inside.len() - 1,
                "client {client} sees {:?}",
                room.participants
            );
            for other in &room.participants {
                assert_eq!(other.connection, ConnectionState::Connected, "client {client} sees {other:?}");
            }
        }
    }
}

pub fn room() -> RoomId {
    RoomId::parse("daily").unwrap()
}
