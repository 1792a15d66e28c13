//! Chromium in the seat, on the room page that guests get.

use anyhow::{Context, Result};
use bench::clip::{Clips, Format};
use bench::processes;
use e2e::browser::{Access, Browser, Devices};
use e2e::room_page::RoomPage;
use serde::Deserialize;

use crate::room::{Room, SEAT, Stream};
use crate::seat::Seat;

/// Remembers the page's connections, which it keeps to itself, so that their statistics can be read; and keeps the pictures at the camera's size. The page
/// makes them smaller in larger rooms, and so does the browser when the machine is busy: the two seats would do different work. The page's bitrates stand.
const REMEMBER_CONNECTIONS: &str = r"
const connections = window.benchConnections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); connections.push(this); }
};
const setParameters = RTCRtpSender.prototype.setParameters;
RTCRtpSender.prototype.setParameters = function (parameters) {
  if (this.track?.kind === 'video') {
    parameters.degradationPreference = 'maintain-resolution';
    for (const encoding of parameters.encodings) Object.assign(encoding, { scaleResolutionDownBy: 1 });
  }
  return setParameters.call(this, parameters);
};
";

/// Shows nothing: the desktop client has no window either. Received pictures are decoded all the same, and the count of decoded ones shows it.
const SHOW_NOTHING: &str = "document.documentElement.style.display = 'none'";

const STREAMS: &str = r"
const streams = [];
for (const connection of window.benchConnections) {
  if (connection.connectionState !== 'connected') continue;
  for (const report of (await connection.getStats()).values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'video' && report.frameWidth) streams.push({
      time: report.timestamp, frames: report.framesDecoded, width: report.frameWidth, height: report.frameHeight,
    });
  }
}
return streams;
";

/// A browser on the room page.
#[derive(Debug)]
pub struct ChromiumSeat {
    page: RoomPage,
}

#[derive(Deserialize)]
struct Report {
    time: f64,
    frames: u64,
    width: u32,
    height: u32,
}

impl ChromiumSeat {
    /// Joins the room, with the browser's sound processing off: the desktop client gets a clean tone too.
    pub async fn take(room: &Room, clips: &Clips) -> Result<Self> {
        let devices = Devices {
            access: Access::Given,
            camera: Some(clips.camera()),
            microphone: Some(clips.microphone()),
        };
        let page = RoomPage::open(Browser::chromium(&devices).await?, room.url()).await?;
        page.browser().client().execute(REMEMBER_CONNECTIONS, vec![]).await?;
        page.ask_for_original_sound().await?;
        page.enter(SEAT).await?;
        page.browser().client().execute(SHOW_NOTHING, vec![]).await?;
        Ok(Self { page })
    }
}

impl Seat for ChromiumSeat {
    async fn streams(&mut self) -> Result<Vec<Stream>> {
        let reports: Vec<Report> = self.page.browser().run_async(STREAMS, vec![]).await?;
        Ok(reports
            .into_iter()
            .map(|report| Stream {
                time: report.time / 1_000.0,
                frames: report.frames,
                format: Format { width: report.width, height: report.height },
            })
            .collect())
    }

    fn processes(&self) -> Result<Vec<u32>> {
        processes::descendants(self.page.browser().driver_process_id()).context("no browser")
    }

    /// Browsers keep that to themselves.
    fn encoder_cpu(&mut self) -> Result<Option<f64>> {
        Ok(None)
    }
}
