//! What happens when encoding takes too long.

use media_core::layers::{EncoderLoad, LayersInput, Limit, VideoState};

use crate::bench::Bench;

#[test]
fn when_the_encoder_falls_behind_the_top_layer_pays_first() {
    let mut bench = Bench::settled(&[3_000, 900]);
    bench.give(LayersInput::Load(EncoderLoad::Behind));
    let layers: Vec<_> = bench.encoding.iter().map(|layer| (layer.index, layer.framerate)).collect();
    assert_eq!(layers, [(1, 30), (2, 15)]);
    assert_eq!(bench.state(1), VideoState::Limited(Limit::Cpu));
    assert_eq!(bench.state(2), VideoState::Limited(Limit::Bandwidth));
    bench.run(1_100);
    bench.give(LayersInput::Load(EncoderLoad::Share(0.9)));
    bench.run(1_000);
    assert_eq!(bench.rates(), [(1, 800)]);
    assert_eq!(bench.state(1), VideoState::Limited(Limit::Cpu));
    assert_eq!(bench.gets(2), Some((1, 2)));
}

#[test]
fn it_recovers_slowly() {
    let mut bench = Bench::settled(&[3_000]);
    for _ in 0..2 {
        bench.give(LayersInput::Load(EncoderLoad::Behind));
        bench.run(1_000);
    }
    assert_eq!(bench.gets(1), Some((1, 2)));
    let mut framerates = Vec::new();
    for _ in 0..60 {
        bench.give(LayersInput::Load(EncoderLoad::Share(0.2)));
        bench.run(1_000);
        let top = bench.encoding.last().map(|layer| (layer.index, layer.framerate));
        if framerates.last().is_none_or(|(_, last)| Some(*last) != top) {
            framerates.extend(top.map(|top| (bench.ms, top)));
        }
    }
    let tops: Vec<_> = framerates.iter().map(|(_, top)| *top).collect();
    assert_eq!(tops, [(1, 30), (2, 15), (2, 30)], "{framerates:?}");
    assert!(framerates.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 9_000), "{framerates:?}");
    assert_eq!(bench.state(1), VideoState::Full);
}
