//! How voice processing fares in rooms, with loudspeakers and devices as people have them.

use std::collections::VecDeque;

use media_core::frame::SAMPLES_PER_BLOCK;

use super::acoustics::{Echo, Loudspeaker, ROOMS, Talker, Way, decibel, energy, level};
use super::{VoiceChain, VoiceProcessor};
use crate::audio::block::MonoBlock;
use crate::config::VoiceProcessing;

const ECHO_ONLY: VoiceProcessing =
    VoiceProcessing { echo_cancellation: true, noise_suppression: false, automatic_gain: false };

/// Least reduction, in dB.
const LEAST: f64 = 30.0;

/// Most that a near voice may lose in double talk, in dB.
const LOSS: f64 = 6.0;

/// The same, with what processing takes of a voice that talks alone, beside a loudspeaker whose echo is as loud as the voice (*laptop*).
const LOSS_BESIDE: f64 = 7.5;

/// Blocks in a second.
const SECOND: u32 = 100;

/// The voices of the tests.
const VOICES: [u64; 3] = [1, 11, 16];

/// By how much less of a voice comes back, over these seconds, in dB (echo return loss enhancement).
fn erle(way: Way, voice: u64, measured: &[(u32, u32)]) -> Vec<f64> {
    let (mut processor, mut far, mut echo) = (VoiceChain::new(ECHO_ONLY), Talker::new(voice), Echo::new(way));
    let end = measured.iter().map(|(_, end)| *end).max().unwrap_or(0);
    let mut energies = vec![(0.0, 0.0); measured.len()];
    for block in 0..end * SECOND {
        let played = far.block();
        processor.played(&played);
        let mut heard = echo.block(&played);
        let before = energy(&heard);
        processor.process(&mut heard);
        for ((from, to), sums) in measured.iter().zip(&mut energies) {
            if (*from..*to).contains(&(block / SECOND)) {
                sums.0 += before;
                sums.1 += energy(&heard);
            }
        }
    }
    energies.into_iter().map(|(before, after)| decibel(before, after)).collect()
}

/// How much of the second voice is left while the first talks, too, in dB, and how much less that is than when it talks alone.
fn near_voice(way: Way, voices: [u64; 2]) -> (f64, f64) {
    let left = near_share(way, voices, true);
    (left, left - near_share(way, voices, false))
}

/// How much of a near voice is left, in dB: the part of what is sent that is the voice.
fn near_share(way: Way, voices: [u64; 2], both_talk: bool) -> f64 {
    let (mut processor, mut echo) = (VoiceChain::new(ECHO_ONLY), Echo::new(way));
    let [mut far, mut near] = voices.map(Talker::new);
    let (mut spoken, mut sent) = (Vec::new(), Vec::new());
    for block in 0..12 * SECOND {
        let far_talks = both_talk || block < 5 * SECOND;
        let played = if far_talks { far.block() } else { [0.0; SAMPLES_PER_BLOCK] };
        processor.played(&played);
        let mut heard = echo.block(&played);
        let voice = if block < 5 * SECOND { [0.0; SAMPLES_PER_BLOCK] } else { near.block() };
        heard.iter_mut().zip(voice).for_each(|(sample, own)| *sample += own);
        processor.process(&mut heard);
        if block >= 6 * SECOND {
            spoken.extend_from_slice(&voice);
            sent.extend_from_slice(&heard);
        }
    }
    // Processing takes a few milliseconds of its own.
    let product = |late: usize| -> f64 {
        sent[late..].iter().zip(&spoken).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let share = (0..960).map(product).fold(0.0, f64::max) / energy(&spoken);
    20.0 * share.max(1e-6).log10()
}

/// Checks the reduction of each room's echo of each voice over these seconds, all rooms at once, so that a failure tells of all.
fn expect_reduction(ways: [Way; 4], seconds: (u32, u32)) {
    for voice in VOICES {
        let found = ways.map(|way| erle(way, voice, &[seconds])[0]);
        println!("voice {voice}, {ROOMS:?}: {found:.1?} dB");
        assert!(found.iter().all(|erle| *erle > LEAST), "voice {voice}, {ROOMS:?}: {found:.1?} dB");
    }
}

#[test]
fn the_echo_of_every_room_is_gone_within_two_seconds() {
    for delay_ms in [20, 100, 300] {
        expect_reduction(ROOMS.map(|room| Way { delay_ms, ..Way::of(room) }), (2, 6));
    }
}

#[test]
fn a_loudspeaker_that_distorts_is_cancelled_too() {
    let ways = ROOMS.map(|room| Way { loudspeaker: Loudspeaker::Soft, ..Way::of(room) });
    expect_reduction(ways, (2, 6));
}

#[test]
fn in_a_room_a_delay_that_jumps_is_followed_within_three_seconds() {
    for (from, to) in [(40, 160), (200, 60)] {
        let ways = ROOMS.map(|room| Way { delay_ms: from, jump: Some((5, to)), ..Way::of(room) });
        expect_reduction(ways, (8, 11));
    }
}

#[test]
fn clocks_that_drift_apart_are_followed() {
    for drift_ppm in [-100.0, 100.0] {
        expect_reduction(ROOMS.map(|room| Way { drift_ppm, ..Way::of(room) }), (2, 6));
        let erle = erle(Way { drift_ppm, ..Way::of("office") }, 1, &[(2, 12)])[0];
        assert!(erle > LEAST, "{drift_ppm} ppm: {erle:.1} dB");
    }
}

#[test]
fn noise_in_the_room_does_not_hide_its_echo() {
    expect_reduction(ROOMS.map(|room| Way { noise_dbfs: Some(-60.0), ..Way::of(room) }), (2, 6));
}

#[test]
fn in_a_room_a_near_voice_is_heard_while_both_talk() {
    for room in ROOMS {
        let (left, cost) = near_voice(Way::of(room), [1, 2]);
        let most = if room == "laptop" { LOSS_BESIDE } else { LOSS };
        println!("{room}: {left:.1} dB, {cost:.1} dB for double talk");
        assert!(cost > -LOSS && left > -most, "{room}: {left:.1} dB, {cost:.1} dB for double talk");
    }
}

/// Two people on loudspeakers, in rooms of their own, with 80 ms of network each way; the first says something. The level of what each sends, second by second.
fn closed_loop(ways: [Way; 2], talks: u32, seconds: u32) -> Vec<f64> {
    let mut processors = ways.map(|_| VoiceChain::new(VoiceProcessing::default()));
    let mut rooms = ways.map(Echo::new);
    let mut network: [VecDeque<MonoBlock>; 2] = [(); 2].map(|()| vec![[0.0; SAMPLES_PER_BLOCK]; 8].into());
    let mut talker = Talker::new(3);
    let (mut levels, mut sent) = (Vec::new(), Vec::new());
    for block in 0..seconds * SECOND {
        for side in 0..2 {
            let played = network[side].pop_front().unwrap();
            processors[side].played(&played);
            let mut heard = rooms[side].block(&played);
            if side == 0 && block < talks * SECOND {
                heard.iter_mut().zip(talker.block()).for_each(|(sample, own)| *sample += own);
            }
            processors[side].process(&mut heard);
            network[1 - side].push_back(heard);
            sent.extend_from_slice(&heard);
        }
        if (block + 1) % SECOND == 0 {
            levels.push(level(&std::mem::take(&mut sent)));
        }
    }
    levels
}

#[test]
fn two_on_loudspeakers_do_not_howl() {
    let ways = [
        Way { noise_dbfs: Some(-65.0), ..Way::of("laptop") },
        Way { noise_dbfs: Some(-65.0), ..Way::of("office") },
    ];
    let levels = closed_loop(ways, 6, 14);
    // Louder than somebody who talks is a howl; and it is quiet again soon after they have stopped.
    assert!(levels.iter().all(|level| *level < -10.0), "{levels:.0?}");
    assert!(levels[9..].iter().all(|level| *level < -45.0), "{levels:.0?}");
}

/// What makes another way of one.
type Change = fn(Way) -> Way;

/// Prints a row of the table for each way of a room.
fn print_rows(room: &'static str) {
    let ways: [(&str, Change); 5] = [
        ("20 ms", |way| Way { delay_ms: 20, ..way }),
        ("300 ms", |way| Way { delay_ms: 300, ..way }),
        ("40, then 160 ms", |way| Way { jump: Some((6, 160)), ..way }),
        ("100 ppm", |way| Way { drift_ppm: 100.0, ..way }),
        ("noise of -60 dB", |way| Way { noise_dbfs: Some(-60.0), ..way }),
    ];
    for loudspeaker in [Loudspeaker::Linear, Loudspeaker::Soft] {
        for (name, change) in ways {
            let way = change(Way { loudspeaker, ..Way::of(room) });
            let erle = erle(way, 1, &[(0, 2), (2, 6), (9, 12)]);
            let (_, near) = near_voice(way, [1, 2]);
            let figures = format!("{:.1} | {:.1} | {:.1} | {near:.1}", erle[0], erle[1], erle[2]);
            println!("| {room} | {loudspeaker:?} | {name} | {figures} |");
        }
    }
}

/// Prints what six voices get that nobody listened to while the tuning was chosen.
#[test]
#[ignore = "takes a minute, and prints a table: see docs/PERFORMANCE.md"]
fn six_other_voices() {
    let voices = 31..37;
    let seconds: Vec<(u32, u32)> =
        [(0, 2), (2, 6)].into_iter().chain((2..12).map(|second| (second, second + 1))).collect();
    for room in ROOMS {
        let (mut first, mut then, mut worst) = (Vec::new(), Vec::new(), Vec::new());
        for (voice, loudspeaker, change) in voices.clone().flat_map(|voice| {
            let loudspeakers = [Loudspeaker::Linear, Loudspeaker::Soft];
            loudspeakers
                .into_iter()
                .flat_map(move |loudspeaker| WAYS.map(|change| (voice, loudspeaker, change)))
        }) {
            let erle = erle(change(Way { loudspeaker, ..Way::of(room) }), voice, &seconds);
            first.push(erle[0]);
            then.push(erle[1]);
            worst.push(erle[2..].iter().copied().fold(f64::INFINITY, f64::min));
        }
        let near: Vec<f64> =
            voices.clone().map(|voice| near_voice(Way::of(room), [voice, voice + 100]).1).collect();
        println!(
            "| {room} | {} | {} | {} | {} |",
            spread_and_few(first),
            spread_and_few(then),
            spread_and_few(worst),
            spread(near)
        );
    }
}

/// Ways of a room's echo.
const WAYS: [Change; 5] = [
    |way| Way { delay_ms: 20, ..way },
    |way| way,
    |way| Way { delay_ms: 300, ..way },
    |way| Way { drift_ppm: 100.0, ..way },
    |way| Way { drift_ppm: -100.0, ..way },
];

/// Least, a tenth, and median.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values[values.len() / part];
    format!("{:.1}, {:.1}, {:.1}", values[0], at(10), at(2))
}

/// The same, and how many are too few.
fn spread_and_few(values: Vec<f64>) -> String {
    let few = values.iter().filter(|erle| **erle < LEAST).count();
    format!("{} ({few})", spread(values))
}

// ERLE in seconds 0-2, 2-6 and 9-12 (delays jump at 6), and what is left of a near voice.
macro_rules! tables {
    ($($test:ident: $room:literal;)*) => {$(
        #[test]
        #[ignore = "takes a minute, and prints a table: see docs/PERFORMANCE.md"]
        fn $test() {
            print_rows($room);
        }
    )*};
}
tables! {
    matrix_of_the_office: "office";
    matrix_of_the_living_room: "living";
    matrix_of_the_meeting_room: "meeting";
    matrix_of_the_laptop: "laptop";
}
