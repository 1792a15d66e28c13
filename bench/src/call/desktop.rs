//! A headless desktop client as one side of a call.

use anyhow::Result;
use e2e::desktop::{Desktop, Options, PeerStats, Stats};
use e2e::sound::Sound;

use super::pair::Client;
use super::quality::{self, Originals};
use super::record::{Latency, Moment, Record};
use super::side::{Kept, Place};

/// The client.
#[derive(Debug)]
pub struct DesktopSide {
    desktop: Desktop,
    kept: Kept,
    /// What the other's pictures are marked with.
    other: Client,
}

impl DesktopSide {
    /// Starts it; it goes into the room at once.
    pub fn join(place: Place<'_>, url: &str, other: Client) -> Result<Self> {
        let Place { host, clips, name, kept, .. } = place;
        let options = Options {
            camera: format!("file:{}?marks=time", clips.camera().display()),
            microphone: format!("file:{}", clips.microphone().display()),
            speaker: (kept == Kept::Pictures).then(|| "none".to_owned()),
            pictures: kept == Kept::Pictures,
            ..Options::default()
        };
        Ok(Self { desktop: Desktop::call_from(host, url, name, &options)?, kept, other })
    }

    /// Waits until it is in the room.
    pub async fn joined(&mut self) -> Result<()> {
        self.desktop.joined().await.map(drop)
    }

    /// Whether there is a connection.
    pub fn is_connected(&mut self) -> Result<bool> {
        let stats = self.desktop.stats()?;
        Ok(stats
            .is_some_and(|stats| stats.peers.first().is_some_and(|peer| peer.join_to_connected_ms.is_some())))
    }

    /// What it has noticed.
    pub fn record(&self, originals: &Originals) -> Result<Record> {
        let history = self.desktop.history()?;
        let mut record = Record { moments: history.iter().map(moment).collect(), ..Record::default() };
        match self.kept {
            Kept::Pictures => {
                for (at, path) in self.desktop.pictures()? {
                    record.quality.extend(originals.psnr(&quality::read(&path)?).map(|psnr| (at, psnr)));
                }
            }
            Kept::Sound => record.sound = Sound::read(&self.desktop.recording())?,
        }
        let Some(peer) = history.last().and_then(|last| last.peers.first()) else { return Ok(record) };
        let first = |time: fn(&PeerStats) -> Option<f64>| {
            history.iter().filter_map(|line| line.peers.first()).find_map(time)
        };
        record.connected = first(|peer| peer.join_to_connected_ms);
        record.first_frame = first(|peer| peer.join_to_first_frame_ms);
        // It takes every mark for the time: numbers of frames tell it nothing.
        let latency = peer.video.as_ref().and_then(|video| video.latency_ms);
        record.latency = match self.other {
            Client::Desktop => latency.map(|latency| Latency { p50: latency.p50, p95: latency.p95 }),
            Client::Chromium => None,
        };
        Ok(record)
    }
}

fn moment(line: &Stats) -> Moment {
    let peer = line.peers.first();
    let (video, audio) =
        (peer.and_then(|peer| peer.video.as_ref()), peer.and_then(|peer| peer.audio.as_ref()));
    Moment {
        at: line.t,
        frames: video.map_or(0, |video| video.frames_decoded),
        freezes: video.map_or(0, |video| video.freeze_count),
        frozen: video.map_or(0.0, |video| video.total_freezes_duration),
        samples: audio.map_or(0, |audio| audio.total_samples_received),
        concealed: audio.map_or(0, |audio| audio.concealed_samples),
        wait: audio.and_then(|audio| audio.jitter_buffer_delay_ms),
        video_kbps: video.and_then(|video| video.bitrate_kbps).unwrap_or_default(),
        size: video.and_then(|video| video.frame_width.zip(video.frame_height)),
    }
}
