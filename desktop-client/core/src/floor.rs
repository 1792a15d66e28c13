//! Whom the window shows large when it shows one person so.

use shared::PeerId;

use crate::snapshot::{ParticipantView, RoomView};

/// The one who is pinned; otherwise who has the floor; otherwise the one who was `last` shown large; otherwise the first whose picture comes, or the first.
///
/// Whoever is silenced for this person, or says that their microphone is off, takes nobody's place. `None` when nobody else is there.
pub fn watched<'a>(
    room: &'a RoomView,
    floor: Option<&PeerId>,
    last: Option<&PeerId>,
) -> Option<&'a ParticipantView> {
    let present = |id: Option<&PeerId>| room.participants.iter().find(|who| Some(&who.peer_id) == id);
    let heard = |who: &&ParticipantView| !who.hearing.silenced && who.microphone != Some(false);
    present(room.pinned.as_ref())
        .or_else(|| present(floor).filter(heard))
        .or_else(|| present(last))
        .or_else(|| room.participants.iter().find(|who| who.video_flowing))
        .or_else(|| room.participants.first())
}

#[cfg(test)]
mod tests {
    use shared::RoomId;

    use super::*;
    use crate::link::ConnectionState;
    use crate::snapshot::RoomConnection;
    use crate::volume::Hearing;

    fn id(text: &str) -> PeerId {
        PeerId::parse(text).unwrap()
    }

    fn room(names: &[&str]) -> RoomView {
        let participant = |name: &&str| ParticipantView {
            peer_id: id(name),
            display_name: (*name).to_owned(),
            connection: ConnectionState::Connected,
            microphone: Some(true),
            camera: Some(true),
            video_flowing: false,
            sends_sound_only: false,
            gets_sound_only: false,
            rtt_ms: None,
            hearing: Hearing::default(),
        };
        RoomView {
            id: RoomId::parse("room").unwrap(),
            name: String::new(),
            link: String::new(),
            connection: RoomConnection::Joined,
            own_id: None,
            participants: names.iter().map(participant).collect(),
            pinned: None,
            chat: Vec::new(),
        }
    }

    fn watched_in(room: &RoomView, floor: Option<&str>, last: Option<&str>) -> Option<String> {
        let (floor, last) = (floor.map(id), last.map(id));
        watched(room, floor.as_ref(), last.as_ref()).map(|who| who.display_name.clone())
    }

    #[test]
    fn who_has_the_floor_is_watched_and_the_last_one_while_nobody_speaks() {
        let mut room = room(&["ada", "bob", "cleo"]);
        assert_eq!(watched_in(&room, None, None).as_deref(), Some("ada"));
        room.participants[2].video_flowing = true;
        assert_eq!(watched_in(&room, None, None).as_deref(), Some("cleo"));
        assert_eq!(watched_in(&room, Some("bob"), Some("ada")).as_deref(), Some("bob"));
        assert_eq!(watched_in(&room, None, Some("bob")).as_deref(), Some("bob"));
        assert_eq!(watched_in(&room, Some("gone"), Some("bob")).as_deref(), Some("bob"));
        assert_eq!(watched_in(&room, Some("gone"), Some("gone-too")).as_deref(), Some("cleo"));
        room.participants.clear();
        assert_eq!(watched_in(&room, Some("ada"), Some("ada")), None);
    }

    #[test]
    fn who_is_pinned_stays_whoever_speaks() {
        let mut room = room(&["ada", "bob"]);
        room.pinned = Some(id("bob"));
        assert_eq!(watched_in(&room, Some("ada"), Some("ada")).as_deref(), Some("bob"));
    }

    #[test]
    fn who_is_not_heard_takes_nobodys_place() {
        let mut room = room(&["ada", "bob", "cleo"]);
        room.participants[1].hearing.silenced = true;
        room.participants[2].microphone = Some(false);
        assert_eq!(watched_in(&room, Some("bob"), Some("ada")).as_deref(), Some("ada"));
        assert_eq!(watched_in(&room, Some("cleo"), Some("ada")).as_deref(), Some("ada"));
    }
}
