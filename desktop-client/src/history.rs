//! The statistics of the last minute, as curves for the window: the same figures as [`crate::stats`] writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use call_core::snapshot::Snapshot;
use call_media::Media;
use call_ui::{Figure, SECONDS};
use shared::PeerId;
use tokio::sync::watch;

use crate::collect::collect;
use crate::engine::Links;
use crate::stats::{CallStats, PeerStats, ProcessStats};

/// One value for each second.
const INTERVAL: Duration = Duration::from_secs(1);

/// A figure's name, unit, digits behind the point, and value.
type Reading = (&'static str, &'static str, usize, Option<f64>);

/// Curves of everybody in the room, and of this program.
#[derive(Debug, Clone, Default)]
pub struct History {
    own: Vec<Figure>,
    peers: BTreeMap<PeerId, Vec<Figure>>,
    last_process: Option<ProcessStats>,
}

impl History {
    /// Our own curves.
    pub fn own(&self) -> &[Figure] {
        &self.own
    }

    /// A peer's curves.
    pub fn peer(&self, id: &PeerId) -> &[Figure] {
        self.peers.get(id).map_or(&[], Vec::as_slice)
    }

    /// Adds one second; peers that are gone are forgotten.
    fn add(&mut self, stats: &CallStats) {
        self.peers.retain(|id, _| stats.peers.iter().any(|peer| peer.peer_id == *id));
        for peer in &stats.peers {
            append(self.peers.entry(peer.peer_id.clone()).or_default(), &peer_readings(peer));
        }
        let processor = self.last_process.and_then(|last| {
            let seconds = stats.process.cpu_seconds? - last.cpu_seconds?;
            Some(seconds / INTERVAL.as_secs_f64() * 100.0)
        });
        self.last_process = Some(stats.process);
        append(
            &mut self.own,
            &[("Processor", "% of a core", 0, processor), ("Memory", "MiB", 0, stats.process.rss_mib)],
        );
    }
}

/// Keeps a history until the window is gone.
pub async fn keep(
    history: watch::Sender<Arc<History>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    links: watch::Receiver<Arc<Links>>,
    media: std::sync::Weak<Media>,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut current = History::default();
    while !history.is_closed() {
        ticks.tick().await;
        let Some(media) = media.upgrade() else { return };
        let (snapshot, links) = (Arc::clone(&snapshots.borrow()), Arc::clone(&links.borrow()));
        current.add(&collect(&snapshot, &links, &media, false));
        history.send_replace(Arc::new(current.clone()));
    }
}

fn peer_readings(peer: &PeerStats) -> Vec<Reading> {
    let (video, audio, send) = (peer.video.as_ref(), peer.audio.as_ref(), peer.send.as_ref());
    vec![
        ("Round trip", "ms", 0, peer.rtt_ms),
        ("Video received", "kbit/s", 0, video.and_then(|v| v.bitrate_kbps)),
        ("Pictures received", "per second", 0, video.and_then(|v| v.frames_per_second)),
        ("Picture height", "pixels", 0, video.and_then(|v| v.frame_height).map(f64::from)),
        ("Picture delayed for even motion", "ms", 0, video.and_then(|v| v.playout_delay_ms)),
        ("Unevenness of arrival", "ms", 1, video.and_then(|v| v.jitter_ms)),
        ("Sound later than picture", "ms", 0, video.and_then(|v| v.av_offset_ms)),
        ("Sound received", "kbit/s", 0, audio.and_then(|a| a.bitrate_kbps)),
        ("Sound buffered", "ms", 0, audio.and_then(|a| a.jitter_buffer_delay_ms)),
        ("Available to send", "kbit/s", 0, send.and_then(|s| s.estimate_kbps)),
        ("Wanted to send", "kbit/s", 0, send.and_then(|s| s.target_kbps)),
        ("Sent", "kbit/s", 0, send.and_then(|s| s.bitrate_kbps)),
        ("Waiting to be sent", "ms", 0, send.map(|s| s.queue_delay_ms)),
        ("Lost on the way", "%", 1, send.and_then(|s| s.fraction_lost).map(|lost| lost * 100.0)),
    ]
}

fn append(figures: &mut Vec<Figure>, readings: &[Reading]) {
    if figures.is_empty() {
        let empty = |&(name, unit, digits, _): &Reading| Figure { name, unit, digits, values: Vec::new() };
        figures.extend(readings.iter().map(empty));
    }
    for (figure, (_, _, _, value)) in figures.iter_mut().zip(readings) {
        if figure.values.len() == SECONDS {
            figure.values.remove(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a curve needs no more digits")]
        figure.values.push(value.map(|value| value as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{EncoderStats, SoundDeviceStats};

    fn second(peers: &[&str], cpu_seconds: f64) -> CallStats {
        let peer = |id: &&str| PeerStats {
            peer_id: PeerId::parse(id).unwrap(),
            display_name: String::new(),
            connection_state: "connected",
            local_candidate_type: None,
            remote_candidate_type: None,
            relay_protocol: None,
            rtt_ms: Some(7.0),
            join_to_connected_ms: None,
            join_to_first_frame_ms: None,
            video: None,
            audio: None,
            send: None,
        };
        CallStats {
            t: 0,
            room_id: None,
            peer_id: None,
            peers: peers.iter().map(peer).collect(),
            encoder: EncoderStats::default(),
            devices: SoundDeviceStats::default(),
            process: ProcessStats { cpu_seconds: Some(cpu_seconds), rss_mib: None },
            last: false,
        }
    }

    #[test]
    fn a_minute_is_kept_and_whoever_left_is_forgotten() {
        let mut history = History::default();
        for n in 0..100 {
            history.add(&second(&["ada", "bob"], f64::from(n) * 0.25));
        }
        let ada = history.peer(&PeerId::parse("ada").unwrap());
        assert_eq!(ada[0].values, vec![Some(7.0); SECONDS]);
        assert_eq!(ada[1].values, vec![None; SECONDS]);
        assert_eq!(history.own()[0].values.last(), Some(&Some(25.0)));
        history.add(&second(&["bob"], 25.0));
        assert!(history.peer(&PeerId::parse("ada").unwrap()).is_empty());
    }
}
