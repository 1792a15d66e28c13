//! What sound costs: a client with a microphone, voice processing and a speaker, and three others who speak.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use bench::processes;
use clap::Args;
use e2e::clip;
use e2e::desktop::Desktop;
use e2e::pulse::Pulse;
use e2e::server::Server;
use tokio::time::{Instant, sleep};

use crate::seat;

/// How many others there are.
const OTHERS: usize = 3;

/// The name of whose cost is measured.
const SEAT: &str = "Seat";

/// How long it is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// In seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
}

/// Measures and prints CPU-seconds per minute of each thread that took any.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn run(options: &Options) -> Result<()> {
    let (pulse, server, folder) = (Pulse::start().await?, Server::start().await?, tempfile::tempdir()?);
    let (url, speech) = (server.room_url("cost"), folder.path().join("speech.wav"));
    clip::write_speech(&speech)?;
    let mut others = vec![];
    for number in 0..OTHERS {
        others.push(Desktop::call(&url, &format!("Other {number}"), &seat::speaks(&speech, "none"))?);
    }
    let microphone = format!("device:{}", Pulse::MICROPHONE);
    let mut seat = Desktop::call_with_sound(&url, SEAT, &seat::listens("none", microphone), &pulse)?;
    let names: Vec<String> = (0..OTHERS).map(|number| format!("Other {number}")).collect();
    seat.is_with(&names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    // The speech lasts half a minute; whoever is in the seat says it again when they have ended.
    let mut voice = pulse.speak(&speech)?;
    sleep(seat::REST).await;

    let (before, start) = (processes::thread_cpu_seconds(seat.process_id())?, Instant::now());
    while start.elapsed() < Duration::from_secs(options.seconds) {
        if voice.exit_status()?.is_some() {
            voice = pulse.speak(&speech)?;
        }
        sleep(Duration::from_millis(200)).await;
    }
    let after = processes::thread_cpu_seconds(seat.process_id())?;
    let per_minute = 60.0 / start.elapsed().as_secs_f64();

    println!("| thread | CPU-s per minute |\n|---|---|");
    let spent =
        |name: &String, after: f64| (after - before.get(name).copied().unwrap_or_default()) * per_minute;
    let costs: BTreeMap<&String, f64> =
        after.iter().map(|(name, after)| (name, spent(name, *after))).collect();
    for (name, cost) in costs.iter().filter(|(_, cost)| **cost > 0.0) {
        println!("| {name} | {cost:.2} |");
    }
    println!("| all | {:.2} |", costs.values().sum::<f64>());
    let devices = seat::devices(&mut seat)?;
    println!("\nunder-runs {}, over-runs {}", devices.underruns, devices.overruns);
    Ok(())
}
