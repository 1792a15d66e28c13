//! How the world turns: tasks at their times, orders to peer tasks, frames on sockets, and which peer connections reach each other.

use std::time::{Duration, Instant};

use call_core::link::{Channel, ConnectionState, LinkEvent, LinkId, LinkOrder};
use call_core::session::{Input, Output, SignalingOrder};
use call_core::signaling::{SignalingInput, SignalingOutput};

use super::pc::{Effect, Pc};
use super::{Task, World};

impl World {
    pub(super) fn next_time(&self) -> Option<Instant> {
        let alive = self.clients.iter().filter(|client| !client.dead);
        let timers =
            alive.flat_map(|client| [client.session.poll_timeout(), client.signaling.poll_timeout()]);
        let task = self.tasks.keys().next().map(|(at, _)| *at);
        timers.chain([task]).flatten().min()
    }

    pub(super) fn step(&mut self) {
        let now = self.now;
        for client in 0..self.clients.len() {
            let core = &mut self.clients[client];
            if !core.dead {
                if core.session.poll_timeout().is_some_and(|at| at <= now) {
                    core.session.handle_timeout(now);
                }
                if core.signaling.poll_timeout().is_some_and(|at| at <= now) {
                    core.signaling.handle_timeout(now);
                }
                self.pump(client);
            }
        }
        if let Some((at, _)) = self.tasks.keys().next()
            && *at <= now
            && let Some((_, task)) = self.tasks.pop_first()
        {
            self.perform(task);
        }
    }

    pub(super) fn after(&mut self, delay: Duration, task: Task) {
        self.last_task += 1;
        self.tasks.insert((self.now + delay, self.last_task), task);
    }

    /// Messages of one direction of one socket arrive in order.
    fn in_order(&mut self, socket: u64, up: bool, task: Task) {
        let delay = self.random.ms(self.delay.start..self.delay.end + 1);
        let last = self.arrivals.get(&(socket, up)).copied().unwrap_or(self.now);
        let at = (self.now + delay).max(last);
        self.arrivals.insert((socket, up), at);
        self.last_task += 1;
        self.tasks.insert((at, self.last_task), task);
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Opened { client, socket } if self.clients[client].socket == Some(socket) => {
                self.socket_input(client, SignalingInput::Opened);
                let open = r#"0{"sid":"s","upgrades":[],"pingInterval":5000,"pingTimeout":4000,"maxPayload":1000000}"#;
                self.in_order(socket, false, Task::ToClient { client, socket, text: open.into() });
                self.after(Duration::from_secs(5), Task::Ping { socket });
            }
            Task::Closed { client, socket } if self.clients[client].socket == Some(socket) => {
                self.clients[client].socket = None;
                self.socket_input(
                    client,
                    SignalingInput::TransportClosed { reason: "connection reset".into() },
                );
            }
            Task::ToClient { client, socket, text } if self.clients[client].socket == Some(socket) => {
                self.socket_input(client, SignalingInput::Text(text));
            }
            Task::Opened { .. } | Task::Closed { .. } | Task::ToClient { .. } => {}
            Task::Ping { socket } => {
                if let Some(client) = self.owner(socket) {
                    self.in_order(socket, false, Task::ToClient { client, socket, text: "2".into() });
                    self.after(Duration::from_secs(5), Task::Ping { socket });
                }
            }
            Task::ToServer { socket, text } => {
                self.lobby.receive(socket, &text);
                self.deliver_lobby();
            }
            Task::Missed { socket } => {
                self.lobby.disconnect(socket);
                self.deliver_lobby();
            }
            Task::Order { client, link, order } => self.execute(client, &link, order),
            Task::Event { client, link, event } => self.give(client, Input::Link { link, event }),
            Task::Settle { client, link, generation, state } => self.settle(client, &link, generation, state),
            Task::Deliver { client, link, channel, text } => {
                self.give(client, Input::Link { link, event: LinkEvent::Message { channel, text } });
            }
        }
    }

    fn owner(&self, socket: u64) -> Option<usize> {
        self.clients.iter().position(|client| client.socket == Some(socket))
    }

    /// Sends what was put into the lobby by hand.
    pub fn flush_lobby(&mut self) {
        self.deliver_lobby();
    }

    pub(super) fn deliver_lobby(&mut self) {
        for (socket, text) in self.lobby.take_outbox() {
            if let Some(client) = self.owner(socket) {
                self.in_order(socket, false, Task::ToClient { client, socket, text });
            }
        }
    }

    fn socket_input(&mut self, client: usize, input: SignalingInput) {
        let now = self.now;
        self.clients[client].signaling.handle(input, now);
        self.pump(client);
    }

    /// Carries out what the cores of a client order, to the end.
    pub(super) fn pump(&mut self, client: usize) {
        loop {
            let core = &mut self.clients[client];
            if let Some(output) = core.session.poll_output() {
                core.outputs.push(output.clone());
                self.session_output(client, output);
            } else if let Some(output) = core.signaling.poll_output() {
                self.signaling_output(client, output);
            } else {
                return;
            }
        }
    }

    fn session_output(&mut self, client: usize, output: Output) {
        let now = self.now;
        let signaling = &mut self.clients[client].signaling;
        match output {
            Output::Signaling(SignalingOrder::Connect { url }) => {
                signaling.handle(SignalingInput::Start(url), now);
            }
            Output::Signaling(SignalingOrder::Emit(event)) => {
                signaling.handle(SignalingInput::Emit(event), now);
            }
            Output::Signaling(SignalingOrder::Disconnect) => signaling.handle(SignalingInput::Stop, now),
            Output::Link { link, order } => {
                self.clients[client].orders.push((link.clone(), order.clone()));
                self.order(client, link, order);
            }
            Output::Rest(_)
            | Output::Media(_)
            | Output::Persist(_)
            | Output::TrustCertificate { .. }
            | Output::SnapshotChanged => {}
        }
    }

    fn signaling_output(&mut self, client: usize, output: SignalingOutput) {
        match output {
            SignalingOutput::Dial { .. } => {
                let socket = self.lobby.new_socket();
                self.clients[client].socket = Some(socket);
                let delay = self.random.ms(1..100);
                let up = self.server_up;
                self.after(
                    delay,
                    if up { Task::Opened { client, socket } } else { Task::Closed { client, socket } },
                );
            }
            SignalingOutput::Send(text) => {
                if let Some(socket) = self.clients[client].socket {
                    self.in_order(socket, true, Task::ToServer { socket, text });
                }
            }
            SignalingOutput::CloseTransport => {
                if let Some(socket) = self.clients[client].socket.take() {
                    self.in_order(socket, true, Task::Missed { socket });
                }
            }
            SignalingOutput::Event(event) => {
                let now = self.now;
                self.clients[client].session.handle(Input::Signaling(event), now);
            }
        }
    }

    /// A peer task carries its orders out one after the other.
    fn order(&mut self, client: usize, link: LinkId, order: LinkOrder) {
        let duration = self.random.ms(0..40);
        let session = self.random.next();
        let fingerprint = self.clients[client].certificate.unwrap_or(session);
        let keeps_ufrag = self.random.chance(50);
        if let LinkOrder::Open(config) = &order {
            let pc = Pc::new(config.clone(), fingerprint, session, keeps_ufrag, self.now);
            if self.clients[client].pcs.insert(link.clone(), pc).is_some() {
                self.misuse.push(format!("{link:?} opened twice"));
            }
            return;
        }
        let Some(pc) = self.clients[client].pcs.get_mut(&link) else {
            return self.misuse.push(format!("{order:?} for {link:?}, which is not open"));
        };
        pc.busy_until = pc.busy_until.max(self.now) + duration;
        let wait = pc.busy_until - self.now;
        self.after(wait, Task::Order { client, link, order });
    }

    fn execute(&mut self, client: usize, link: &LinkId, order: LinkOrder) {
        let Some(pc) = self.clients[client].pcs.get_mut(link) else { return };
        if matches!(order, LinkOrder::Close) {
            self.clients[client].pcs.remove(link);
            return self.connectivity();
        }
        let effects = pc.execute(order, &mut self.random);
        for effect in effects {
            match effect {
                Effect::Event(event) => self.give(client, Input::Link { link: link.clone(), event }),
                Effect::Later(delay, event) => {
                    self.after(delay, Task::Event { client, link: link.clone(), event });
                }
                Effect::Misuse(what) => self.misuse.push(format!("client {client}, {link:?}: {what}")),
                Effect::Send { channel, text } => self.send(client, link, channel, text),
            }
        }
        self.connectivity();
    }

    fn send(&mut self, client: usize, link: &LinkId, channel: Channel, text: String) {
        let Some((other, theirs)) = self.matching(client, link) else { return };
        let delay = Duration::from_millis(10);
        self.after(delay, Task::Deliver { client: other, link: theirs, channel, text });
    }

    /// The peer connection at the other end, if both agree about each other and the path is open.
    fn matching(&self, client: usize, link: &LinkId) -> Option<(usize, LinkId)> {
        let ours = self.clients[client].pcs.get(link)?;
        for (other, candidate) in self.clients.iter().enumerate() {
            if other == client || candidate.dead || self.cut.contains(&(client.min(other), client.max(other)))
            {
                continue;
            }
            for (id, theirs) in &candidate.pcs {
                if ours.agrees_with(theirs) && theirs.agrees_with(ours) {
                    return Some((other, id.clone()));
                }
            }
        }
        None
    }

    /// Lets the connection states follow what has changed.
    pub fn connectivity(&mut self) {
        for client in 0..self.clients.len() {
            let links: Vec<LinkId> = self.clients[client].pcs.keys().cloned().collect();
            for link in links {
                let up = self.matching(client, &link).is_some();
                let Some(pc) = self.clients[client].pcs.get_mut(&link) else { continue };
                if up == pc.up {
                    continue;
                }
                pc.up = up;
                pc.generation += 1;
                let generation = pc.generation;
                let steps: &[(u64, ConnectionState)] = if up {
                    &[(20, ConnectionState::Connected)]
                } else {
                    &[(2_000, ConnectionState::Disconnected), (15_000, ConnectionState::Failed)]
                };
                for (delay, state) in steps {
                    let task = Task::Settle { client, link: link.clone(), generation, state: *state };
                    self.after(Duration::from_millis(*delay), task);
                }
            }
        }
    }

    fn settle(&mut self, client: usize, link: &LinkId, generation: u64, state: ConnectionState) {
        let Some(pc) =
            self.clients[client].pcs.get_mut(link).filter(|pc| pc.generation == generation && !pc.hung)
        else {
            return;
        };
        let channels = if state == ConnectionState::Connected { pc.open_channels() } else { Vec::new() };
        self.give(client, Input::Link { link: link.clone(), event: LinkEvent::Connection(state) });
        for channel in channels {
            let delay = self.random.ms(1..100);
            self.after(
                delay,
                Task::Event { client, link: link.clone(), event: LinkEvent::ChannelOpen(channel) },
            );
        }
    }
}
