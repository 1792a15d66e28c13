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
const LEARNING: Duration = Duration::from_secs(5);

/// How long it is measured. Speech has pauses.
const MEASURED: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_loudspeaker_in_the_room_does_not_echo() -> Result<()> {
    let original = echo(true).await?.context("the room has no echo that could be cancelled")?;
    let left = echo(false).await?;
    println!("echo: {original:.1} dB, {left:?} after cancellation");
    assert!(original > -45.0, "hardly an echo: {original:.1} dB");
    assert!(left.is_none_or(|left| left < original - 20.0), "{original:.1} dB, then {left:?}");
    Ok(())
}

/// The level at which somebody who talks hears themselves, in dB relative to full scale; `None` for silence.
async fn echo(original_sound: bool) -> Result<Option<f64>> {
    let pulse = Pulse::start().await?;
    let (from, to) = (format!("source={}.monitor", Pulse::SPEAKER), "sink=feed".to_owned());
    pulse.pactl(&["load-module", "module-loopback", &from, &to, "latency_msec=60"])?;
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
    let levels: Vec<f64> = dora
        .history()?
        .iter()
        .rev()
        .take(MEASURED.as_secs() as usize)
        .filter_map(|stats| stats.peer(ERIK.name)?.audio.as_ref()?.level_dbfs)
        .collect();
    let energy: f64 = levels.iter().map(|level| 10_f64.powf(level / 10.0)).sum();
    Ok((!levels.is_empty()).then(|| 10.0 * (energy / MEASURED.as_secs_f64()).log10()))
}
