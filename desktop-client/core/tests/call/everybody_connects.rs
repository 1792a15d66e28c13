//! Whatever the interleaving, everybody ends up connected with everybody, and no peer connection is ever misused.

use call_core::command::Command;
use proptest::prelude::*;

use crate::sim::World;

#[derive(Debug, Clone)]
enum Move {
    Join,
    LeaveAndReturn(usize),
    LoseSocket(usize),
    RestartServer(u64),
    CutPath(usize, usize),
    MendPaths,
    HangTasks(usize),
    Wait(u64),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => Just(Move::Join),
        2 => (0_usize..6).prop_map(Move::LeaveAndReturn),
        2 => (0_usize..6).prop_map(Move::LoseSocket),
        1 => (0_u64..20_000).prop_map(Move::RestartServer),
        2 => (0_usize..6, 0_usize..6).prop_map(|(a, b)| Move::CutPath(a, b)),
        1 => Just(Move::MendPaths),
        1 => (0_usize..6).prop_map(Move::HangTasks),
        5 => (0_u64..12_000).prop_map(Move::Wait),
    ]
}

fn make(world: &mut World, action: &Move) {
    let count = world.clients.len();
    match action {
        Move::Join => {
            if count < 6 {
                world.join(&format!("Guest {count}"));
            }
        }
        Move::LeaveAndReturn(client) => {
            let client = client % count;
            world.command(client, Command::Leave);
            world.command(client, Command::OpenPreview(crate::sim::room()));
            world.command(client, Command::Join { password: None });
        }
        Move::LoseSocket(client) => world.lose_socket(client % count),
        Move::RestartServer(away) => {
            world.stop_server();
            world.run(*away);
            world.server_up = true;
        }
        Move::CutPath(a, b) => {
            let (a, b) = (a % count, b % count);
            world.cut.insert((a.min(b), a.max(b)));
            world.connectivity();
        }
        Move::MendPaths => {
            world.cut.clear();
            world.connectivity();
        }
        Move::HangTasks(client) => world.hang_tasks(client % count),
        Move::Wait(milliseconds) => world.run(*milliseconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_pairs_end_up_connected(seed in any::<u64>(), moves in prop::collection::vec(any_move(), 1..14)) {
        let mut world = World::new(seed);
        world.join("Ada");
        world.join("Bob");
        for action in &moves {
            make(&mut world, action);
        }
        make(&mut world, &Move::MendPaths);
        world.run(240_000);
        world.assert_all_connected();
    }
}

#[test]
fn a_room_of_six_connects_soon() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        for name in ["A", "B", "C", "D", "E", "F"] {
            world.join(name);
        }
        world.run(12_000);
        world.assert_all_connected();
    }
}

/// Over a path of up to 1.5 s, each side's answer met a connection that the other had replaced meanwhile, and so on in turns.
#[test]
fn two_sides_that_replace_their_connections_in_turns_come_to_an_end() {
    let mut world = World::new(10_823_282_436_090_133_334);
    world.join("Ada");
    world.join("Bob");
    let moves = [
        Move::Wait(4528),
        Move::Join,
        Move::LeaveAndReturn(2),
        Move::CutPath(2, 0),
        Move::Wait(1964),
        Move::Join,
        Move::CutPath(3, 2),
        Move::Wait(8034),
        Move::HangTasks(3),
        Move::MendPaths,
    ];
    for action in &moves {
        make(&mut world, action);
    }
    world.run(120_000);
    world.assert_all_connected();
}
