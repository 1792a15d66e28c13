//! Two desktop clients behind a network that loses a fifth of the packets both ways: what each says is understood by the other. How well, and on other networks, is
//! what the bench `audio` measures.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::clip;
use e2e::desktop::{Desktop, Options};
use e2e::listening;
use e2e::network::Network;
use e2e::persona::{DORA, ERIK};
use e2e::server::Server;
use e2e::sound::Sound;
use media_core::sim::Profile;
use tokio::time::sleep;

/// Loses a fifth of the packets each way.
const PROFILE: &str = "loss-20";

/// From when both are connected: until loss is noticed and sound repeats earlier packets.
const SETTLING: Duration = Duration::from_secs(4);

/// How long is listened to: five sentences.
const CALL: Duration = Duration::from_secs(18);

/// What is recorded is written once a second.
const WRITING: Duration = Duration::from_secs(1);

/// Least STOI of the sentences on average: four fifths of what it is without loss. On a quiet machine it is 0.92 to 0.94.
const MEAN: f64 = 0.79;

#[tokio::test]
async fn voices_are_understood_over_loss() -> Result<()> {
    if let Some(reason) = Network::unavailable() {
        eprintln!("skipped: {reason}");
        return Ok(());
    }
    let network = Network::new(3, 1)?;
    let [here, there, middle] = network.hosts() else { unreachable!("three were asked for") };
    let server = Server::start_on(middle).await?;
    let url = server.room_url("voices");
    let folder = tempfile::tempdir()?;
    let said = folder.path().join("said.wav");
    clip::write_sentences(&said)?;
    network.impose(here, &Profile::named(PROFILE).context("no such profile")?)?;

    let speaks = Options {
        camera: "test-pattern:320x180@15".to_owned(),
        microphone: format!("file:{}", said.display()),
        ..Options::default()
    };
    let mut dora = Desktop::call_from(there, &url, DORA.name, &speaks)?;
    let mut erik = Desktop::call_from(here, &url, ERIK.name, &speaks)?;
    dora.is_with(&[ERIK.name]).await?;
    erik.is_with(&[DORA.name]).await?;
    sleep(SETTLING + CALL + WRITING).await;
    for (desktop, name) in [(&dora, DORA.name), (&erik, ERIK.name)] {
        let heard = folder.path().join("heard.wav");
        Sound::read(&desktop.recording())?.write_last(CALL, &heard)?;
        let score = listening::score(&said, &heard)?;
        println!("{name}: {score:?}");
        let mean = score.stoi.context("nothing was said")?.mean;
        assert!(score.said >= 4 && mean >= MEAN, "{name}: {score:?}");
    }
    let traffic = network.traffic(here)?;
    assert!(traffic.up.lost > 0 && traffic.down.lost > 0, "{traffic:?}");
    Ok(())
}
