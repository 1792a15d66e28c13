//! Somebody whose microphone hears their loudspeaker: the others do not hear themselves.

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::clip;
use e2e::desktop::{Desktop, Options};
use e2e::persona::{DORA, ERIK};
use e2e::pulse::Pulse;
use e2e::server::Server;
use tokio::time::sleep;

/// What passes before the echo is measured: the canceller has to learn the room.
const LEARNING: Duration = Duration::from_secs(7);

/// How long it is measured. Speech has pauses.
const MEASURED: Duration = Duration::from_secs(8);

/// What digital silence counts as, in dB relative to full scale.
const SILENCE: f64 = -120.0;

/// Least reduction, in dB, in half of the seconds. On a quiet machine it is 40 and more; on a busy one the sound server loses samples, and with each loss the
/// delay jumps.
const LEAST_REDUCTION: f64 = 20.0;

#[tokio::test]
async fn a_loudspeaker_in_the_room_does_not_echo() -> Result<()> {
    let original = echo(true).await?;
    let left = echo(false).await?;
    println!("echo: {original:.1} dB, {left:.1} dB after cancellation");
    assert!(original > -45.0, "hardly an echo: {original:.1} dB");
    assert!(left < original - LEAST_REDUCTION, "{original:.1} dB, then {left:.1} dB");
    Ok(())
}

/// The level at which somebody who talks hears themselves in a second, in dB relative to full scale: the median.
async fn echo(original_sound: bool) -> Result<f64> {
    let pulse = Pulse::start().await?;
    let (from, to) = (format!("source={}.monitor", Pulse::SPEAKER), "sink=feed".to_owned());
    pulse.pactl(&["load-module", "module-loopback", &from, &to, "latency_msec=60", "adjust_time=0"])?;
    let server = Server::start().await?;
    let url = server.room_url("echo");
    let folder = tempfile::tempdir()?;
    let speech = folder.path().join("speech.wav");
    clip::write_speech(&speech)?;
    let talks = Options { microphone: format!("file:{}", speech.display()), ..Options::listener() };
    let listens = Options {
        microphone: format!("device:{}", Pulse::MICROPHONE),
        speaker: Some(format!("device:{}", Pulse::SPEAKER)),
        original_sound,
        ..Options::listener()
    };
    let mut dora = Desktop::call(&url, DORA.name, &talks)?;
    let mut erik = Desktop::call_with_sound(&url, ERIK.name, &listens, &pulse)?;
    dora.is_with(&[ERIK.name]).await?;
    erik.is_with(&[DORA.name]).await?;
    sleep(LEARNING + MEASURED).await;
    let mut levels: Vec<f64> = dora
        .history()?
        .iter()
        .rev()
        .take(MEASURED.as_secs() as usize)
        .map(|stats| {
            let audio = stats.peer(ERIK.name).and_then(|peer| peer.audio.as_ref());
            audio.and_then(|audio| audio.level_dbfs).unwrap_or(SILENCE)
        })
        .collect();
    levels.sort_by(f64::total_cmp);
    levels.get(levels.len() / 2).copied().context("no statistics")
}
