//! How large people show each other, and who gets sound only: what the one side knows reaches the other.

use call_core::command::Command;
use call_core::control::{ControlMessage, ShownTile};
use call_core::link::{Channel, LinkEvent, LinkId, LinkOrder};
use call_core::session::{Input, Output};
use shared::PeerId;

use crate::sim::World;

fn id_of(world: &World, client: usize) -> PeerId {
    world.snapshot(client).room.unwrap().own_id.unwrap()
}

/// The client's link with another that is in use.
fn link(world: &World, client: usize, other: usize) -> LinkId {
    let id = id_of(world, other);
    let orders = world.clients[client].orders.iter().rev();
    orders.map(|(link, _)| link).find(|link| link.peer == id).unwrap().clone()
}

fn show(world: &mut World, client: usize, other: usize, width: u32) {
    let tile = ShownTile { width, height: width / 2, visible: true };
    let peer = id_of(world, other);
    world.command(client, Command::ShowTile { peer, tile });
}

/// The widths that the client's links were told to fit.
fn fitted(world: &World, client: usize) -> Vec<u32> {
    let orders = world.clients[client].orders.iter();
    orders
        .filter_map(|(_, order)| match order {
            LinkOrder::FitTile(tile) => Some(tile.width),
            _ => None,
        })
        .collect()
}

fn tiles_sent(world: &World, client: usize) -> usize {
    let is_tile = |order: &LinkOrder| match order {
        LinkOrder::Send { channel: Channel::Control, text } => text.contains(r#""kind":"tile""#),
        _ => false,
    };
    world.clients[client].orders.iter().filter(|(_, order)| is_tile(order)).count()
}

fn receive(world: &mut World, client: usize, other: usize, message: ControlMessage) {
    let link = link(world, client, other);
    let event = LinkEvent::Message { channel: Channel::Control, text: message.to_text() };
    world.give(client, Input::Link { link, event });
}

#[test]
fn the_size_of_a_tile_reaches_the_link_of_the_one_that_is_shown() {
    let mut world = World::call(1, &["Ada", "Bob", "Cleo"]);
    show(&mut world, 0, 1, 640);
    world.run(1_000);
    assert_eq!([0, 1, 2].map(|client| fitted(&world, client)), [vec![], vec![640], vec![]]);
    assert_eq!(world.misuse, Vec::<String>::new());
}

#[test]
fn a_window_that_is_being_resized_does_not_flood_the_others() {
    let mut world = World::call(2, &["Ada", "Bob"]);
    let snapshots = |world: &World| {
        world.clients[0].outputs.iter().filter(|output| matches!(output, Output::SnapshotChanged)).count()
    };
    let before = snapshots(&world);
    for width in 0..200 {
        show(&mut world, 0, 1, 400 + width);
        show(&mut world, 0, 1, 400 + width);
        world.run(5);
    }
    assert_eq!(snapshots(&world), before);
    world.run(1_000);
    assert!(tiles_sent(&world, 0) <= 6, "{} messages in a second", tiles_sent(&world, 0));
    assert_eq!(fitted(&world, 1).last(), Some(&599));
}

#[test]
fn a_new_channel_learns_what_the_old_one_knew() {
    let mut world = World::call(3, &["Ada", "Bob"]);
    show(&mut world, 0, 1, 640);
    let link_0 = link(&world, 0, 1);
    world.give(0, Input::Link { link: link_0.clone(), event: LinkEvent::VideoSuspended(true) });
    world.run(1_000);
    assert_eq!(tiles_sent(&world, 0), 1);
    let suspended = ControlMessage::Video { suspended: true }.to_text();
    let before = world.clients[0].orders.len();
    world.give(0, Input::Link { link: link_0, event: LinkEvent::ChannelOpen(Channel::Control) });
    assert_eq!(tiles_sent(&world, 0), 2);
    let again = LinkOrder::Send { channel: Channel::Control, text: suspended };
    assert!(world.clients[0].orders[before..].iter().any(|(_, order)| *order == again));
}

#[test]
fn people_who_are_gone_or_unknown_are_told_nothing() {
    let mut world = World::call(4, &["Ada", "Bob"]);
    let bob = id_of(&world, 1);
    let tile = ShownTile { width: 640, height: 360, visible: true };
    world.command(0, Command::ShowTile { peer: PeerId::parse("nobody").unwrap(), tile });
    world.command(1, Command::Leave);
    world.run(1_000);
    world.command(0, Command::ShowTile { peer: bob, tile });
    world.run(1_000);
    assert_eq!(tiles_sent(&world, 0), 0);
}

#[test]
fn a_flood_of_tiles_costs_a_bound() {
    let mut world = World::call(5, &["Ada", "Bob"]);
    for n in 0..3_000 {
        receive(
            &mut world,
            0,
            1,
            ControlMessage::Tile(ShownTile { width: n % 1_000, height: 9, visible: n % 2 == 0 }),
        );
        world.run(1);
    }
    assert!(fitted(&world, 0).len() <= 40 + 3 * 20 + 1, "{} orders", fitted(&world, 0).len());
    // Afterwards it is heard again, and what is no news orders nothing.
    world.run(5_000);
    let before = fitted(&world, 0).len();
    for _ in 0..10 {
        receive(&mut world, 0, 1, ControlMessage::Tile(ShownTile { width: 320, height: 180, visible: true }));
    }
    assert_eq!(fitted(&world, 0)[before..], [320]);
}

#[test]
fn suspended_video_is_known_at_both_ends() {
    let mut world = World::call(6, &["Ada", "Bob"]);
    let sound_only = |world: &World| {
        let of = |client: usize| {
            let other = &world.participants(client)[0];
            (other.gets_sound_only, other.sends_sound_only)
        };
        [of(0), of(1)]
    };
    assert_eq!(sound_only(&world), [(false, false), (false, false)]);
    let link_0 = link(&world, 0, 1);
    world.give(0, Input::Link { link: link_0.clone(), event: LinkEvent::VideoSuspended(true) });
    world.run(1_000);
    assert_eq!(sound_only(&world), [(true, false), (false, true)]);
    world.give(0, Input::Link { link: link_0, event: LinkEvent::VideoSuspended(false) });
    world.run(1_000);
    assert_eq!(sound_only(&world), [(false, false), (false, false)]);
}
