//! Music from a clip with two channels: what is left there is left at the listener's, a desktop client or a page, and the listener's own mono voice is in the
//! middle.

use anyhow::{Result, bail};
use e2e::browser::Browser;
use e2e::clip;
use e2e::desktop::{Desktop, Options};
use e2e::persona::MAYA;
use e2e::pulse::Pulse;
use e2e::room_page::RoomPage;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Page,
    Desktop,
}

/// Ids are drawn at each join: how often they may come in the wrong order.
const DRAWS_MAX: usize = 20;

/// A page and a desktop client that plays music: who is there first, and who has the smaller id and so makes the first offer.
async fn a_page_hears_the_sides(first: Side, offers: Side) -> Result<()> {
    let server = Server::start().await?;
    let folder = tempfile::tempdir()?;
    let clips = MAYA.clips()?;
    let player = Options { sound_mode: Some("music"), stereo: true, ..plays(&folder)? };
    for draw in 0..DRAWS_MAX {
        let url = server.room_url(&format!("sides-{draw}"));
        let join = async || RoomPage::join(clips.chromium().await?, &url, MAYA.name).await;
        let early = if first == Side::Page { Some(join().await?) } else { None };
        let mut desktop = Desktop::call(&url, "Nadia", &player)?;
        let theirs = desktop.joined().await?;
        let page = match early {
            Some(page) => page,
            None => join().await?,
        };
        if (page.peer_id().await? < theirs) == (offers == Side::Page) {
            page.hears_on_sides("Nadia", LEFT, [LEVEL, ASIDE]).await?;
            page.hears_on_sides("Nadia", RIGHT, [ASIDE, LEVEL]).await?;
            return desktop.plays_on_sides(MAYA.voice, [VOICE_LEVEL; 2]).await;
        }
    }
    bail!("the ids were never in the order that was wanted")
}

#[tokio::test]
async fn a_page_that_was_there_first_and_offers_hears_the_sides() -> Result<()> {
    a_page_hears_the_sides(Side::Page, Side::Page).await
}

#[tokio::test]
async fn a_page_that_was_there_first_and_answers_hears_the_sides() -> Result<()> {
    a_page_hears_the_sides(Side::Page, Side::Desktop).await
}

#[tokio::test]
async fn a_page_that_comes_later_and_offers_hears_the_sides() -> Result<()> {
    a_page_hears_the_sides(Side::Desktop, Side::Page).await
}

#[tokio::test]
async fn a_page_that_comes_later_and_answers_hears_the_sides() -> Result<()> {
    a_page_hears_the_sides(Side::Desktop, Side::Desktop).await
}

#[tokio::test]
async fn firefox_hears_the_sides() -> Result<()> {
    let pulse = Pulse::start().await?;
    let server = Server::start().await?;
    let url = server.room_url("firefox");
    let folder = tempfile::tempdir()?;
    let player = Options { sound_mode: Some("music"), ..plays(&folder)? };
    let _player = Desktop::call(&url, "Nadia", &player)?;
    let page = RoomPage::join(Browser::firefox(VOICE, &pulse).await?, &url, "Fox").await?;
    page.hears_on_sides("Nadia", LEFT, [LEVEL, ASIDE]).await?;
    page.hears_on_sides("Nadia", RIGHT, [ASIDE, LEVEL]).await
}
