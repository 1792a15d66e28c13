//! How loud people hear each other: what they chose holds for every link with that person, until the call is over.

use call_core::command::Command;
use call_core::link::LinkOrder;
use call_core::volume::{Hearing, Volume};
use shared::PeerId;

use crate::sim::World;

fn percent(percent: f32) -> Volume {
    Volume::from_percent(percent).unwrap()
}

fn id_of(world: &World, client: usize, name: &str) -> PeerId {
    world.participants(client).into_iter().find(|p| p.display_name == name).unwrap().peer_id
}

fn hear(world: &mut World, client: usize, name: &str, hearing: Hearing) {
    let peer = id_of(world, client, name);
    world.command(client, Command::Hear { peer, hearing });
}

/// How a client's snapshot says that somebody is heard.
fn heard(world: &World, client: usize, name: &str) -> Hearing {
    world.participants(client).into_iter().find(|p| p.display_name == name).unwrap().hearing
}

/// How loud the client's newest link with somebody plays them.
fn played(world: &World, client: usize, name: &str) -> Volume {
    let peer = id_of(world, client, name);
    let orders = &world.clients[client].orders;
    let newest = orders.iter().rev().map(|(link, _)| link).find(|link| link.peer == peer).unwrap();
    let of_link = orders.iter().filter(|(link, _)| link == newest);
    let mut volumes = of_link.filter_map(|(_, order)| match order {
        LinkOrder::SetVolume(volume) => Some(*volume),
        _ => None,
    });
    volumes.next_back().unwrap_or_default()
}

/// Cuts two clients off from each other until they have given their link up, and lets them find each other again.
fn relink(world: &mut World, client: usize, name: &str) {
    let peer = id_of(world, client, name);
    let epoch = |world: &World| {
        world.clients[client]
            .orders
            .iter()
            .filter(|(link, _)| link.peer == peer)
            .map(|(link, _)| link.epoch)
            .max()
    };
    let before = epoch(world);
    world.hang_tasks(client);
    world.run(120_000);
    assert!(epoch(world) > before, "a new epoch");
    world.assert_all_connected();
}

#[test]
fn a_volume_reaches_the_link_of_the_one_and_nobody_else_hears_of_it() {
    let mut world = World::call(1, &["Ada", "Bob", "Cleo"]);
    let before = [1, 2].map(|client| world.clients[client].orders.len());
    let sent = |world: &World| {
        let orders = world.clients[0].orders.iter();
        orders.filter(|(_, order)| matches!(order, LinkOrder::Send { .. })).count()
    };
    let told = sent(&world);
    hear(&mut world, 0, "Bob", Hearing::at(percent(150.0)));
    world.run(5_000);
    assert_eq!((played(&world, 0, "Bob"), played(&world, 0, "Cleo")), (percent(150.0), Volume::ORIGINAL));
    assert_eq!(heard(&world, 0, "Bob"), Hearing::at(percent(150.0)));
    assert_eq!(heard(&world, 0, "Cleo"), Hearing::default());
    assert_eq!([1, 2].map(|client| world.clients[client].orders.len()), before);
    assert_eq!(sent(&world), told);
}

#[test]
fn a_new_epoch_of_the_same_person_is_as_loud_as_the_one_before() {
    for seed in 0..5 {
        let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
        hear(&mut world, 0, "Bob", Hearing::at(percent(20.0)));
        hear(&mut world, 0, "Cleo", Hearing { silenced: true, ..Hearing::at(percent(180.0)) });
        relink(&mut world, 0, "Bob");
        assert_eq!(played(&world, 0, "Bob"), percent(20.0));
        assert_eq!(played(&world, 0, "Cleo"), Volume::SILENT);
        let cleo = heard(&world, 0, "Cleo");
        assert_eq!((cleo.silenced, cleo.volume), (true, percent(180.0)));
    }
}

#[test]
fn a_server_that_starts_again_makes_nobody_louder() {
    for seed in 0..10 {
        let mut world = World::call(seed, &["Ada", "Bob", "Cleo"]);
        hear(&mut world, 0, "Bob", Hearing { silenced: true, ..Hearing::default() });
        let before = id_of(&world, 0, "Bob");
        world.stop_server();
        world.run(20_000);
        world.server_up = true;
        world.run(90_000);
        world.assert_all_connected();
        assert_ne!(id_of(&world, 0, "Bob"), before);
        assert_eq!((played(&world, 0, "Bob"), played(&world, 0, "Cleo")), (Volume::SILENT, Volume::ORIGINAL));
    }
}

#[test]
fn who_returns_beside_their_own_ghost_is_recognised_when_it_is_gone() {
    for seed in 0..10 {
        let mut world = World::call(seed, &["Ada", "Bob"]);
        world.ghosts = 20_000..30_000;
        hear(&mut world, 0, "Bob", Hearing::at(percent(40.0)));
        world.lose_socket(1);
        world.run(90_000);
        world.assert_all_connected();
        assert_eq!(played(&world, 0, "Bob"), percent(40.0));
        assert_eq!(heard(&world, 0, "Bob"), Hearing::at(percent(40.0)));
    }
}

#[test]
fn the_next_call_begins_as_people_sound() {
    let mut world = World::call(3, &["Ada", "Bob"]);
    hear(&mut world, 0, "Bob", Hearing::at(Volume::SILENT));
    world.command(0, Command::Leave);
    world.run(5_000);
    world.command(0, Command::OpenPreview(crate::sim::room()));
    world.command(0, Command::Join { password: None });
    world.run(60_000);
    world.assert_all_connected();
    assert_eq!((played(&world, 0, "Bob"), heard(&world, 0, "Bob")), (Volume::ORIGINAL, Hearing::default()));
}

#[test]
fn people_who_are_not_there_are_not_heard_in_any_way() {
    let mut world = World::call(4, &["Ada", "Bob"]);
    let orders = world.clients[0].orders.len();
    let nobody = PeerId::parse("nobody").unwrap();
    world.command(0, Command::Hear { peer: nobody, hearing: Hearing::at(Volume::MAX) });
    assert_eq!(world.clients[0].orders.len(), orders);
}
