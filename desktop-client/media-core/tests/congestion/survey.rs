//! A table of all networks, for reading: `cargo test -p media-core --test congestion survey -- --ignored --nocapture`.

use crate::network::Network;

#[test]
#[ignore = "prints a table for people"]
fn survey() {
    for name in media_core::sim::Profile::NAMES {
        for seed in 1..=3 {
            let mut network = Network::named(name, seed).adaptive(1_700, 0.0);
            network.run_to(60.0);
            let flow = &network.flows[0];
            println!(
                "{name:14} {seed} est {:5.0} recv {:5.0} queue mean {:4.0} max {:4.0}  reach80 {:?}",
                flow.mean(10.0, 60.0, |s| s.estimate),
                flow.mean(10.0, 60.0, |s| s.received),
                flow.mean(10.0, 60.0, |s| s.queue),
                flow.most(10.0, 60.0, |s| s.queue),
                flow.first(0.0, |s| s.estimate >= 0.8 * 1700.0),
            );
        }
    }
}
