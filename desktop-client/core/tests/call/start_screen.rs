//! Before a call: the server, its rooms, the preview, devices, and certificates.

use call_core::command::{Command, DeviceKind};
use call_core::session::{
    Input, MediaFact, MediaOrder, Output, RestAnswer, RestCall, RestEvent, RestFailure, RestOrder, Settings,
    SignalingOrder, UntrustedCertificate,
};
use call_core::snapshot::{DeviceInfo, DeviceState, RoomConnection, RoomsState, Screen, VoiceProcessing};
use shared::events::ErrorBody;
use shared::rest::{CreateRoom, Room};

use crate::sim::{SERVER, World, room};

fn requests(world: &mut World) -> Vec<RestOrder> {
    let outputs = std::mem::take(&mut world.clients[0].outputs);
    let request = |output| if let Output::Rest(order) = output { Some(order) } else { None };
    outputs.into_iter().filter_map(request).collect()
}

fn answer(world: &mut World, request: u64, result: Result<RestAnswer, RestFailure>) {
    world.give(0, Input::Rest(RestEvent { request, result }));
}

fn listed(name: &str) -> Room {
    let json = format!(r#"{{"id":"daily","name":"{name}","participants":1,"capacity":8}}"#);
    serde_json::from_str(&json).unwrap()
}

fn start() -> World {
    let mut world = World::new(1);
    world.add("Ada");
    world
}

#[test]
fn the_remembered_servers_rooms_are_loaded_and_named() {
    let mut world = start();
    let [RestOrder { request, server, call: RestCall::List }] = &requests(&mut world)[..] else {
        panic!("a list")
    };
    assert_eq!(server, SERVER);
    assert_eq!(world.snapshot(0).server.rooms, RoomsState::Loading);
    answer(&mut world, *request, Ok(RestAnswer::Rooms(vec![listed("Daily\\n\\u202Estand-up")])));
    let RoomsState::Loaded(rooms) = world.snapshot(0).server.rooms else { panic!("rooms") };
    assert_eq!(rooms[0].name, "Daily stand-up");
    world.command(0, Command::OpenPreview(room()));
    let view = world.snapshot(0).room.unwrap();
    assert_eq!((view.name.as_str(), view.connection), ("Daily stand-up", RoomConnection::Idle));
    assert_eq!(view.link, "http://localhost:3000/room.html?id=daily");
}

#[test]
fn an_answer_about_another_server_comes_too_late() {
    let mut world = start();
    let old = requests(&mut world)[0].request;
    world.command(0, Command::SetServer("meet.example.org".into()));
    answer(&mut world, old, Ok(RestAnswer::Rooms(vec![listed("x")])));
    assert_eq!(world.snapshot(0).server.rooms, RoomsState::Loading);
    let new = requests(&mut world).remove(0);
    assert_eq!(new.server, "https://meet.example.org");
    answer(&mut world, new.request, Err(RestFailure::Unreachable("TLS handshake failed".into())));
    let RoomsState::Failed(why) = world.snapshot(0).server.rooms else { panic!("a reason") };
    assert!(why.contains("TLS handshake failed") && why.contains("put http:// before"), "{why}");
}

#[test]
fn an_address_that_is_none_is_said_so_and_not_remembered() {
    let mut world = start();
    world.clients[0].outputs.clear();
    for typed in ["ftp://x", "https://me:pw@h", "a b", ""] {
        world.command(0, Command::SetServer(typed.into()));
        let RoomsState::Failed(why) = world.snapshot(0).server.rooms else { panic!("a reason") };
        assert!(why.ends_with('.'), "{why}");
        world.command(0, Command::OpenPreview(room()));
        assert_eq!(world.snapshot(0).screen, Screen::Start);
        world.command(0, Command::CreateRoom(CreateRoom::default()));
        assert!(world.snapshot(0).server.form_error.is_some());
    }
    assert!(!world.clients[0].outputs.iter().any(|o| matches!(o, Output::Persist(_) | Output::Rest(_))));
}

#[test]
fn rooms_are_created_and_deleted_one_request_at_a_time() {
    let mut world = start();
    requests(&mut world);
    world.command(0, Command::CreateRoom(CreateRoom::default()));
    world.command(0, Command::DeleteRoom(room()));
    let [RestOrder { request, call: RestCall::Create(_), .. }] = &requests(&mut world)[..] else {
        panic!("one")
    };
    assert!(world.snapshot(0).server.busy);
    let error = ErrorBody { code: "room-exists".into(), message: "exists".into() };
    answer(&mut world, *request, Err(RestFailure::Refused { status: 409, error: Some(error) }));
    let view = world.snapshot(0).server;
    assert!(!view.busy && view.form_error.unwrap().contains("exists already"));
    requests(&mut world);
    world.command(0, Command::DeleteRoom(room()));
    let [RestOrder { request, call: RestCall::Delete(_), .. }] = &requests(&mut world)[..] else {
        panic!("one")
    };
    answer(&mut world, *request, Ok(RestAnswer::Deleted));
    assert!(
        matches!(requests(&mut world)[..], [RestOrder { call: RestCall::List, .. }]),
        "the list is loaded again"
    );
    assert_eq!(world.snapshot(0).server.form_error, None);
}

#[test]
fn a_password_is_asked_for_and_then_given() {
    let mut world = start();
    world.lobby.refuse = Some("password-required".into());
    world.command(0, Command::OpenPreview(room()));
    world.command(0, Command::Join { password: None });
    world.run(10_000);
    let snapshot = world.snapshot(0);
    assert_eq!(snapshot.screen, Screen::Preview);
    let refused = snapshot.room.unwrap().connection;
    assert!(matches!(refused, RoomConnection::Refused { wants_password: true, .. }), "{refused:?}");
    world.lobby.refuse = None;
    world.command(0, Command::Join { password: Some("pw".into()) });
    world.run(10_000);
    world.assert_all_connected();
    assert_eq!(world.lobby.joins.last().unwrap().password.as_deref(), Some("pw"));
}

#[test]
fn giving_up_joining_leads_back_to_the_preview() {
    let mut world = start();
    world.lobby.mute = true;
    world.command(0, Command::OpenPreview(room()));
    world.command(0, Command::Join { password: None });
    world.run(5_000);
    assert_eq!(world.snapshot(0).room.unwrap().connection, RoomConnection::Joining);
    world.command(0, Command::Leave);
    let snapshot = world.snapshot(0);
    assert_eq!((snapshot.screen, snapshot.room.unwrap().connection), (Screen::Preview, RoomConnection::Idle));
    world.lobby.mute = false;
    world.run(60_000);
    assert_eq!(world.snapshot(0).room.unwrap().connection, RoomConnection::Idle);
}

#[test]
fn devices_follow_the_screen_and_only_the_person_switches_them() {
    let mut world = start();
    let media = |world: &mut World| -> Vec<MediaOrder> {
        let outputs = std::mem::take(&mut world.clients[0].outputs);
        outputs
            .into_iter()
            .filter_map(|o| if let Output::Media(order) = o { Some(order) } else { None })
            .collect()
    };
    assert!(media(&mut world).contains(&MediaOrder::List));
    world.command(0, Command::OpenPreview(room()));
    assert_eq!(media(&mut world), [MediaOrder::StartPreview]);
    assert_eq!(world.snapshot(0).devices.camera.state, DeviceState::Opening);
    assert_eq!(world.snapshot(0).devices.speaker.state, DeviceState::Idle);
    let message = "The camera is in use by another program. Close it and press Retry.".to_owned();
    world.give(0, Input::Media(MediaFact::Failed { kind: DeviceKind::Camera, message: message.clone() }));
    assert_eq!(world.snapshot(0).devices.camera.state, DeviceState::Failed(message));
    world.command(0, Command::RetryDevice(DeviceKind::Camera));
    world.give(0, Input::Media(MediaFact::Opened(DeviceKind::Camera)));
    assert_eq!(media(&mut world), [MediaOrder::Retry(DeviceKind::Camera)]);
    world.command(0, Command::SetMicrophone(false));
    world.command(0, Command::SetMicrophone(false));
    assert_eq!(media(&mut world), [MediaOrder::Enable { kind: DeviceKind::Microphone, enabled: false }]);
    world.command(0, Command::Join { password: None });
    world.run(10_000);
    assert_eq!(media(&mut world), [MediaOrder::StartCall]);
    let list = vec![DeviceInfo { id: "1".into(), name: "Cam\u{202E}\n".into() }];
    world.give(0, Input::Media(MediaFact::Devices { kind: DeviceKind::Camera, list }));
    assert_eq!(world.snapshot(0).devices.camera.available[0].name, "Cam");
    world.command(0, Command::ChooseDevice { kind: DeviceKind::Camera, id: Some("1".into()) });
    let persisted =
        world.clients[0].outputs.iter().find_map(|o| if let Output::Persist(s) = o { Some(s) } else { None });
    assert_eq!(persisted.unwrap().chosen.camera.as_deref(), Some("1"));
    media(&mut world);
    let music = VoiceProcessing::OFF;
    world.command(0, Command::ProcessVoice(music));
    world.command(0, Command::ProcessVoice(music));
    assert_eq!(media(&mut world), [MediaOrder::ProcessVoice(music)]);
    assert_eq!(world.snapshot(0).devices.voice, music);
}

#[test]
fn what_was_typed_is_remembered_once() {
    let mut world = start();
    world.clients[0].outputs.clear();
    world.command(0, Command::SetDisplayName(" Ada\u{202E} Lovelace ".into()));
    world.command(0, Command::SetDisplayName("Ada Lovelace".into()));
    let outputs = world.clients[0].outputs.iter();
    let persisted: Vec<&Settings> =
        outputs.filter_map(|o| if let Output::Persist(s) = o { Some(s) } else { None }).collect();
    assert_eq!(persisted.len(), 1);
    assert_eq!(
        (persisted[0].display_name.as_str(), persisted[0].server_url.as_str()),
        ("Ada Lovelace", SERVER)
    );
}

fn certificate(fingerprint: &str) -> Input {
    let host = "meet.example.org:443".to_owned();
    Input::Certificate(UntrustedCertificate { host, fingerprint: fingerprint.to_owned(), changed: false })
}

#[test]
fn a_trusted_certificate_is_pinned_and_everything_is_tried_again() {
    let mut world = start();
    world.server_up = false;
    world.command(0, Command::OpenPreview(room()));
    world.command(0, Command::Join { password: None });
    world.give(0, certificate("AA:BB"));
    assert_eq!(world.snapshot(0).trust.unwrap().fingerprint, "AA:BB");
    world.clients[0].outputs.clear();
    world.give(0, certificate("AA:BB"));
    assert!(world.clients[0].outputs.is_empty(), "it is asked once");
    world.command(0, Command::TrustCertificate);
    assert_eq!(world.snapshot(0).trust, None);
    let outputs = &world.clients[0].outputs;
    assert!(matches!(&outputs[0], Output::TrustCertificate { fingerprint, .. } if fingerprint == "AA:BB"));
    assert!(outputs.iter().any(|o| matches!(o, Output::Rest(RestOrder { call: RestCall::List, .. }))));
    assert!(outputs.iter().any(|o| matches!(o, Output::Signaling(SignalingOrder::Connect { .. }))));
}

#[test]
fn a_certificate_that_is_not_trusted_ends_the_attempt_and_is_not_asked_about_again() {
    let mut world = start();
    world.server_up = false;
    world.command(0, Command::OpenPreview(room()));
    world.command(0, Command::Join { password: None });
    world.give(0, certificate("AA:BB"));
    world.command(0, Command::RejectCertificate);
    let connection = world.snapshot(0).room.unwrap().connection;
    assert!(
        matches!(&connection, RoomConnection::Refused { message, .. } if message.contains("meet.example.org:443"))
    );
    assert!(matches!(world.snapshot(0).server.rooms, RoomsState::Failed(_)));
    world.give(0, certificate("AA:BB"));
    assert_eq!(world.snapshot(0).trust, None);
    world.command(0, Command::RefreshRooms);
    world.give(0, certificate("AA:BB"));
    assert!(world.snapshot(0).trust.is_some(), "the person tries again");
}
