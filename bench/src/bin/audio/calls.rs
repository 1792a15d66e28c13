//! Calls over impaired networks, listened to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench::call::pair::Pair;
use bench::call::quality::Originals;
use bench::call::run::{self, Call, Conditions};
use bench::call::side::Kept;
use bench::clip::{Clips, Format};
use clap::Args;
use e2e::listening;
use e2e::network::Network;
use media_core::sim::Profile;

use crate::figures::{Figures, Heard};

/// The size of everybody's picture.
const FORMAT: Format = Format { width: 640, height: 360 };

/// Which calls are made.
#[derive(Debug, Args)]
pub struct Options {
    /// How long each call is listened to, from when it is connected; a profile that changes over time takes as long as it takes
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(10..=600))]
    seconds: u64,
    /// Which networks, by the names of the simulator
    #[arg(long, value_delimiter = ',', default_values = Profile::NAMES, value_parser = profile)]
    profiles: Vec<String>,
    /// Who calls whom: d is a desktop client, c is Chromium; the first is behind the impaired link
    #[arg(long, value_delimiter = ',', default_value = "dd,cc")]
    pairs: Vec<Pair>,
    /// How often; each figure is the median
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=99))]
    repeat: u8,
    /// What decides which packets are lost; each repetition takes the next number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder to keep what was said and what was heard in, for those who want to listen themselves
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn profile(name: &str) -> Result<String, String> {
    let known = Profile::named(name).is_some();
    if known {
        Ok(name.to_owned())
    } else {
        Err(format!("there are {}, and cap-N for N kbit/s", Profile::NAMES.join(", ")))
    }
}

/// Makes all calls and prints a table.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what this program is for")]
pub async fn run(options: &Options) -> Result<()> {
    if let Some(reason) = Network::unavailable() {
        bail!("{reason}");
    }
    let clips = Clips::write_sentences(FORMAT)?;
    let originals = Originals::of(FORMAT);
    let scratch = tempfile::tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::copy(clips.microphone(), folder.join("said.wav"))?;
    println!("{}", Figures::HEADER);
    for name in &options.profiles {
        for pair in &options.pairs {
            let mut calls = vec![];
            for seed in (0..u64::from(options.repeat)).map(|number| options.seed.wrapping_add(number)) {
                let conditions = Conditions {
                    profile: Profile::named(name).context("no such profile")?,
                    time: Duration::from_secs(options.seconds),
                    seed,
                    kept: Kept::Sound,
                };
                let call = run::run(*pair, &conditions, &clips, &originals).await;
                let prefix = format!("{name}-{}-{seed}", pair.letters());
                match call.and_then(|call| listen(&call, folder, &prefix)) {
                    Ok(figures) => calls.push(figures),
                    // One call that does not come about says something too, but not about the others.
                    Err(error) => eprintln!("{name}, {pair}: {error:#}"),
                }
            }
            match Figures::median(&calls) {
                Some(figures) => println!("{}", figures.row(name, &pair.to_string())),
                None => println!("| {name} | {pair} | failed |"),
            }
        }
    }
    Ok(())
}

/// Compares what both sides have heard with what was said.
fn listen(call: &Call, folder: &Path, prefix: &str) -> Result<Figures> {
    let length = Duration::from_secs_f64((call.window.to - call.window.from) / 1_000.0);
    let said = folder.join("said.wav");
    let mut sides = vec![];
    for (record, side) in call.records.iter().zip(["near", "far"]) {
        let heard = folder.join(format!("{prefix}-{side}.wav"));
        record.sound.write_last(length, &heard)?;
        let score = listening::score(&said, &heard)?;
        sides.push(Heard::new(&score, &record.received(call.window)));
    }
    let worse = sides.into_iter().reduce(Heard::worse).context("there are two sides")?;
    Ok(Figures::new(worse, call.lateness_ms))
}
