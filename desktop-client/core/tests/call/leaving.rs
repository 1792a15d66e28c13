//! People come and go at any moment, also in the middle of a negotiation.

use std::collections::BTreeMap;

use call_core::command::Command;
use call_core::link::{LinkId, LinkOrder};
use call_core::session::{MediaOrder, Output, SignalingOrder};
use call_core::snapshot::{RoomConnection, Screen};
use shared::events::ServerEvent;

use crate::sim::{World, room};

/// Every link was opened first, closed at most once, and nothing came after.
fn assert_orderly(world: &World) {
    for client in &world.clients {
        let mut links: BTreeMap<&LinkId, Vec<&LinkOrder>> = BTreeMap::new();
        for (link, order) in &client.orders {
            links.entry(link).or_default().push(order);
        }
        for (link, orders) in links {
            assert!(matches!(orders[0], LinkOrder::Open(_)), "{link:?}: {orders:?}");
            let closed = orders.iter().position(|order| matches!(order, LinkOrder::Close));
            assert!(closed.is_none_or(|at| at + 1 == orders.len()), "{link:?}: {orders:?}");
            assert_eq!(orders.iter().filter(|order| matches!(order, LinkOrder::Open(_))).count(), 1);
        }
    }
}

#[test]
fn leaving_at_any_moment_harms_nobody() {
    for seed in 0..60 {
        let mut world = World::new(seed);
        for name in ["Ada", "Bob", "Cleo", "Dora"] {
            world.join(name);
        }
        world.run(seed * 37);
        world.command(1, Command::Leave);
        world.run(20_000);
        // Who had not been let in yet is back at the preview, and none of the others.
        world.command(1, Command::BackToStart);
        world.run(60_000);
        world.assert_all_connected();
        assert_orderly(&world);
    }
}

#[test]
fn coming_back_at_once_connects_again() {
    for seed in 0..20 {
        let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
        for _ in 0..3 {
            world.command(2, Command::Leave);
            world.command(2, Command::OpenPreview(room()));
            world.command(2, Command::Join { password: None });
            world.run(seed * 11);
        }
        world.run(60_000);
        world.assert_all_connected();
        assert_orderly(&world);
    }
}

#[test]
fn leaving_says_goodbye_closes_all_links_and_releases_the_devices() {
    let mut world = World::call(1, &["Ada", "Bob", "Cleo"]);
    world.clients[0].outputs.clear();
    world.command(0, Command::Leave);
    let outputs = &world.clients[0].outputs;
    let count = |wanted: fn(&Output) -> bool| outputs.iter().filter(|output| wanted(output)).count();
    assert_eq!(count(|o| matches!(o, Output::Link { order: LinkOrder::Close, .. })), 2);
    assert_eq!(count(|o| matches!(o, Output::Signaling(SignalingOrder::Disconnect))), 1);
    assert_eq!(count(|o| matches!(o, Output::Media(MediaOrder::Stop))), 1);
    assert_eq!(count(|o| matches!(o, Output::SnapshotChanged)), 1);
    assert_eq!(world.snapshot(0).screen, Screen::Start);
    world.run(10_000);
    world.assert_all_connected();
}

#[test]
fn a_room_that_is_closed_ends_the_call_with_a_reason() {
    let mut world = World::call(2, &["Ada", "Bob"]);
    world.lobby.announce(&ServerEvent::RoomClosed { room_id: room(), reason: "deleted".into() });
    world.flush_lobby();
    world.run(20_000);
    let ended = RoomConnection::Ended { message: "The room was deleted.".into() };
    assert_eq!(world.snapshot(0).room.unwrap().connection, ended);
    assert_eq!(world.snapshot(0).screen, Screen::Call);
    world.command(0, Command::OpenPreview(room()));
    assert_eq!(world.snapshot(0).room.unwrap().connection, RoomConnection::Idle);
}
