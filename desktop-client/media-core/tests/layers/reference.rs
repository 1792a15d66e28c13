//! A naive model of who gets what when nothing changes any more.

use media_core::layers::{CameraFormat, Demand, LayersInput};
use proptest::prelude::*;

use crate::bench::{Bench, HD};

const MARGIN: f64 = 1.15;
const RATIO: f64 = 1.5;

/// Size, least and most in kbit/s of each layer of a 720p camera.
const LAYERS: [(u32, u32, f64, f64); 3] =
    [(320, 180, 60.0, 120.0), (640, 360, 200.0, 800.0), (1_280, 720, 600.0, 2_200.0)];

#[derive(Debug, Clone, Copy)]
struct Person {
    kbps: f64,
    tile: Option<(u32, u32)>,
}

impl Person {
    /// The best layer that its tile can show.
    fn cap(&self) -> usize {
        let Some((width, height)) = self.tile else { return 2 };
        let covers = |layer: &(u32, u32, f64, f64)| {
            f64::from(layer.0) * 1.1 >= f64::from(width) && f64::from(layer.1) * 1.1 >= f64::from(height)
        };
        LAYERS.iter().position(covers).unwrap_or(2)
    }

    fn borne(&self, layer: usize) -> f64 {
        self.kbps.min(LAYERS[layer].3)
    }
}

/// From the top: the best path sets the anchor of a layer, and everybody joins whose path is within the ratio of it, with a margin. `None` when
/// somebody is so near to a limit that history decides.
fn layers_of(people: &[Person]) -> Option<Vec<Option<usize>>> {
    let mut result = vec![None; people.len()];
    let mut clear = true;
    let mut decide = |value: f64, need: f64| {
        clear &= value < need * 0.98 || value > need * MARGIN * 1.02;
        value >= need * MARGIN
    };
    for layer in (0..3).rev() {
        let (_, _, least, _) = LAYERS[layer];
        let mut rest: Vec<usize> = (0..people.len())
            .filter(|i| result[*i].is_none() && people[*i].cap() >= layer && people[*i].kbps >= 32.0)
            .collect();
        rest.sort_by(|a, b| people[*b].kbps.total_cmp(&people[*a].kbps));
        let mut anchor = 0.0;
        for i in rest {
            let need = f64::max(least, anchor / RATIO);
            if layer == 0 || decide(people[i].kbps, need) {
                anchor = f64::max(anchor, people[i].borne(layer));
                result[i] = Some(layer);
            }
        }
    }
    clear.then_some(result)
}

/// The rate of a layer: the lowest of its cluster, and on the lowest layer so low that outliers get half the frames, if the cluster bears that.
fn rate_of(people: &[Person], layers: &[Option<usize>], layer: usize) -> Option<f64> {
    let (_, _, least, most) = LAYERS[layer];
    let members =
        || people.iter().zip(layers).filter(|(_, l)| **l == Some(layer)).map(|(p, _)| p.borne(layer));
    let best = members().max_by(f64::total_cmp)?;
    let need = f64::max(best / RATIO, least);
    let core = members().filter(|value| *value >= need).min_by(f64::total_cmp).unwrap_or(need);
    let kept = members().filter(|value| *value < need).map(|value| value / 0.6).min_by(f64::total_cmp);
    Some(kept.map_or(core, |kept| f64::max(need, f64::min(core, kept))).clamp(least, most))
}

fn person() -> impl Strategy<Value = Person> {
    let sizes = prop::sample::select(vec![
        (200, 100),
        (352, 198),
        (500, 300),
        (700, 390),
        (720, 400),
        (1_920, 1_080),
    ]);
    let kbps = prop_oneof![1_u32..300, 100_u32..1_000, 500_u32..5_000];
    (kbps, prop::option::of(sizes)).prop_map(|(kbps, tile)| Person { kbps: f64::from(kbps), tile })
}

fn settled(people: &[Person]) -> Bench {
    let mut bench = Bench::new(HD);
    bench.give(LayersInput::Camera(None));
    for (id, person) in (0..).zip(people) {
        bench.join(id, person.kbps as u64);
        if let Some((width, height)) = person.tile {
            bench.tile(id, width, height);
        }
    }
    bench.run(10_000);
    // All at once, so that nobody's place depends on who came first.
    bench.give(LayersInput::Camera(Some(HD)));
    bench.run(60_000);
    bench
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 50_000, ..ProptestConfig::default() })]

    #[test]
    fn what_settles_is_what_the_naive_model_says(people in prop::collection::vec(person(), 1..6)) {
        let Some(layers) = layers_of(&people) else { return Err(TestCaseError::reject("too near to a limit")) };
        let bench = settled(&people);
        let actual: Vec<Option<usize>> =
            (0..).zip(&people).map(|(id, _)| bench.gets(id).map(|(layer, _)| usize::from(layer))).collect();
        prop_assert_eq!(&actual, &layers);
        for layer in 0..3 {
            let expected = rate_of(&people, &layers, layer);
            let actual = bench.encoding.iter().find(|order| usize::from(order.index) == layer);
            prop_assert_eq!(actual.is_some(), expected.is_some());
            if let (Some(actual), Some(expected)) = (actual, expected) {
                // The encoder is not told of a rise under 5 %.
                let actual = actual.bitrate.as_bps() as f64 / 1_000.0;
                prop_assert!(actual <= expected + 0.1 && actual >= expected / 1.051 - 0.1, "{} {}", actual, expected);
            }
        }
        prop_assert!(bench.layers.poll_timeout().is_none() || bench.orders.values().any(|o| o.layer != Some(2)));
    }

    /// The bench checks after each step what must always hold.
    #[test]
    fn arbitrary_facts_in_any_order_keep_all_promises(
        steps in prop::collection::vec((0_u64..700, 0_u32..5, 0_u8..12, 0_u32..3_000), 1..150),
    ) {
        let mut bench = Bench::new(HD);
        for (wait, id, what, value) in steps {
            bench.run(wait);
            match what {
                0 | 1 => bench.give(LayersInput::Joined(id)),
                2 => bench.leave(id),
                3 => bench.tile(id, value / 2, value / 3),
                4 => bench.hide(id),
                5 => bench.give(LayersInput::Demand { peer: id, demand: Demand::Whole }),
                6 => bench.give(LayersInput::KeyFramesOverBudget(id)),
                7 if value % 4 == 0 => bench.give(LayersInput::Camera(None)),
                7 => {
                    let camera = CameraFormat { width: value, height: value * 9 / 16, framerate: value % 70 };
                    bench.give(LayersInput::Camera(Some(if value % 2 == 0 { HD } else { camera })));
                }
                8 => bench.give(LayersInput::Load(media_core::layers::EncoderLoad::Share(f64::from(value) / 2_000.0))),
                9.. => bench.estimate(id, u64::from(value)),
            }
        }
    }
}
