//! Talking for as long as a key is held: the others know of it as of ordinary muting, and whatever happens meanwhile, letting go ends it.

use call_core::command::{Command, DeviceKind};
use call_core::session::{MediaOrder, Output};

use crate::sim::World;

/// A call of Ada, who is muted, and Bob.
fn muted(seed: u64) -> World {
    let mut world = World::call(seed, &["Ada", "Bob"]);
    world.command(0, Command::SetMicrophone(false));
    world.run(2_000);
    world
}

/// What Bob sees of Ada's microphone.
fn seen(world: &World) -> Option<bool> {
    world.participants(1)[0].microphone
}

/// How Ada's microphone was switched, in order.
fn switched(world: &World) -> Vec<bool> {
    let outputs = world.clients[0].outputs.iter();
    outputs
        .filter_map(|output| match output {
            Output::Media(MediaOrder::Enable { kind: DeviceKind::Microphone, enabled }) => Some(*enabled),
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_holds_the_key_is_heard_until_it_is_let_go() {
    let mut world = muted(1);
    let before = switched(&world).len();
    world.command(0, Command::Talk(true));
    world.command(0, Command::Talk(true));
    world.run(1_000);
    let devices = world.snapshot(0).devices;
    assert_eq!((devices.talking, devices.microphone.enabled), (true, false));
    assert_eq!(seen(&world), Some(true));
    world.command(0, Command::Talk(false));
    world.command(0, Command::Talk(false));
    world.run(1_000);
    assert_eq!((world.snapshot(0).devices.talking, seen(&world)), (false, Some(false)));
    assert_eq!(switched(&world)[before..], [true, false]);
}

#[test]
fn a_microphone_that_is_on_does_not_notice_the_key() {
    let mut world = World::call(2, &["Ada", "Bob"]);
    let before = switched(&world).len();
    world.command(0, Command::Talk(true));
    // Switched off with the key down: nobody asked to be heard since.
    world.command(0, Command::SetMicrophone(false));
    world.run(1_000);
    assert_eq!((world.snapshot(0).devices.talking, seen(&world)), (false, Some(false)));
    world.command(0, Command::Talk(false));
    assert_eq!(switched(&world)[before..], [false]);
}

#[test]
fn switched_on_while_the_key_is_held_it_stays_on() {
    let mut world = muted(3);
    let before = switched(&world).len();
    world.command(0, Command::Talk(true));
    world.command(0, Command::SetMicrophone(true));
    world.command(0, Command::Talk(false));
    world.run(1_000);
    assert_eq!((world.snapshot(0).devices.microphone.enabled, seen(&world)), (true, Some(true)));
    assert_eq!(switched(&world)[before..], [true], "without a gap");
}

#[test]
fn a_key_that_is_let_go_during_a_reconnect_ends_muted() {
    for seed in 0..10 {
        let mut world = muted(seed);
        world.command(0, Command::Talk(true));
        world.stop_server();
        world.run(20_000);
        assert!(world.snapshot(0).devices.talking, "the call goes on");
        world.command(0, Command::Talk(false));
        world.server_up = true;
        world.run(90_000);
        world.assert_all_connected();
        assert_eq!(seen(&world), Some(false));
        assert_eq!(switched(&world).last(), Some(&false));
    }
}

#[test]
fn a_link_that_is_made_again_knows_whether_the_key_is_held() {
    for held in [true, false] {
        let mut world = muted(5);
        world.command(0, Command::Talk(true));
        world.hang_tasks(0);
        world.run(5_000);
        world.command(0, Command::Talk(held));
        world.run(120_000);
        world.assert_all_connected();
        assert_eq!(seen(&world), Some(held));
    }
}

#[test]
fn leaving_with_the_key_down_ends_it() {
    let mut world = muted(6);
    world.command(0, Command::Talk(true));
    world.command(0, Command::Leave);
    assert!(!world.snapshot(0).devices.talking);
    assert_eq!(switched(&world).last(), Some(&false));
    world.run(5_000);
    world.command(0, Command::OpenPreview(crate::sim::room()));
    world.command(0, Command::Talk(true));
    assert!(!world.snapshot(0).devices.talking, "nobody hears the preview");
    world.command(0, Command::Join { password: None });
    world.run(60_000);
    assert_eq!((world.snapshot(0).devices.talking, seen(&world)), (false, Some(false)));
}

#[test]
fn with_push_to_talk_a_call_begins_muted_and_the_microphone_stands_by() {
    let mut world = World::new(7);
    world.join("Bob");
    let ada = world.add("Ada");
    world.command(ada, Command::SetPushToTalk(true));
    world.command(ada, Command::OpenPreview(crate::sim::room()));
    // To try it; the call begins without.
    world.command(ada, Command::SetMicrophone(true));
    world.command(ada, Command::Join { password: None });
    world.run(60_000);
    world.assert_all_connected();
    assert_eq!(world.participants(0)[0].microphone, Some(false));
    let outputs = &world.clients[ada].outputs;
    assert!(outputs.iter().any(|output| matches!(output, Output::Media(MediaOrder::StandBy(true)))));
    let persisted = outputs.iter().rev().find_map(|output| match output {
        Output::Persist(settings) => Some(settings.push_to_talk),
        _ => None,
    });
    assert_eq!(persisted, Some(true));
}

#[test]
fn push_to_talk_mutes_when_it_is_chosen_and_never_unmutes() {
    let mut world = World::call(8, &["Ada", "Bob"]);
    world.command(0, Command::SetPushToTalk(true));
    world.run(1_000);
    assert_eq!(seen(&world), Some(false));
    world.command(0, Command::SetPushToTalk(false));
    world.run(1_000);
    assert_eq!(seen(&world), Some(false));
}
