//! The room around the seat: a server, and the others, who send pictures of the row's format and say how much they get from the seat.

use anyhow::{Context, Result};
use bench::clip::Format;
use e2e::desktop::{Desktop, Options, VideoStats};
use e2e::server::Server;

/// The name of whoever has the seat.
pub const SEAT: &str = "Seat";

/// What has come of one stream of pictures so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stream {
    /// When this was true, in seconds, by the clock of whoever decodes.
    pub time: f64,
    /// Pictures decoded.
    pub frames: u64,
    /// The size of the last.
    pub format: Format,
}

impl Stream {
    /// From a client's statistics; nothing while there is no picture.
    pub fn of(time_ms: f64, video: Option<&VideoStats>) -> Option<Self> {
        let video = video?;
        let format = Format { width: video.frame_width?, height: video.frame_height? };
        Some(Self { time: time_ms / 1_000.0, frames: video.frames_decoded, format })
    }

    /// Pictures per second since then.
    pub fn rate_since(&self, earlier: &Self) -> f64 {
        (self.frames.saturating_sub(earlier.frames)) as f64 / (self.time - earlier.time)
    }
}

/// A room with everybody but the seat. They leave when it is dropped.
#[derive(Debug)]
pub struct Room {
    others: Vec<Desktop>,
    format: Format,
    url: String,
    // Dropped last.
    _server: Server,
}

impl Room {
    /// Opens it, and waits until everybody is there.
    pub async fn open(format: Format, others: usize) -> Result<Self> {
        let server = Server::start().await?;
        let url = server.room_url("bench");
        let mut desktops = vec![];
        for number in 0..others {
            let options = Options {
                camera: format!("test-pattern:{format}"),
                microphone: format!("tone:{}", 600 + 100 * number),
                speaker: Some("none".to_owned()),
                // So that two cores carry four people: each of the others decodes the seat alone.
                watch: Some(SEAT.to_owned()),
                ..Options::default()
            };
            let mut desktop = Desktop::call(&url, &format!("Other {number}"), &options)?;
            desktop.joined().await?;
            desktops.push(desktop);
        }
        Ok(Self { others: desktops, format, url, _server: server })
    }

    /// The page of the room.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The size of everybody's picture.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many others there are.
    pub fn size(&self) -> usize {
        self.others.len()
    }

    /// What each of the others gets from the seat; those who get nothing yet are left out.
    pub fn streams_from_seat(&mut self) -> Result<Vec<Stream>> {
        let mut streams = vec![];
        for desktop in &mut self.others {
            let stats = desktop.stats()?.context("no statistics")?;
            let video = stats.peer(SEAT).and_then(|seat| seat.video.as_ref());
            streams.extend(Stream::of(stats.t, video));
        }
        Ok(streams)
    }
}
