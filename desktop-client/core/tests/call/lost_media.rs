//! Paths between peers break and mend, and peers die without a word.

use call_core::link::{ConnectionState, LinkOrder};

use crate::sim::World;

fn restarts(world: &World) -> usize {
    let all = world.clients.iter().flat_map(|client| &client.orders);
    all.filter(|(_, order)| matches!(order, LinkOrder::CreateOffer { ice_restart: true })).count()
}

fn opens(world: &World) -> usize {
    let all = world.clients.iter().flat_map(|client| &client.orders);
    all.filter(|(_, order)| matches!(order, LinkOrder::Open(_))).count()
}

#[test]
fn a_short_gap_is_waited_out() {
    let mut world = World::call(1, &["Ada", "Bob"]);
    world.cut.insert((0, 1));
    world.connectivity();
    world.run(4_000);
    assert_eq!(world.participants(0)[0].connection, ConnectionState::Disconnected);
    world.cut.clear();
    world.connectivity();
    world.run(10_000);
    world.assert_all_connected();
    assert_eq!(restarts(&world), 0);
}

#[test]
fn a_longer_gap_is_met_with_an_ice_restart_by_one_side() {
    let mut world = World::call(2, &["Ada", "Bob"]);
    let opened = opens(&world);
    world.cut.insert((0, 1));
    world.connectivity();
    world.run(9_000);
    assert_eq!(restarts(&world), 1);
    world.cut.clear();
    world.connectivity();
    world.run(20_000);
    world.assert_all_connected();
    assert_eq!(opens(&world), opened, "the peer connections are the old ones");
}

#[test]
fn a_path_that_is_gone_for_minutes_is_found_again() {
    for seed in 0..4 {
        let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
        world.cut.insert((0, 1));
        world.connectivity();
        world.run(600_000);
        let attempts = restarts(&world) + opens(&world);
        assert!(attempts < 200, "{attempts} attempts in ten minutes");
        assert_eq!(
            world.participants(2).iter().filter(|p| p.connection == ConnectionState::Connected).count(),
            2
        );
        world.cut.clear();
        world.connectivity();
        world.run(120_000);
        world.assert_all_connected();
    }
}

#[test]
fn a_peer_that_is_killed_disappears_and_the_others_stay() {
    let mut world = World::call(3, &["Ada", "Bob", "Cleo"]);
    world.kill(2);
    world.run(5_000);
    assert_eq!(world.participants(0).len(), 1);
    world.assert_all_connected();
}
