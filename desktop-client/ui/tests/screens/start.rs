use call_core::command::Command;
use call_core::snapshot::RoomsState;
use call_ui::Initial;
use egui::{Key, Modifiers};
use shared::RoomId;
use shared::rest::CreateRoom;

use crate::fabricated;
use crate::stage::Stage;

fn room(id: &str) -> RoomId {
    RoomId::parse(id).unwrap()
}

#[test]
fn a_typed_room_opens_its_preview_after_name_and_server_are_told() {
    let mut stage = Stage::new(fabricated::start());
    stage.type_into("Your name", "Ada");
    stage.type_into("Server", "meet.example.org");
    stage.type_into("Room id or link", "team");
    stage.click("Join…");
    let commands = stage.commands();
    let at = |wanted: &Command| {
        commands.iter().position(|c| c == wanted).unwrap_or_else(|| panic!("{commands:?}"))
    };
    let open = at(&Command::OpenPreview(room("team")));
    assert!(at(&Command::SetDisplayName("Ada".into())) < open);
    assert!(at(&Command::SetServer("meet.example.org".into())) < open);
    assert_eq!(commands.len(), 3, "{commands:?}");
}

#[test]
fn a_pasted_link_brings_its_server_along() {
    let mut stage = Stage::new(fabricated::rooms());
    stage.type_into("Room id or link", "http://10.0.0.2:3000/room.html?id=team");
    stage.press(Modifiers::NONE, Key::Enter);
    let expected = [Command::SetServer("http://10.0.0.2:3000".into()), Command::OpenPreview(room("team"))];
    assert_eq!(stage.commands(), expected);
    assert_eq!(stage.typed("Server"), "http://10.0.0.2:3000");
}

#[test]
fn what_is_no_room_is_said_beside_the_field_and_stays_there() {
    let mut stage = Stage::new(fabricated::rooms());
    stage.type_into("Room id or link", "two words");
    stage.click("Join…");
    assert_eq!(stage.commands(), []);
    assert!(stage.shows_part("letters, digits"));
    assert_eq!(stage.typed("Room id or link"), "two words");
}

#[test]
fn fields_start_as_remembered_or_as_the_command_line_says() {
    let initial = Initial { room: "https://h/room.html?id=team".into(), ..Default::default() };
    let stage = Stage::with(fabricated::rooms(), initial, (1200.0, 800.0));
    assert_eq!(stage.typed("Your name"), "Grace Hopper");
    assert_eq!(stage.typed("Server"), "https://meet.example.org");
    assert_eq!(stage.typed("Room id or link"), "https://h/room.html?id=team");
}

#[test]
fn enter_in_the_server_field_loads_its_rooms_once() {
    let mut stage = Stage::new(fabricated::start());
    stage.type_into("Server", "meet.example.org");
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [Command::SetServer("meet.example.org".into())]);
    stage.press(Modifiers::NONE, Key::Tab);
    assert_eq!(stage.commands(), []);
}

#[test]
fn rooms_are_joined_refreshed_and_deleted_only_after_a_question() {
    let mut stage = Stage::new(fabricated::rooms());
    stage.click("Refresh rooms");
    assert_eq!(stage.commands(), [Command::RefreshRooms]);
    stage.click("Delete Morning stand-up…");
    assert!(stage.shows_part("The 3 people inside are removed"));
    stage.click("Cancel");
    assert_eq!(stage.commands(), []);
    stage.click("Delete Morning stand-up…");
    stage.click("Delete room");
    assert_eq!(stage.commands(), [Command::DeleteRoom(room("stand-up"))]);
    assert!(!stage.shows("Delete room"));
}

#[test]
fn a_full_room_cannot_be_joined_and_a_locked_one_says_so() {
    let stage = Stage::new(fabricated::rooms());
    assert!(!stage.enabled("Design review is full"));
    assert!(stage.shows("Locked"));
    assert!(stage.shows("lobby"), "a room without a name goes by its id");
}

#[test]
fn the_list_says_when_it_is_loading_empty_or_failed() {
    let mut stage = Stage::new(fabricated::rooms());
    stage.say(|s| s.server.rooms = RoomsState::Loading);
    assert!(stage.shows("Loading rooms…"));
    stage.say(|s| s.server.rooms = RoomsState::Loaded(Vec::new()));
    assert!(stage.shows_part("There are no rooms yet"));
    stage.say(|s| s.server.rooms = RoomsState::Failed("The server does not answer.".into()));
    assert!(stage.shows("The server does not answer."));
    stage.click("Try again");
    assert_eq!(stage.commands(), [Command::RefreshRooms]);
}

fn filled_form() -> Stage {
    let mut stage = Stage::new(fabricated::rooms());
    stage.click("New room…");
    stage.type_into("Name", "Team meeting");
    stage.type_into("Id (optional)", "team");
    stage.type_into("Most people (optional)", "4");
    stage.type_into("Password (optional)", "secret");
    stage.click("Create room");
    stage
}

#[test]
fn the_form_asks_for_the_room_that_was_typed() {
    let mut stage = filled_form();
    let wanted = CreateRoom {
        name: Some("Team meeting".into()),
        id: Some(room("team")),
        capacity: Some(4),
        password: Some("secret".into()),
    };
    assert_eq!(stage.commands(), [Command::CreateRoom(wanted)]);
}

#[test]
fn a_refused_room_keeps_what_was_typed_and_a_created_one_closes_the_form() {
    let mut stage = filled_form();
    stage.say(|s| s.server.busy = true);
    assert!(!stage.enabled("Create room"));
    stage.say(|s| {
        s.server.busy = false;
        s.server.form_error = Some("A room with this id exists already.".into());
    });
    assert!(stage.shows("A room with this id exists already."));
    assert_eq!(stage.typed("Name"), "Team meeting");
    assert_eq!(stage.typed("Id (optional)"), "team");
    stage.commands();
    stage.click("Create room");
    stage.say(|s| {
        s.server.form_error = None;
        let RoomsState::Loaded(rooms) = &mut s.server.rooms else { panic!() };
        rooms.push(fabricated::room("team", "Team meeting", 0, 4, true, &[]));
    });
    assert!(!stage.shows("Create room"));
    stage.click("New room…");
    assert_eq!(stage.typed("Name"), "");
}

#[test]
fn a_form_that_makes_no_sense_cannot_be_sent() {
    let mut stage = Stage::new(fabricated::rooms());
    stage.click("New room…");
    stage.type_into("Id (optional)", "not/ok");
    assert!(!stage.enabled("Create room"));
    assert!(stage.shows_part("Only letters, digits"));
    stage.type_into("Most people (optional)", "0");
    assert!(stage.shows_part("A number from 1 to"));
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), []);
}
