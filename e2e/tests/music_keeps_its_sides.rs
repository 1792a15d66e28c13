//! Music from a clip with two channels: what is left there is left at the listener's, and the listener's own mono voice is in the middle.

use anyhow::Result;
use e2e::clip;
use e2e::desktop::{Desktop, Options};
use e2e::server::Server;
use tempfile::TempDir;

const LEFT: u32 = 440;
const RIGHT: u32 = 1_250;
const VOICE: u32 = 700;

/// Level of the clip's tones, and of `tone:HZ`, in dB.
const LEVEL: f64 = -20.0;
const VOICE_LEVEL: f64 = -15.0;

/// What may come through on the other side, in dB.
const ASIDE: f64 = -55.0;

/// Who plays a clip with a tone on each side, which is kept in this folder.
fn plays(folder: &TempDir) -> Result<Options> {
    let music = folder.path().join("music.wav");
    clip::write_tones(&music, &[LEFT, RIGHT], LEVEL)?;
    let microphone = format!("file:{}", music.display());
    Ok(Options { camera: "none".to_owned(), microphone, ..Options::default() })
}

#[tokio::test]
async fn music_keeps_its_sides_and_a_voice_is_in_the_middle() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("music");
    let folder = tempfile::tempdir()?;
    let player = Options { sound_mode: Some("music"), stereo: true, ..plays(&folder)? };
    let singer = Options { camera: "none".to_owned(), stereo: true, ..Options::tone(VOICE) };
    let player = Desktop::call(&url, "Nadia", &player)?;
    let singer = Desktop::call(&url, "Rolf", &singer)?;

    singer.plays_on_sides(LEFT, [LEVEL, ASIDE]).await?;
    singer.plays_on_sides(RIGHT, [ASIDE, LEVEL]).await?;
    player.plays_on_sides(VOICE, [VOICE_LEVEL; 2]).await?;
    Ok(())
}

#[tokio::test]
async fn a_voice_from_the_same_clip_is_in_the_middle() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("voice");
    let folder = tempfile::tempdir()?;
    let _player = Desktop::call(&url, "Nadia", &plays(&folder)?)?;
    let listener = Desktop::call(&url, "Rolf", &Options { stereo: true, ..Options::listener() })?;
    // Each tone is in one of two channels, so of the mean it is half.
    listener.plays_on_sides(LEFT, [LEVEL - 6.0; 2]).await
}
