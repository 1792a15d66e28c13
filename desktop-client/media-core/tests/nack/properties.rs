//! Whatever numbers come, in whatever order: bounded memory, bounded requests, nothing panics, nothing spins.

use std::collections::BTreeMap;
use std::time::Duration;

use media_core::nack::{NackConfig, NackGenerator, NackInput, NackOutput};
use media_core::sim;
use proptest::prelude::*;

fn input() -> impl Strategy<Value = NackInput> {
    prop_oneof![
        8 => (any::<u16>(), any::<bool>()).prop_map(|(n, retransmitted)| NackInput::Packet {
            sequence_number: n % 1_500,
            retransmitted,
        }),
        4 => (any::<u16>(), any::<bool>())
            .prop_map(|(sequence_number, retransmitted)| NackInput::Packet { sequence_number, retransmitted }),
        1 => any::<u16>().prop_map(NackInput::Through),
        1 => any::<u64>().prop_map(|micros| NackInput::RoundTripTime(Duration::from_micros(micros))),
        2 => Just(NackInput::Tick),
    ]
}

proptest! {
    #[test]
    fn arbitrary_numbers_neither_panic_nor_make_it_spin(
        inputs in prop::collection::vec((input(), 0_u64..60), 0..400),
    ) {
        let mut generator = NackGenerator::new(NackConfig::default());
        let mut now = sim::epoch();
        for (input, wait) in inputs {
            now += Duration::from_millis(wait);
            generator.handle(input, now);
            while let Some(NackOutput::Request(numbers)) = generator.poll_output() {
                prop_assert!((1..=250).contains(&numbers.len()));
            }
            prop_assert!(generator.poll_timeout().is_none_or(|at| at > now), "a timeout that is already due");
            prop_assert_eq!(generator.poll_timeout().is_none(), generator.missing() == 0);
            prop_assert!(generator.missing() <= 1_000);
        }
    }

    /// Every hole that stays is asked for, at most ten times, and never after it was filled.
    #[test]
    fn holes_are_asked_for_and_nothing_else_is(
        start in any::<u16>(),
        kept in prop::collection::vec(any::<bool>(), 2..200),
        repaired in any::<u64>(),
    ) {
        let mut generator = NackGenerator::new(NackConfig::default());
        let mut now = sim::epoch();
        let mut asked: BTreeMap<u16, u32> = BTreeMap::new();
        let last = kept.len() - 1;
        let came = |i: usize| i == 0 || i == last || kept[i];
        let number = |i: usize| start.wrapping_add(i as u16);
        for i in (0..=last).filter(|i| came(*i)) {
            now += Duration::from_millis(1);
            generator.handle(NackInput::Packet { sequence_number: number(i), retransmitted: false }, now);
        }
        let mut note = |generator: &mut NackGenerator| {
            while let Some(NackOutput::Request(numbers)) = generator.poll_output() {
                numbers.into_iter().for_each(|n| *asked.entry(n).or_default() += 1);
            }
        };
        note(&mut generator);
        while let Some(at) = generator.poll_timeout() {
            now = at;
            generator.handle(NackInput::Tick, now);
            note(&mut generator);
            let fills = (0..=last).filter(|i| !came(*i) && repaired >> (i % 64) & 1 == 1);
            for i in fills {
                generator.handle(NackInput::Packet { sequence_number: number(i), retransmitted: true }, now);
            }
        }
        for i in 0..=last {
            let times = asked.get(&number(i)).copied().unwrap_or(0);
            if came(i) {
                prop_assert_eq!(times, 0);
            } else {
                prop_assert!((1..=10).contains(&times), "{} times", times);
            }
        }
    }
}
