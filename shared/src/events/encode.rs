//! Writing events: each is a name and at most one argument.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use serde_json::value::RawValue;

use super::{ClientEvent, JoinAnswer, ServerEvent};
use crate::PeerId;

impl ClientEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::JoinRoom(_) => "join-room",
            Self::Signal { .. } => "signal",
            Self::LeaveRoom => "leave-room",
        }
    }

    /// The event's argument; `leave-room` has none.
    pub fn argument(&self) -> Option<Box<RawValue>> {
        match self {
            // Strings and numbers with string keys: serialising them cannot fail.
            Self::JoinRoom(join) => serde_json::value::to_raw_value(join).ok(),
            Self::Signal { to, data } => serde_json::value::to_raw_value(&OutgoingSignal { to, data }).ok(),
            Self::LeaveRoom => None,
        }
    }
}

#[derive(Serialize)]
struct OutgoingSignal<'a> {
    to: &'a PeerId,
    data: &'a RawValue,
}

impl ServerEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Peers { .. } => "peers",
            Self::PeerJoined(_) => "peer-joined",
            Self::PeerLeft { .. } => "peer-left",
            Self::Signal { .. } => "signal",
            Self::JoinError(_) => "join-error",
            Self::SignalError { .. } => "signal-error",
            Self::RoomClosed { .. } => "room-closed",
        }
    }
}

/// Serialises the event's one argument; [`ServerEvent::name`] is the other half.
impl Serialize for ServerEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PeerJoined(participant) => participant.serialize(serializer),
            Self::JoinError(error) => error.serialize(serializer),
            Self::Peers { peers, participants } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("peers", peers)?;
                map.serialize_entry("participants", participants)?;
                map.end()
            }
            Self::PeerLeft { peer_id, reason } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("peerId", peer_id)?;
                if let Some(reason) = reason {
                    map.serialize_entry("reason", reason)?;
                }
                map.end()
            }
            Self::Signal { from, data } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("from", from)?;
                map.serialize_entry("data", data)?;
                map.end()
            }
            Self::SignalError { to, error } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("to", to)?;
                map.serialize_entry("code", &error.code)?;
                map.serialize_entry("message", &error.message)?;
                map.end()
            }
            Self::RoomClosed { room_id, reason } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("roomId", room_id)?;
                map.serialize_entry("reason", reason)?;
                map.end()
            }
        }
    }
}

impl Serialize for JoinAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Joined(joined) => {
                map.serialize_entry("ok", &true)?;
                map.serialize_entry("peerId", &joined.peer_id)?;
                map.serialize_entry("peers", &joined.peers)?;
                map.serialize_entry("participants", &joined.participants)?;
                map.serialize_entry("iceServers", &joined.ice_servers)?;
            }
            Self::Refused(error) => {
                map.serialize_entry("ok", &false)?;
                map.serialize_entry("error", error)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ErrorBody, JoinRoom, Joined, Participant};
    use super::*;
    use crate::{DisplayName, RoomId};

    #[test]
    fn client_events_survive_the_way_there_and_back() {
        let join = ClientEvent::JoinRoom(JoinRoom {
            room_id: RoomId::parse("daily").unwrap(),
            display_name: DisplayName::sanitize("Zoë \"Z\""),
            password: Some("ä".into()),
            caps: vec!["control".into()],
        });
        let data = RawValue::from_string(r#"{"x": [1, 2]}"#.into()).unwrap();
        let signal = ClientEvent::Signal { to: PeerId::parse("abc").unwrap(), data };
        for event in [join, signal, ClientEvent::LeaveRoom] {
            let argument = event.argument();
            let back = ClientEvent::parse(event.name(), argument.as_deref()).unwrap();
            assert_eq!(format!("{back:?}"), format!("{event:?}"));
        }
    }

    fn wire(event: &ServerEvent) -> String {
        format!("{} {}", event.name(), serde_json::to_string(event).unwrap())
    }

    #[test]
    fn events_are_written_as_the_contract_says() {
        let ada = PeerId::parse("ada").unwrap();
        let error = ErrorBody { code: "c".into(), message: "m".into() };
        let participant =
            Participant { peer_id: ada.clone(), display_name: DisplayName::sanitize("Ada"), caps: vec![] };
        let data = RawValue::from_string(r#"{ "x" : 1 }"#.into()).unwrap();
        let peers = ServerEvent::Peers { peers: vec![ada.clone()], participants: vec![participant.clone()] };
        assert_eq!(
            wire(&peers),
            r#"peers {"peers":["ada"],"participants":[{"peerId":"ada","displayName":"Ada","caps":[]}]}"#
        );
        let joined = ServerEvent::PeerJoined(participant);
        assert_eq!(wire(&joined), r#"peer-joined {"peerId":"ada","displayName":"Ada","caps":[]}"#);
        let left = ServerEvent::PeerLeft { peer_id: ada.clone(), reason: Some("left".into()) };
        assert_eq!(wire(&left), r#"peer-left {"peerId":"ada","reason":"left"}"#);
        let signal = ServerEvent::Signal { from: ada.clone(), data };
        assert_eq!(wire(&signal), r#"signal {"from":"ada","data":{ "x" : 1 }}"#);
        assert_eq!(wire(&ServerEvent::JoinError(error.clone())), r#"join-error {"code":"c","message":"m"}"#);
        let signal_error = ServerEvent::SignalError { to: "bo".into(), error };
        assert_eq!(wire(&signal_error), r#"signal-error {"to":"bo","code":"c","message":"m"}"#);
        let closed =
            ServerEvent::RoomClosed { room_id: RoomId::parse("r").unwrap(), reason: "deleted".into() };
        assert_eq!(wire(&closed), r#"room-closed {"roomId":"r","reason":"deleted"}"#);
    }

    #[test]
    fn join_answers_say_whether_they_are_good() {
        let joined = Joined {
            peer_id: PeerId::parse("ada").unwrap(),
            peers: vec![],
            participants: vec![],
            ice_servers: vec![],
        };
        assert_eq!(
            serde_json::to_string(&JoinAnswer::Joined(joined)).unwrap(),
            r#"{"ok":true,"peerId":"ada","peers":[],"participants":[],"iceServers":[]}"#
        );
        let refused = JoinAnswer::Refused(ErrorBody { code: "room-full".into(), message: "full".into() });
        assert_eq!(
            serde_json::to_string(&refused).unwrap(),
            r#"{"ok":false,"error":{"code":"room-full","message":"full"}}"#
        );
    }
}
