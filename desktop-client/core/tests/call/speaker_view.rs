//! The speaker view is remembered, and whoever is pinned stays so for as long as they are there.

use call_core::command::Command;
use call_core::session::Output;
use shared::PeerId;

use crate::sim::World;

fn id_of(world: &World, name: &str) -> PeerId {
    world.participants(0).into_iter().find(|p| p.display_name == name).unwrap().peer_id
}

fn pinned(world: &World) -> Option<PeerId> {
    world.snapshot(0).room.unwrap().pinned
}

#[test]
fn the_view_is_remembered() {
    let mut world = World::new(1);
    world.add("Ada");
    assert!(!world.snapshot(0).speaker_view);
    world.command(0, Command::ShowSpeaker(true));
    assert!(world.snapshot(0).speaker_view);
    let persisted = world.clients[0].outputs.iter().rev().find_map(|output| match output {
        Output::Persist(settings) => Some(settings.speaker_view),
        _ => None,
    });
    assert_eq!(persisted, Some(true));
}

#[test]
fn a_pin_holds_until_it_is_taken_back_or_its_person_leaves() {
    let mut world = World::call(2, &["Ada", "Bob", "Cleo"]);
    let (bob, cleo) = (id_of(&world, "Bob"), id_of(&world, "Cleo"));
    world.command(0, Command::Pin(Some(bob)));
    world.command(0, Command::Pin(Some(cleo.clone())));
    assert_eq!(pinned(&world), Some(cleo.clone()));
    world.hang_tasks(0);
    world.run(120_000);
    world.assert_all_connected();
    assert_eq!(pinned(&world), Some(cleo.clone()), "a new link is the same person");
    world.command(2, Command::Leave);
    world.run(5_000);
    assert_eq!(pinned(&world), None);
    world.command(0, Command::Pin(Some(cleo)));
    assert_eq!(pinned(&world), None, "who is not there cannot be watched");
    let bob = id_of(&world, "Bob");
    world.command(0, Command::Pin(Some(bob)));
    world.command(0, Command::Pin(None));
    assert_eq!(pinned(&world), None);
}
