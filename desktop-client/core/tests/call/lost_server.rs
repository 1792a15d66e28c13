//! The server goes away and comes back: calls go on, clients return by themselves, and nobody's choices change.

use call_core::command::Command;
use call_core::link::ConnectionState;
use call_core::snapshot::{RoomConnection, Screen};

use crate::sim::World;

#[test]
fn rejoin_keeps_the_microphone_muted_and_the_camera_off() {
    for seed in 0..10 {
        let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
        world.command(0, Command::SetMicrophone(false));
        world.command(1, Command::SetCamera(false));
        world.stop_server();
        world.run(20_000);
        world.server_up = true;
        world.run(90_000);
        world.assert_all_connected();
        let devices = |client: usize| {
            let devices = world.snapshot(client).devices;
            (devices.microphone.enabled, devices.camera.enabled)
        };
        assert_eq!([devices(0), devices(1), devices(2)], [(false, true), (true, false), (true, true)]);
        for other in world.participants(2) {
            let expected = (other.display_name != "Ada", other.display_name != "Bob");
            assert_eq!((other.microphone, other.camera), (Some(expected.0), Some(expected.1)));
        }
    }
}

#[test]
fn links_stay_up_while_the_server_is_away() {
    let mut world = World::call(1, &["Ada", "Bob"]);
    let orders = world.clients[0].orders.len();
    world.stop_server();
    world.run(60_000);
    let room = world.snapshot(0).room.unwrap();
    assert!(
        matches!(room.connection, RoomConnection::Reconnecting { attempt } if attempt > 5),
        "{:?}",
        room.connection
    );
    assert_eq!(room.participants[0].connection, ConnectionState::Connected);
    world.command(0, Command::SendChat("still here".into()));
    world.run(1_000);
    assert_eq!(world.snapshot(1).room.unwrap().chat[0].text, "still here");
    assert_eq!(world.clients[0].orders.len(), orders + 1, "nothing but the chat line was ordered");
}

#[test]
fn a_client_that_lost_its_socket_returns_under_a_new_id_beside_its_ghost() {
    for seed in 0..20 {
        let mut world = World::call(seed, &["Ada", "Bob"]);
        world.ghosts = 20_000..30_000;
        let before = world.snapshot(0).room.unwrap().own_id;
        world.lose_socket(0);
        world.run(15_000);
        let room = world.snapshot(0).room.unwrap();
        assert_eq!(room.connection, RoomConnection::Joined);
        assert_ne!(room.own_id, before);
        world.run(60_000);
        world.assert_all_connected();
    }
}

#[test]
fn the_same_name_and_password_are_given_again() {
    let mut world = World::new(7);
    let client = world.add("Ada");
    world.command(client, Command::OpenPreview(crate::sim::room()));
    world.command(client, Command::Join { password: Some("secret".into()) });
    world.run(10_000);
    world.lose_socket(client);
    world.run(20_000);
    assert_eq!(world.lobby.joins.len(), 2);
    assert_eq!(world.lobby.joins[0], world.lobby.joins[1]);
    assert_eq!(world.lobby.joins[0].password.as_deref(), Some("secret"));
    assert_eq!(world.lobby.joins[0].caps, ["control"]);
}

#[test]
fn a_server_that_is_away_at_first_is_told_and_waited_for() {
    let mut world = World::new(8);
    world.server_up = false;
    let client = world.join("Ada");
    world.run(5_000);
    let snapshot = world.snapshot(client);
    assert_eq!(snapshot.room.unwrap().connection, RoomConnection::Joining);
    assert_eq!(snapshot.notices.len(), 1);
    assert!(
        snapshot.notices[0].text.contains("cannot be reached (connection reset)"),
        "{:?}",
        snapshot.notices
    );
    world.server_up = true;
    world.run(15_000);
    world.assert_all_connected();
    assert!(world.snapshot(client).notices.is_empty());
}

#[test]
fn a_refusal_on_the_way_back_ends_the_call_with_a_reason() {
    let mut world = World::call(9, &["Ada", "Bob"]);
    world.lobby.refuse = Some("wrong-password".into());
    world.lose_socket(0);
    world.run(20_000);
    let snapshot = world.snapshot(0);
    assert_eq!(snapshot.screen, Screen::Call);
    let room = snapshot.room.unwrap();
    assert!(
        matches!(&room.connection, RoomConnection::Ended { message } if message.contains("password")),
        "{room:?}"
    );
    assert!(room.participants.is_empty());
    world.run(60_000);
    assert_eq!(world.misuse, Vec::<String>::new());
}

#[test]
fn leaving_while_the_server_is_away_leaves() {
    let mut world = World::call(10, &["Ada", "Bob"]);
    world.stop_server();
    world.run(5_000);
    world.command(0, Command::Leave);
    assert_eq!(world.snapshot(0).screen, Screen::Start);
    world.server_up = true;
    world.run(60_000);
    assert_eq!(world.snapshot(0).room, None);
    world.assert_all_connected();
}
