//! The lobby against a model so naive that it is plainly right: lists, walked through from end to end.

#![cfg(test)]

mod support;

use proptest::prelude::*;
use shared::RoomId;
use signal_core::{Input, LobbyConfig};
use support::{World, id, name};

const PEERS: [&str; 6] = ["ada", "bo", "cy", "di", "ed", "flo"];
const ROOMS: [&str; 4] = ["red", "green", "blue", "grey"];
const PASSWORDS: [&str; 2] = ["open", "sesame"];
const MAX_ROOMS: usize = 3;
const MAX_PERMANENT: usize = 2;
const DEFAULT_CAPACITY: u32 = 3;

#[derive(Debug, Clone)]
enum Action {
    Connect(usize),
    Disconnect(usize),
    Join { peer: usize, room: usize, password: Option<usize>, ack: Option<u64> },
    Leave { peer: usize, ack: Option<u64> },
    Signal { from: usize, to: usize, ack: Option<u64> },
    Create { room: usize, capacity: Option<u32>, password: Option<usize> },
    Delete(usize),
}

fn action() -> impl Strategy<Value = Action> {
    let (peer, room) = (0..PEERS.len(), 0..ROOMS.len());
    let password = proptest::option::weighted(0.4, 0..PASSWORDS.len());
    let ack = proptest::option::of(0..1000_u64);
    prop_oneof![
        2 => peer.clone().prop_map(Action::Connect),
        1 => peer.clone().prop_map(Action::Disconnect),
        8 => (peer.clone(), room.clone(), password.clone(), ack.clone())
            .prop_map(|(peer, room, password, ack)| Action::Join { peer, room, password, ack }),
        2 => (peer.clone(), ack.clone()).prop_map(|(peer, ack)| Action::Leave { peer, ack }),
        4 => (peer.clone(), peer, ack).prop_map(|(from, to, ack)| Action::Signal { from, to, ack }),
        2 => (room.clone(), proptest::option::of(1..4_u32), password)
            .prop_map(|(room, capacity, password)| Action::Create { room, capacity, password }),
        1 => room.prop_map(Action::Delete),
    ]
}

#[derive(Default)]
struct Model {
    ephemeral: bool,
    connected: Vec<usize>,
    rooms: Vec<ModelRoom>,
}

struct ModelRoom {
    room: usize,
    capacity: u32,
    password: Option<usize>,
    permanent: bool,
    members: Vec<usize>,
}

impl Model {
    fn room_of(&mut self, peer: usize) -> Option<&mut ModelRoom> {
        self.rooms.iter_mut().find(|room| room.members.contains(&peer))
    }

    fn leave(&mut self, peer: usize, reason: &str) -> Vec<String> {
        let Some(room) = self.room_of(peer) else { return vec![] };
        room.members.retain(|member| *member != peer);
        let lines = room.members.iter().map(|member| {
            format!(r#"{} < peer-left {{"peerId":"{}","reason":"{reason}"}}"#, PEERS[*member], PEERS[peer])
        });
        let lines = lines.collect();
        self.rooms.retain(|room| room.permanent || !room.members.is_empty());
        lines
    }

    fn may_join(&self, peer: usize, room: usize, password: Option<usize>) -> Result<(), &'static str> {
        let Some(target) = self.rooms.iter().find(|candidate| candidate.room == room) else {
            let vanishes =
                self.rooms.iter().any(|candidate| !candidate.permanent && candidate.members == [peer]);
            return match (self.ephemeral, self.rooms.len() - usize::from(vanishes) >= MAX_ROOMS) {
                (false, _) => Err("room-not-found"),
                (true, true) => Err("too-many-rooms"),
                (true, false) => Ok(()),
            };
        };
        match (target.password, password) {
            (Some(_), None) => Err("password-required"),
            (Some(right), Some(given)) if right != given => Err("wrong-password"),
            _ if target.members.len() == target.capacity as usize => Err("room-full"),
            _ => Ok(()),
        }
    }

    fn join(&mut self, peer: usize, room: usize, password: Option<usize>, ack: Option<u64>) -> Vec<String> {
        let me = PEERS[peer];
        let already = self.room_of(peer).is_some_and(|current| current.room == room);
        let mut lines = Vec::new();
        if !already {
            if let Err(code) = self.may_join(peer, room, password) {
                return vec![match ack {
                    Some(ack) => format!("{me} # {ack} refused {code}"),
                    None => format!("{me} < join-error {code}"),
                }];
            }
            lines = self.leave(peer, "left");
            if !self.rooms.iter().any(|candidate| candidate.room == room) {
                let capacity = DEFAULT_CAPACITY;
                self.rooms.push(ModelRoom {
                    room,
                    capacity,
                    password: None,
                    permanent: false,
                    members: vec![],
                });
            }
        }
        let target = self.rooms.iter_mut().find(|candidate| candidate.room == room).unwrap();
        let others: Vec<&str> = target.members.iter().filter(|m| **m != peer).map(|m| PEERS[*m]).collect();
        let ids: Vec<String> = others.iter().map(|other| format!("{other:?}")).collect();
        let participants: Vec<String> = others.iter().map(|other| participant(other)).collect();
        let (ids, participants) = (ids.join(","), participants.join(","));
        lines.push(format!(r#"{me} < peers {{"peers":[{ids}],"participants":[{participants}]}}"#));
        if !already {
            target.members.push(peer);
            lines.extend(others.iter().map(|other| format!("{other} < peer-joined {}", participant(me))));
        }
        if let Some(ack) = ack {
            lines.push(format!(
                r#"{me} # {ack} {{"ok":true,"peerId":"{me}","peers":[{ids}],"participants":[{participants}],"iceServers":[]}}"#
            ));
        }
        lines
    }

    fn signal(&mut self, from: usize, to: usize, data: &str, ack: Option<u64>) -> Vec<String> {
        let (me, other) = (PEERS[from], PEERS[to]);
        let code = match self.room_of(from) {
            None => "not-in-room",
            Some(room) if !room.members.contains(&to) => "peer-not-found",
            Some(_) => {
                let mut lines = vec![format!(r#"{other} < signal {{"from":"{me}","data":{data}}}"#)];
                lines.extend(ack.map(|ack| format!("{me} # {ack} done")));
                return lines;
            }
        };
        vec![match ack {
            Some(ack) => format!("{me} # {ack} refused {code}"),
            None => format!("{me} < signal-error {code} {other}"),
        }]
    }

    fn create(&mut self, room: usize, capacity: Option<u32>, password: Option<usize>) -> Result<(), &str> {
        if self.rooms.iter().any(|candidate| candidate.room == room) {
            return Err("a room with this id exists already");
        }
        let permanent = self.rooms.iter().filter(|room| room.permanent).count();
        if self.rooms.len() >= MAX_ROOMS || permanent >= MAX_PERMANENT {
            return Err("the server has no space for another room");
        }
        let capacity = capacity.unwrap_or(DEFAULT_CAPACITY);
        self.rooms.push(ModelRoom { room, capacity, password, permanent: true, members: vec![] });
        Ok(())
    }

    fn delete(&mut self, room: usize) -> Option<Vec<String>> {
        let at = self.rooms.iter().position(|candidate| candidate.room == room)?;
        let gone = self.rooms.remove(at);
        let event = format!(r#"room-closed {{"roomId":"{}","reason":"deleted"}}"#, ROOMS[room]);
        Some(gone.members.iter().map(|member| format!("{} < {event}", PEERS[*member])).collect())
    }
}

fn participant(peer: &str) -> String {
    format!(r#"{{"peerId":"{peer}","displayName":"{}","caps":[]}}"#, name(peer))
}

/// The sentences of errors are for people; the model knows only the codes.
fn without_messages(line: &str) -> String {
    let Some((head, json)) = line.split_once("-error ") else { return line.to_owned() };
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert!(value["message"].as_str().is_some_and(|text| text.ends_with('.')), "{line}");
    let to = value["to"].as_str().map(|to| format!(" {to}")).unwrap_or_default();
    format!("{head}-error {}{to}", value["code"].as_str().unwrap())
}

fn step(world: &mut World, model: &mut Model, number: usize, action: &Action) {
    let password = |index: &Option<usize>| index.map(|index| PASSWORDS[index]);
    let (got, expected) = match action {
        Action::Connect(peer) => {
            if !model.connected.contains(peer) {
                model.connected.push(*peer);
            }
            (world.handle(Input::Connected { peer: id(PEERS[*peer]) }), vec![])
        }
        Action::Disconnect(peer) => {
            model.connected.retain(|connected| connected != peer);
            (world.disconnect(PEERS[*peer]), model.leave(*peer, "disconnected"))
        }
        Action::Join { peer, room, password: given, ack } => {
            let got = world.join(PEERS[*peer], ROOMS[*room], password(given), *ack);
            let known = model.connected.contains(peer);
            (got, if known { model.join(*peer, *room, *given, *ack) } else { vec![] })
        }
        Action::Leave { peer, ack } => {
            let known = model.connected.contains(peer);
            let mut expected = model.leave(*peer, "left");
            expected.extend(ack.filter(|_| known).map(|ack| format!("{} # {ack} done", PEERS[*peer])));
            (world.leave(PEERS[*peer], *ack), expected)
        }
        Action::Signal { from, to, ack } => {
            let data = format!(r#"{{ "number":{number} }}"#);
            let got = world.signal(PEERS[*from], PEERS[*to], &data, *ack);
            let known = model.connected.contains(from);
            (got, if known { model.signal(*from, *to, &data, *ack) } else { vec![] })
        }
        Action::Create { room, capacity, password: given } => {
            let got = world.create(Some(ROOMS[*room]), *capacity, password(given)).map(|_| ());
            assert_eq!(got, model.create(*room, *capacity, *given).map_err(str::to_owned));
            (world.outputs(), vec![])
        }
        Action::Delete(room) => {
            let (got, expected) = (world.delete(ROOMS[*room]), model.delete(*room));
            assert_eq!(got.is_some(), expected.is_some());
            (got.unwrap_or_default(), expected.unwrap_or_default())
        }
    };
    let got: Vec<String> = got.iter().map(|line| without_messages(line)).collect();
    assert_eq!(got, expected, "{action:?}");
}

fn compare_rooms(world: &World, model: &Model) {
    let listed = world.lobby.rooms();
    assert_eq!(listed.len(), model.rooms.len());
    for (room, expected) in listed.iter().zip(&model.rooms) {
        assert_eq!(room.id.as_str(), ROOMS[expected.room]);
        assert_eq!(room.capacity, expected.capacity);
        assert_eq!(room.locked, expected.password.is_some());
        assert_eq!(room.participants as usize, expected.members.len());
        assert!(room.participants <= room.capacity);
        let peers: Vec<&str> = room.peers.iter().map(|peer| peer.peer_id.as_str()).collect();
        let members: Vec<&str> = expected.members.iter().map(|member| PEERS[*member]).collect();
        assert_eq!(peers, if room.locked { vec![] } else { members });
    }
    for room in ROOMS {
        let one = world.lobby.room(&RoomId::parse(room).unwrap());
        assert_eq!(one.as_ref(), listed.iter().find(|listed| listed.id.as_str() == room));
    }
    assert_eq!(world.lobby.peer_count(), model.connected.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_interleaving_has_the_effects_that_the_model_has(
        ephemeral in prop::bool::weighted(0.8),
        actions in proptest::collection::vec(action(), 1..120),
    ) {
        let mut world = World::new(LobbyConfig {
            ephemeral_rooms: ephemeral,
            default_capacity: DEFAULT_CAPACITY,
            max_rooms: MAX_ROOMS,
            max_permanent_rooms: MAX_PERMANENT,
            limits: signal_core::RateLimits {
                // Patience has its own tests; here nobody runs out of it.
                wrong_passwords: signal_core::Rate::new(1_000, 1),
                ..signal_core::RateLimits::default()
            },
            ..LobbyConfig::default()
        });
        let mut model = Model { ephemeral, ..Model::default() };
        for (number, action) in actions.iter().enumerate() {
            step(&mut world, &mut model, number, action);
            compare_rooms(&world, &model);
        }
    }
}
