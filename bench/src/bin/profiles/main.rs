//! Calls on networks that people have: desktop clients with each other, with Chromium, and Chromium with itself, through the same links.
//!
//! One side's access link is impaired in both directions; the other side's and the server's are perfect. Everything goes that way: pictures, sound, and the
//! signaling that brings them about. Each side plays the same clip and the same speech.

mod figures;

use std::time::Duration;

use anyhow::{Result, bail};
use bench::call::pair::Pair;
use bench::call::quality::Originals;
use bench::call::run::{self, Conditions};
use bench::call::side::Kept;
use bench::clip::{Clips, Format};
use clap::Parser;
use e2e::network::Network;
use e2e::process;
use media_core::sim::Profile;

use figures::Figures;

/// Measures calls over impaired networks.
#[derive(Debug, Parser)]
struct Options {
    /// How long each call is measured, from when it is connected; a profile that changes over time takes as long as it takes
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
    /// Which networks, by the names of the simulator
    #[arg(long, value_delimiter = ',', default_values = Profile::NAMES, value_parser = profile)]
    profiles: Vec<String>,
    /// Who calls whom: d is a desktop client, c is Chromium; the first is behind the impaired link
    #[arg(long, value_delimiter = ',', default_value = "dd,dc,cc")]
    pairs: Vec<Pair>,
    /// How often; each figure is the median
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=99))]
    repeat: u8,
    /// The size of everybody's picture
    #[arg(long, default_value = "640x360", value_parser = size)]
    size: Format,
    /// What decides which packets are lost; each repetition takes the next number
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn profile(name: &str) -> Result<String, String> {
    let known = Profile::named(name).is_some();
    if known {
        Ok(name.to_owned())
    } else {
        Err(format!("there are {}, and cap-N for N kbit/s", Profile::NAMES.join(", ")))
    }
}

fn size(text: &str) -> Result<Format, String> {
    let parse = || {
        let (width, height) = text.split_once('x')?;
        Some(Format { width: width.parse().ok()?, height: height.parse().ok()? })
    };
    parse().ok_or_else(|| "write WIDTHxHEIGHT, for example 1280x720".to_owned())
}

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what this program is for")]
async fn main() -> Result<()> {
    process::hide_output();
    let options = Options::parse();
    if let Some(reason) = Network::unavailable() {
        bail!("{reason}");
    }
    let clips = Clips::write_marked(options.size)?;
    let originals = Originals::of(options.size);
    println!("{}", Figures::HEADER);
    for name in &options.profiles {
        for pair in &options.pairs {
            let mut runs = vec![];
            for number in 0..u64::from(options.repeat) {
                let conditions = Conditions {
                    profile: Profile::named(name).unwrap_or_else(|| Profile::both(<_>::default())),
                    time: Duration::from_secs(options.seconds),
                    seed: options.seed.wrapping_add(number),
                    kept: Kept::Pictures,
                };
                match run::run(*pair, &conditions, &clips, &originals).await {
                    Ok(call) => runs.push(Figures::new(&call)),
                    // One call that does not come about says something too, but not about the others.
                    Err(error) => eprintln!("{name}, {pair}: {error:#}"),
                }
            }
            match Figures::median(&runs) {
                Some(figures) => println!("{}", figures.row(name, &pair.to_string())),
                None => println!("| {name} | {pair} | failed |"),
            }
        }
    }
    Ok(())
}
