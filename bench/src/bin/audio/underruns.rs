//! Whether the speaker runs dry while the machine is busy with pictures.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use e2e::clip;
use e2e::desktop::Desktop;
use e2e::pulse::Pulse;
use e2e::server::Server;
use tokio::time::sleep;

use crate::seat;

/// How long it is counted.
#[derive(Debug, Args)]
pub struct Options {
    /// In seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
}

/// Counts and prints.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn run(options: &Options) -> Result<()> {
    let (pulse, server, folder) = (Pulse::start().await?, Server::start().await?, tempfile::tempdir()?);
    let (url, speech) = (server.room_url("underruns"), folder.path().join("speech.wav"));
    clip::write_speech(&speech)?;
    let mut other = Desktop::call(&url, "Other", &seat::speaks(&speech, seat::CAMERA))?;
    let microphone = format!("device:{}", Pulse::MICROPHONE);
    let mut seat = Desktop::call_with_sound(&url, "Seat", &seat::listens(seat::CAMERA, microphone), &pulse)?;
    seat.is_with(&["Other"]).await?;
    sleep(seat::REST).await;

    let before = seat.stats()?.context("no statistics")?;
    sleep(Duration::from_secs(options.seconds)).await;
    let after = seat.stats()?.context("no statistics")?;
    let rate = |stats: &e2e::desktop::Stats| {
        stats.peer("Seat").and_then(|peer| peer.video.as_ref()?.frames_per_second)
    };
    let encoded = other.stats()?.as_ref().and_then(rate);
    let seconds = (after.t - before.t) / 1_000.0;
    println!(
        "{seconds:.0} s, {} pictures per second: {} under-runs of the speaker, {} over-runs of the microphone",
        encoded.map_or("no".to_owned(), |rate| format!("{rate:.1}")),
        after.devices.underruns - before.devices.underruns,
        after.devices.overruns - before.devices.overruns,
    );
    Ok(())
}
