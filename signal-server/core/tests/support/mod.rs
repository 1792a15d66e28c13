//! A lobby in virtual time, with its orders written as lines that are easy to compare.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::time::{Duration, Instant, SystemTime};

use serde_json::value::RawValue;
use shared::events::{ClientEvent, JoinAnswer, JoinRoom};
use shared::rest::CreateRoom;
use shared::{DisplayName, PeerId, RoomId};
use signal_core::{AckId, Answer, Input, Lobby, LobbyConfig, Now, Output};

pub struct World {
    pub lobby: Lobby,
    pub now: Now,
    made: u8,
}

impl World {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant has no other constructor; time is virtual from here on"
    )]
    pub fn new(config: LobbyConfig) -> Self {
        let now = Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        Self { lobby: Lobby::new(config), now, made: 0 }
    }

    pub fn with_peers(config: LobbyConfig, peers: &[&str]) -> Self {
        let mut world = Self::new(config);
        for peer in peers {
            assert_eq!(world.handle(Input::Connected { peer: id(peer) }), Vec::<String>::new());
        }
        world
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = Now { instant: self.now.instant + by, wall: self.now.wall + by };
    }

    pub fn handle(&mut self, input: Input) -> Vec<String> {
        self.lobby.handle(input, self.now);
        self.outputs()
    }

    pub fn outputs(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(output) = self.lobby.poll_output() {
            lines.extend(describe(output));
        }
        lines
    }

    pub fn join(
        &mut self,
        peer: &str,
        room: &str,
        password: Option<&str>,
        ack: Option<AckId>,
    ) -> Vec<String> {
        let event = ClientEvent::JoinRoom(JoinRoom {
            room_id: RoomId::parse(room).unwrap(),
            display_name: DisplayName::sanitize(&name(peer)),
            password: password.map(str::to_owned),
            caps: vec![],
        });
        self.handle(Input::Event { peer: id(peer), event, ack })
    }

    pub fn leave(&mut self, peer: &str, ack: Option<AckId>) -> Vec<String> {
        self.handle(Input::Event { peer: id(peer), event: ClientEvent::LeaveRoom, ack })
    }

    pub fn signal(&mut self, peer: &str, to: &str, data: &str, ack: Option<AckId>) -> Vec<String> {
        let data = RawValue::from_string(data.to_owned()).unwrap();
        self.handle(Input::Event { peer: id(peer), event: ClientEvent::Signal { to: id(to), data }, ack })
    }

    pub fn disconnect(&mut self, peer: &str) -> Vec<String> {
        self.handle(Input::Disconnected { peer: id(peer) })
    }

    /// The made room's id, or why it was not made.
    pub fn create(
        &mut self,
        room: Option<&str>,
        capacity: Option<u32>,
        password: Option<&str>,
    ) -> Result<String, String> {
        self.made = self.made.wrapping_add(1);
        let request = CreateRoom {
            name: None,
            id: room.map(|room| RoomId::parse(room).unwrap()),
            capacity,
            password: password.map(str::to_owned),
        };
        let made = self.lobby.create_room(request, [self.made; 32], self.now);
        made.map(|room| room.id.to_string()).map_err(|error| error.to_string())
    }

    pub fn delete(&mut self, room: &str) -> Option<Vec<String>> {
        self.lobby.delete_room(&RoomId::parse(room).unwrap()).ok()?;
        Some(self.outputs())
    }
}

pub fn id(peer: &str) -> PeerId {
    PeerId::parse(peer).unwrap()
}

pub fn name(peer: &str) -> String {
    format!("Name of {peer}")
}

/// One line per addressee: `ada < event {…}` for events, `ada # 7 {…}` for answers.
fn describe(output: Output) -> Vec<String> {
    match output {
        Output::Emit { to, event } => {
            vec![format!("{to} < {} {}", event.name(), serde_json::to_string(&event).unwrap())]
        }
        Output::Broadcast { to, event } => {
            assert!(!to.is_empty(), "a broadcast to nobody");
            let json = serde_json::to_string(&event).unwrap();
            to.iter().map(|to| format!("{to} < {} {json}", event.name())).collect()
        }
        Output::Relay { from, to, data, ack } => {
            let mut lines = vec![format!("{to} < signal {{\"from\":\"{from}\",\"data\":{data}}}")];
            lines.extend(ack.map(|ack| format!("{from} # {ack} done")));
            lines
        }
        Output::Answer { to, ack, answer } => {
            let text = match answer {
                Answer::Joined(joined) => serde_json::to_string(&JoinAnswer::Joined(joined)).unwrap(),
                Answer::Done => "done".to_owned(),
                Answer::Refused(error) => format!("refused {}", error.code),
            };
            vec![format!("{to} # {ack} {text}")]
        }
        Output::UnknownEvent { to, event, error } => vec![format!("{to} < error {event} {}", error.code)],
        Output::Disconnect { peer } => vec![format!("{peer} disconnect")],
    }
}
