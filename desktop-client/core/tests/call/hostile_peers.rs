//! What a peer sends cannot harm anybody else, and costs a bound.

use call_core::link::LinkOrder;
use shared::events::{Participant, ServerEvent};
use shared::{DisplayName, PeerId};

use crate::sim::World;

/// A call of three, and somebody who has joined with a client of their own making.
fn visited(seed: u64, id: &str) -> (World, Vec<PeerId>) {
    let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
    let ids = (0..3).map(|client| world.snapshot(client).room.unwrap().own_id.unwrap()).collect();
    let visitor = Participant {
        peer_id: PeerId::parse(id).unwrap(),
        display_name: DisplayName::sanitize("Mallory\u{202E}"),
        caps: vec!["control".into()],
    };
    world.lobby.announce(&ServerEvent::PeerJoined(visitor));
    world.flush_lobby();
    (world, ids)
}

/// The three are connected with each other; whatever the visitor sees.
fn assert_unharmed(world: &World) {
    assert_eq!(world.misuse, Vec::<String>::new());
    for client in 0..3 {
        let others = world.participants(client);
        let good =
            others.iter().filter(|p| p.connection == call_core::link::ConnectionState::Connected).count();
        assert_eq!(good, 2, "{others:?}");
        assert!(others.iter().any(|p| p.display_name == "Mallory"));
    }
}

#[test]
fn garbage_of_every_form_is_survived() {
    for (seed, id) in [(1, "-mallory"), (2, "zzz-mallory")] {
        let (mut world, ids) = visited(seed, id);
        let long = format!(r#"{{"description":{{"type":"offer","sdp":"{}"}}}}"#, "x".repeat(900_000));
        for to in &ids {
            for data in [
                "null",
                "7",
                "[]",
                r#"{"description":{"type":"offer","sdp":"garbage"}}"#,
                r#"{"description":{"type":"answer","sdp":"garbage"}}"#,
                r#"{"description":{"type":"rollback"}}"#,
                r#"{"description":{"type":"offer","sdp":""},"link":-1}"#,
                r#"{"candidate":{"candidate":"garbage","sdpMid":"nowhere"},"link":9007199254740991}"#,
                &long,
            ] {
                world.lobby.relay(id, to, data);
            }
        }
        world.flush_lobby();
        world.run(120_000);
        assert_unharmed(&world);
    }
}

#[test]
fn floods_of_candidates_and_offers_cost_a_bound() {
    for (seed, id) in [(3, "-mallory"), (4, "zzz-mallory")] {
        let (mut world, ids) = visited(seed, id);
        for n in 0..10_000 {
            let data = format!(r#"{{"candidate":{{"candidate":"candidate:{n} ufrag m","sdpMid":"0"}}}}"#);
            world.lobby.relay(id, &ids[0], &data);
        }
        for n in 0..2_000 {
            let sdp = format!(r"v=0\r\na=fingerprint:sha-256 {n:x}\r\na=ice-ufrag:m\r\n");
            let data = format!(r#"{{"description":{{"type":"offer","sdp":"{sdp}"}}}}"#);
            world.lobby.relay(id, &ids[0], &data);
        }
        let before = world.clients[0].orders.len();
        world.flush_lobby();
        world.run(5_000);
        let orders = &world.clients[0].orders[before..];
        let opens = orders.iter().filter(|(_, order)| matches!(order, LinkOrder::Open(_))).count();
        assert!(orders.len() < 2_000 && opens <= 7, "{} orders, {opens} peer connections", orders.len());
        world.run(60_000);
        assert_unharmed(&world);
    }
}
