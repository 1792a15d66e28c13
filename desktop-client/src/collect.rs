//! Puts a line of statistics together from what the engine, the links and the media threads show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use call_core::link::ConnectionState;
use call_core::snapshot::{ParticipantView, Snapshot};
use call_media::Media;
use media_core::layers::{Limit, VideoState};

use crate::engine::{LinkView, Links};
use crate::peer::{LinkReport, SendReport};
use crate::stats::{
    AudioStats, CallStats, EncoderStats, PeerStats, ProcessStats, SendStats, SoundDeviceStats, VideoStats,
};

/// The statistics at this moment.
pub fn collect(snapshot: &Snapshot, links: &Links, media: &Media, last: bool) -> CallStats {
    let room = snapshot.room.as_ref();
    let media = media.stats();
    let peers = room.map_or(&[][..], |room| &room.participants);
    CallStats {
        t: unix_millis(),
        room_id: room.map(|room| room.id.clone()),
        peer_id: room.and_then(|room| room.own_id.clone()),
        peers: peers.iter().map(|peer| peer_stats(peer, links.get(&peer.peer_id))).collect(),
        encoder: EncoderStats::from(media.layers.as_slice()),
        devices: SoundDeviceStats {
            microphone_level_dbfs: media.audio.microphone_level_dbfs.map(f64::from),
            erle_db: media.audio.erle_db.map(f64::from),
            underruns: media.audio.underruns,
            overruns: media.audio.overruns,
        },
        process: ProcessStats::now(),
        last,
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn peer_stats(peer: &ParticipantView, link: Option<&LinkView>) -> PeerStats {
    let report = link.map(|link| link.report.borrow().clone()).unwrap_or_default();
    let played = link.map(|link| link.player.stats()).unwrap_or_default();
    let connected = report.connected_after.is_some();
    PeerStats {
        peer_id: peer.peer_id.clone(),
        display_name: peer.display_name.clone(),
        connection_state: state_name(report.state.unwrap_or(peer.connection)),
        local_candidate_type: report.local_candidate.map(str::to_owned),
        remote_candidate_type: report.remote_candidate.map(str::to_owned),
        relay_protocol: report.relay_protocol.map(str::to_owned),
        rtt_ms: report.rtt.map(millis),
        join_to_connected_ms: report.connected_after.map(millis),
        join_to_first_frame_ms: first_frame(link, &report),
        video: (played.video.frames_decoded > 0).then(|| {
            VideoStats::new(&played.video, Some(kbps(report.received.video_bitrate)), report.received.nack)
        }),
        audio: (connected && played.audio.total_samples_received > 0)
            .then(|| AudioStats::new(&played.audio, Some(kbps(report.received.audio_bitrate)))),
        send: report.send.as_ref().map(send_stats),
    }
}

/// Straight from the player, which knows it before the link's next report.
fn first_frame(link: Option<&LinkView>, report: &LinkReport) -> Option<f64> {
    let first = link.and_then(|link| link.player.first_picture())?;
    report.began.map(|began| millis(first.saturating_duration_since(began)))
}

fn send_stats(send: &SendReport) -> SendStats {
    SendStats {
        layer: send.layer,
        estimate_kbps: Some(kbps(send.estimate)),
        target_kbps: send.target.map(kbps),
        bitrate_kbps: Some(kbps(send.bitrate)),
        fraction_lost: send.fraction_lost,
        video_packets_sent: send.video_packets,
        retransmitted_packets: send.retransmitted_packets,
        queue_delay_ms: millis(send.queue_delay),
        padding_bytes: send.padding_bytes,
        quality_limitation_reason: send.video.map(limitation),
    }
}

fn limitation(state: VideoState) -> &'static str {
    match state {
        VideoState::Full => "none",
        VideoState::Limited(Limit::Bandwidth) => "bandwidth",
        VideoState::Limited(Limit::Tile) => "tile",
        VideoState::Limited(Limit::Cpu) => "cpu",
        VideoState::Limited(Limit::KeyFrames) => "keyFrames",
        VideoState::Hidden => "hidden",
        VideoState::Suspended => "suspended",
        VideoState::Off => "off",
    }
}

fn state_name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::New => "new",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Disconnected => "disconnected",
        ConnectionState::Failed => "failed",
        ConnectionState::Closed => "closed",
    }
}

fn millis(duration: Duration) -> f64 {
    // A tenth of a millisecond is finer than anything that is measured here.
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn kbps(bits_per_second: f64) -> f64 {
    (bits_per_second / 100.0).round() / 10.0
}
