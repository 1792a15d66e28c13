//! A model of the server: rooms, joins and the relay, speaking in real frames.

use std::collections::BTreeMap;

use serde_json::value::to_raw_value;
use shared::PeerId;
use shared::events::{ClientEvent, ErrorBody, JoinAnswer, Joined, Participant, ServerEvent};
use shared::packet::engine;
use shared::packet::socket::{self, Body, ROOT_NAMESPACE};

#[derive(Default)]
pub struct Lobby {
    last_socket: u64,
    /// Sockets that are gone: what is still on its way from them is lost. All up to the first number, and these others.
    gone: (u64, std::collections::BTreeSet<u64>),
    peers: BTreeMap<u64, Peer>,
    outbox: Vec<(u64, String)>,
    /// Refuses joins with this code while it is set.
    pub refuse: Option<String>,
    /// Answers no join while it is set.
    pub mute: bool,
    pub joins: Vec<shared::events::JoinRoom>,
}

struct Peer {
    id: PeerId,
    inside: Option<Participant>,
}

impl Lobby {
    pub fn restarted(old: &Self) -> Self {
        let gone = (old.last_socket, std::collections::BTreeSet::new());
        Self { last_socket: old.last_socket, gone, ..Self::default() }
    }

    pub fn new_socket(&mut self) -> u64 {
        self.last_socket += 1;
        self.last_socket
    }

    pub fn take_outbox(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.outbox)
    }

    pub fn receive(&mut self, socket: u64, text: &str) {
        if socket <= self.gone.0 || self.gone.1.contains(&socket) {
            return;
        }
        let engine::Packet::Message(message) = engine::Packet::decode(text).expect("a packet") else {
            return;
        };
        let packet = socket::Decoder::default().text(message).expect("a packet").expect("no attachments");
        match packet.body {
            Body::Connect(_) => {
                // Ids are not in the order of joining, so that either side may be the smaller one.
                let id =
                    PeerId::parse(&format!("{:04x}-{socket}", socket.wrapping_mul(40_503) % 65_521)).unwrap();
                self.outbox.push((socket, format!(r#"40{{"sid":"{id}"}}"#)));
                self.peers.insert(socket, Peer { id, inside: None });
            }
            Body::Disconnect => self.disconnect(socket),
            Body::Event { name, args, ack } => {
                // A server that has been restarted knows nobody.
                if self.peers.contains_key(&socket) {
                    let event = ClientEvent::parse(&name, args.get(0)).expect("an event of the contract");
                    self.event(socket, event, ack.map(|ack| ack.0));
                }
            }
            Body::Ack { .. } | Body::ConnectError(_) => panic!("a client sends no {text}"),
        }
    }

    pub fn disconnect(&mut self, socket: u64) {
        self.leave(socket);
        self.peers.remove(&socket);
        self.gone.1.insert(socket);
    }

    /// What the server would relay from a client that is none of ours.
    pub fn relay(&mut self, from: &str, to: &PeerId, data: &str) {
        let data = serde_json::value::RawValue::from_string(data.to_owned()).unwrap();
        let event = ServerEvent::Signal { from: PeerId::parse(from).unwrap(), data };
        if let Some(socket) = self.socket_of(to) {
            self.emit(socket, &event);
        }
    }

    /// A client that is none of ours comes or goes.
    pub fn announce(&mut self, event: &ServerEvent) {
        for socket in self.inside() {
            self.emit(socket, event);
        }
    }

    fn event(&mut self, socket: u64, event: ClientEvent, ack: Option<u64>) {
        match event {
            ClientEvent::JoinRoom(join) => self.join(socket, join, ack),
            ClientEvent::LeaveRoom => self.leave(socket),
            ClientEvent::Signal { to, data } => {
                let from = self.peers[&socket].id.clone();
                match self.socket_of(&to).filter(|other| self.peers[other].inside.is_some()) {
                    Some(other) => self.emit(other, &ServerEvent::Signal { from, data }),
                    None => {
                        let error = ErrorBody { code: "peer-not-found".into(), message: "Gone.".into() };
                        self.emit(socket, &ServerEvent::SignalError { to: to.to_string(), error });
                    }
                }
            }
        }
    }

    fn join(&mut self, socket: u64, join: shared::events::JoinRoom, ack: Option<u64>) {
        self.joins.push(join.clone());
        if self.mute {
            return;
        }
        if let Some(code) = &self.refuse {
            let error = ErrorBody { code: code.clone(), message: "No.".into() };
            return self.acknowledge(socket, ack, &JoinAnswer::Refused(error));
        }
        let id = self.peers[&socket].id.clone();
        let us = Participant { peer_id: id.clone(), display_name: join.display_name, caps: join.caps };
        let others: Vec<Participant> = self
            .peers
            .iter()
            .filter(|(other, _)| **other != socket)
            .filter_map(|(_, p)| p.inside.clone())
            .collect();
        let peers: Vec<PeerId> = others.iter().map(|other| other.peer_id.clone()).collect();
        let again = self.peers.get_mut(&socket).unwrap().inside.replace(us.clone()).is_some();
        self.emit(socket, &ServerEvent::Peers { peers: peers.clone(), participants: others.clone() });
        let joined = Joined { peer_id: id, peers, participants: others, ice_servers: vec![] };
        self.acknowledge(socket, ack, &JoinAnswer::Joined(joined));
        for other in self.inside().into_iter().filter(|other| *other != socket && !again) {
            self.emit(other, &ServerEvent::PeerJoined(us.clone()));
        }
    }

    fn leave(&mut self, socket: u64) {
        let Some(left) = self.peers.get_mut(&socket).and_then(|peer| peer.inside.take()) else { return };
        self.announce(&ServerEvent::PeerLeft { peer_id: left.peer_id, reason: None });
    }

    fn inside(&self) -> Vec<u64> {
        self.peers.iter().filter(|(_, peer)| peer.inside.is_some()).map(|(socket, _)| *socket).collect()
    }

    fn socket_of(&self, id: &PeerId) -> Option<u64> {
        self.peers.iter().find(|(_, peer)| peer.id == *id).map(|(socket, _)| *socket)
    }

    fn emit(&mut self, socket: u64, event: &ServerEvent) {
        let argument = to_raw_value(event).unwrap();
        let mut text = String::from("4");
        socket::encode::event(&mut text, ROOT_NAMESPACE, None, event.name(), [argument.get()], 0);
        self.outbox.push((socket, text));
    }

    fn acknowledge(&mut self, socket: u64, ack: Option<u64>, answer: &JoinAnswer) {
        let argument = to_raw_value(answer).unwrap();
        let mut text = String::from("4");
        let id = socket::AckId(ack.expect("an ack is asked for"));
        socket::encode::ack(&mut text, ROOT_NAMESPACE, id, [argument.get()], 0);
        self.outbox.push((socket, text));
    }
}
