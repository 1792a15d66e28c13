//! Sends our media to one peer: each encoded frame and packet comes once from the encoder, shared by all peers, and gets this peer's own numbers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use call_media::{KeyFrameRequester, Subscription};
use media_core::bitrate::Bitrate;
use media_core::frame::{EncodedAudio, EncodedFrame};
use media_core::rtp::OutgoingPacket;
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};
use media_core::vp8::selector::{FrameSelector, Selection};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal as _, TrackLocalEvent};
use webrtc::peer_connection::PeerConnection;

use super::connection::Built;
use super::feedback::asks_for_key_frame;
use super::report::SendCounters;

/// The only layer until peers are told apart.
const LAYER: u8 = 0;

/// What the video encoder makes at most. What is sent does not follow the estimate yet, so it is paced for this.
const VIDEO_RATE: Bitrate = Bitrate::kbps(2_500);

/// What the microphone takes, with headers.
const AUDIO_RATE: Bitrate = Bitrate::kbps(80);

/// Starts the tasks that send camera and microphone, as far as the peer wants them; they end with the link.
pub async fn spawn(
    tasks: &mut JoinSet<()>,
    built: &Built,
    subscription: Subscription,
) -> anyhow::Result<Arc<SendCounters>> {
    let counters = Arc::new(SendCounters::default());
    let types = PayloadTypes::negotiated(&built.connection).await?;
    let demand = if types.video.is_some() { VIDEO_RATE.saturating_add(AUDIO_RATE) } else { AUDIO_RATE };
    built.path.set_demand(demand);
    built.path.set_allocation(demand);
    if let Some(payload_type) = types.audio {
        let wire = Wire::new(&built.audio, payload_type, &counters);
        tasks.spawn(send_audio(subscription.audio, wire));
    }
    if let Some(payload_type) = types.video {
        let wire = Wire::new(&built.video, payload_type, &counters);
        tasks.spawn(send_video(subscription.video, wire, subscription.key_frames.clone()));
        tasks.spawn(answer_key_frame_requests(Arc::clone(&built.video.track), subscription.key_frames));
    }
    Ok(counters)
}

/// The payload types that the peer wants our media in; `None` for what it does not want.
struct PayloadTypes {
    audio: Option<u8>,
    video: Option<u8>,
}

impl PayloadTypes {
    async fn negotiated(connection: &Arc<dyn PeerConnection>) -> anyhow::Result<Self> {
        let mut types = Self { audio: None, video: None };
        for sender in connection.get_senders().await {
            let parameters = sender.get_parameters().await.context("reading the negotiated codecs")?;
            let payload_type = parameters.rtp_parameters.codecs.first().map(|codec| codec.payload_type);
            match sender.track().kind().await {
                RtpCodecKind::Audio => types.audio = payload_type,
                RtpCodecKind::Video => types.video = payload_type,
                _ => {}
            }
        }
        Ok(types)
    }
}

/// Where one stream's packets go, and what they carry besides their payload.
struct Wire {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    counters: Arc<SendCounters>,
}

impl Wire {
    fn new(local: &super::connection::LocalTrack, payload_type: u8, counters: &Arc<SendCounters>) -> Self {
        Self {
            track: Arc::clone(&local.track),
            ssrc: local.ssrc,
            payload_type,
            counters: Arc::clone(counters),
        }
    }

    /// Waits while the connection's own queue is full; an error means that the link is closing.
    async fn send(&self, packet: OutgoingPacket) -> Result<(), webrtc::error::Error> {
        self.counters.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
        let header = rtp::header::Header {
            version: 2,
            marker: packet.marker,
            payload_type: self.payload_type,
            sequence_number: packet.sequence_number,
            timestamp: packet.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.track.write_rtp(rtp::Packet { header, payload: packet.payload }).await
    }
}

async fn send_video(
    mut frames: mpsc::Receiver<Arc<EncodedFrame>>,
    wire: Wire,
    key_frames: KeyFrameRequester,
) {
    let mut selector = FrameSelector::new(LAYER);
    let mut packetizer = Packetizer::new(PacketizerStart {
        sequence_number: rand::random(),
        picture_id: rand::random(),
        tl0_pic_idx: rand::random(),
        timestamp_offset: rand::random(),
    });
    while let Some(frame) = frames.recv().await {
        if selector.select(&frame) != Selection::Send {
            if let Some(layer) = selector.wants_key_frame() {
                key_frames.request(layer);
            }
            continue;
        }
        wire.counters.layer.store(u64::from(frame.layer) + 1, Ordering::Relaxed);
        for packet in packetizer.packetize(&frame) {
            if let Err(error) = wire.send(packet).await {
                return tracing::debug!("the camera's stream ended: {error}");
            }
        }
    }
}

async fn send_audio(mut packets: mpsc::Receiver<Arc<EncodedAudio>>, wire: Wire) {
    let mut sequence_number: u16 = rand::random();
    let timestamp_offset: u32 = rand::random();
    while let Some(packet) = packets.recv().await {
        let outgoing = OutgoingPacket {
            sequence_number,
            timestamp: packet.timestamp.wrapping_add(timestamp_offset),
            marker: packet.talk_spurt,
            payload: packet.data.clone(),
        };
        sequence_number = sequence_number.wrapping_add(1);
        if let Err(error) = wire.send(outgoing).await {
            return tracing::debug!("the microphone's stream ended: {error}");
        }
    }
}

async fn answer_key_frame_requests(track: Arc<TrackLocalStaticRTP>, key_frames: KeyFrameRequester) {
    while let Some(event) = track.poll().await {
        let TrackLocalEvent::OnRtcpPacket(packets) = event else { continue };
        if packets.iter().any(|packet| asks_for_key_frame(packet.as_ref())) {
            key_frames.request(LAYER);
        }
    }
}
