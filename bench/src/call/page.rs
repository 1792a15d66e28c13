//! Chromium on the room page as one side of a call.

use anyhow::Result;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::browser::{Access, Browser, Devices};
use e2e::room_page::RoomPage;
use e2e::sound::Sound;
use media_core::marks::video as marks;
use serde::Deserialize;
use serde_json::json;

use super::pair::Client;
use super::quality::{Luma, Originals};
use super::record::{Latency, Moment, Record};
use super::side::{Kept, Place};
use crate::clip::{FRAMES, RATE};

/// Watches the page's connections, which it keeps to itself: when they connect, their statistics each second, and the marks in all pictures, as they come
/// from the camera and from the decoder (`MediaStreamTrackProcessor`, so that nothing need be shown).
const WATCH: &str = include_str!("watch.js");

/// What it has noticed, as text where that is shorter.
const TOLD: &str = r"
const { timer, heard, ...all } = window.bench;
let bytes = '';
for (const part of heard) bytes += String.fromCharCode(...new Uint8Array(part.buffer));
return { ...all, heard: btoa(bytes) };
";

/// Shows nothing: a headless desktop client has no window either. Received pictures are decoded all the same.
const SHOW_NOTHING: &str = "document.documentElement.style.display = 'none'";

/// Length of the clip in milliseconds: after it the numbers of frames begin anew.
const CLIP_MS: f64 = FRAMES as f64 * 1_000.0 / RATE as f64;

/// A browser on the room page.
#[derive(Debug)]
pub struct PageSide {
    page: RoomPage,
}

/// What the page has noticed.
#[derive(Debug, Deserialize)]
pub struct Watched {
    connected: Option<f64>,
    #[serde(rename = "firstFrame")]
    first_frame: Option<f64>,
    moments: Vec<PageMoment>,
    /// Unix time in milliseconds, and the mark.
    sent: Vec<(f64, u32)>,
    received: Vec<(f64, u32)>,
    pictures: Vec<Picture>,
    /// What was heard: its sampling rate, and its samples in base64.
    rate: u32,
    heard: String,
}

/// A received picture: its luma in base64.
#[derive(Debug, Deserialize)]
struct Picture {
    at: f64,
    width: usize,
    height: usize,
    luma: String,
}

#[derive(Debug, Deserialize)]
struct PageMoment {
    at: f64,
    frames: u64,
    freezes: u64,
    frozen: f64,
    samples: u64,
    concealed: u64,
    wait: Option<f64>,
    #[serde(rename = "videoKbps")]
    video_kbps: f64,
    width: u32,
    height: u32,
}

impl PageSide {
    /// Opens the page up to the preview.
    pub async fn open(place: Place<'_>, url: &str) -> Result<Self> {
        let Place { host, server, clips, kept, .. } = place;
        let devices = Devices {
            access: Access::Given,
            camera: Some(clips.camera()),
            microphone: Some(clips.microphone()),
        };
        let page = RoomPage::open(Browser::chromium_on(host, &devices, &server.url()).await?, url).await?;
        page.ask_for_original_sound().await?;
        page.browser().client().execute(WATCH, vec![json!(kept == Kept::Sound)]).await?;
        Ok(Self { page })
    }

    /// Goes into the room.
    pub async fn join(&self, name: &str) -> Result<()> {
        self.page.enter(name).await?;
        self.page.browser().client().execute(SHOW_NOTHING, vec![]).await?;
        Ok(())
    }

    /// Whether there is a connection.
    pub async fn is_connected(&self) -> Result<bool> {
        self.page.browser().run("return window.bench.connected !== null", vec![]).await
    }

    /// What it has noticed so far.
    pub async fn watched(&self) -> Result<Watched> {
        self.page.browser().run(TOLD, vec![]).await
    }
}

impl Watched {
    /// As a record. The marks of a Chromium on the other side are numbers of frames, whose times that side knows.
    pub fn record(&self, other: Client, other_page: Option<&Self>, originals: &Originals) -> Record {
        let latencies = match (other, other_page) {
            (Client::Desktop, _) => self.received.iter().map(|(at, mark)| from_time(*at, *mark)).collect(),
            (Client::Chromium, Some(page)) => {
                self.received.iter().filter_map(|(at, mark)| from_number(&page.sent, *at, *mark)).collect()
            }
            (Client::Chromium, None) => vec![],
        };
        Record {
            connected: self.connected,
            first_frame: self.first_frame,
            moments: self.moments.iter().map(Moment::from).collect(),
            latency: Latency::of(latencies),
            quality: self.pictures.iter().filter_map(|picture| picture.psnr(originals)).collect(),
            sound: Sound::from_bytes(self.rate, &BASE64_STANDARD.decode(&self.heard).unwrap_or_default()),
        }
    }
}

impl Picture {
    fn psnr(&self, originals: &Originals) -> Option<(f64, f64)> {
        let pixels = BASE64_STANDARD.decode(&self.luma).ok()?;
        let luma = Luma { width: self.width, height: self.height, pixels };
        originals.psnr(&luma).map(|psnr| (self.at, psnr))
    }
}

fn from_time(at: f64, mark: u32) -> f64 {
    f64::from(marks::latency_ms(mark, std::time::Duration::from_secs_f64(at.max(0.0) / 1_000.0)))
}

/// When the frame of this number that has just arrived was captured: the last time before.
fn from_number(sent: &[(f64, u32)], at: f64, mark: u32) -> Option<f64> {
    let before = sent.partition_point(|(captured, _)| *captured <= at);
    let candidates = sent.get(..before)?.iter().rev();
    let recent = candidates.take_while(|(captured, _)| at - captured < CLIP_MS);
    recent.clone().find(|(_, number)| *number == mark).map(|(captured, _)| at - captured)
}

impl From<&PageMoment> for Moment {
    fn from(moment: &PageMoment) -> Self {
        Self {
            at: moment.at,
            frames: moment.frames,
            freezes: moment.freezes,
            frozen: moment.frozen,
            samples: moment.samples,
            concealed: moment.concealed,
            wait: moment.wait,
            video_kbps: moment.video_kbps,
            size: (moment.width > 0).then_some((moment.width, moment.height)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_its_last_frame_before() {
        let sent: Vec<(f64, u32)> = (0..300).map(|index| (f64::from(index) * 33.0, index % FRAMES)).collect();
        assert_eq!(from_number(&sent, 33.0 * 125.0 + 40.0, 5), Some(40.0));
        assert_eq!(from_number(&sent, 10.0, 5), None);
        assert_eq!(from_number(&sent, 1e9, 5), None);
    }
}
