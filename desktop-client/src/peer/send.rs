//! Sends our media to one peer: each encoded frame and packet comes once from the encoder, shared by all peers, and gets this peer's own numbers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use call_media::{KeyFrameRequester, LayerChoice, LayerMask, Subscription};
use media_core::frame::{EncodedAudio, EncodedFrame};
use media_core::layers::PeerOrder;
use media_core::rtp::OutgoingPacket;
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};
use media_core::vp8::selector::{FrameSelector, Selection};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal as _, TrackLocalEvent};
use webrtc::peer_connection::PeerConnection;

use super::connection::Built;
use super::feedback::asks_for_key_frame;
use super::report::SendCounters;
use super::sending::SendPath;

/// Starts the tasks that send camera and microphone, as far as the peer wants them; they end with the link.
pub async fn spawn(
    tasks: &mut JoinSet<()>,
    built: &Built,
    subscription: Subscription,
    orders: watch::Receiver<Option<PeerOrder>>,
) -> anyhow::Result<Arc<SendCounters>> {
    let counters = Arc::new(SendCounters::default());
    let types = PayloadTypes::negotiated(&built.connection).await?;
    if let Some(payload_type) = types.audio {
        let wire = Wire::new(&built.audio, payload_type, &counters);
        tasks.spawn(send_audio(subscription.audio, wire));
    }
    if let Some(payload_type) = types.video {
        let wire = Wire::new(&built.video, payload_type, &counters);
        let path = built.path.clone();
        let video = VideoSender::new(wire, path, subscription.layers, subscription.key_frames.clone());
        tasks.spawn(video.run(subscription.video, orders));
        let track = Arc::clone(&built.video.track);
        tasks.spawn(answer_key_frame_requests(track, subscription.key_frames, Arc::clone(&counters)));
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

/// Sends one peer the layer that is chosen for it.
struct VideoSender {
    wire: Wire,
    path: SendPath,
    selector: FrameSelector,
    packetizer: Packetizer,
    layers: LayerChoice,
    key_frames: KeyFrameRequester,
    /// The layer that the peer shall get.
    wanted: Option<u8>,
}

impl VideoSender {
    fn new(wire: Wire, path: SendPath, layers: LayerChoice, key_frames: KeyFrameRequester) -> Self {
        let packetizer = Packetizer::new(PacketizerStart {
            sequence_number: rand::random(),
            picture_id: rand::random(),
            tl0_pic_idx: rand::random(),
            timestamp_offset: rand::random(),
        });
        layers.set(LayerMask::NONE);
        let selector = FrameSelector::default();
        Self { wire, path, selector, packetizer, layers, key_frames, wanted: None }
    }

    async fn run(
        mut self,
        mut frames: mpsc::Receiver<Arc<EncodedFrame>>,
        mut orders: watch::Receiver<Option<PeerOrder>>,
    ) {
        orders.mark_changed();
        loop {
            tokio::select! {
                // The order is obeyed before the frame that it may be about.
                biased;
                Ok(()) = orders.changed() => {
                    let order = *orders.borrow_and_update();
                    if let Some(order) = order {
                        self.obey(order);
                    }
                }
                frame = frames.recv() => {
                    let Some(frame) = frame else { return };
                    if let Err(error) = self.send(&frame).await {
                        return tracing::debug!("the camera's stream ended: {error}");
                    }
                }
            }
        }
    }

    fn obey(&mut self, order: PeerOrder) {
        self.wanted = order.layer;
        self.selector.set_target(order.layer, order.max_temporal_id);
        if order.layer.is_none() {
            self.wire.counters.layer.store(0, Ordering::Relaxed);
        }
        self.choose();
    }

    /// While the peer moves to another layer it gets both, so that there is no gap before the new one's key frame.
    fn choose(&self) {
        let mask = |layer: Option<u8>| layer.map_or(LayerMask::NONE, LayerMask::only);
        self.layers.set(mask(self.wanted).with(mask(self.selector.current_layer())));
    }

    async fn send(&mut self, frame: &EncodedFrame) -> Result<(), webrtc::error::Error> {
        let before = self.selector.current_layer();
        let selection = self.selector.select(frame);
        // The key frame that a new layer begins with comes by itself. Any other frame of the layer means that it is past: it came while another was wanted, or
        // a reference was left out.
        if !frame.key && self.selector.wants_key_frame() == Some(frame.layer) {
            self.key_frames.request(frame.layer);
        }
        if selection != Selection::Send {
            return Ok(());
        }
        if self.path.queue_delay() > longest_queue(frame) {
            self.selector.dropped(frame);
            return Ok(());
        }
        if self.selector.current_layer() != before {
            self.choose();
        }
        self.wire.counters.layer.store(u64::from(frame.layer) + 1, Ordering::Relaxed);
        for packet in self.packetizer.packetize(frame) {
            self.wire.send(packet).await?;
        }
        Ok(())
    }
}

/// How long the pacer's queue may be for a frame still to be worth adding to it. What nothing refers to goes first; a base frame is given up only when the peer
/// is so far behind that a key frame is the shorter way.
fn longest_queue(frame: &EncodedFrame) -> Duration {
    match (frame.discardable, frame.temporal_id) {
        (true, _) => Duration::from_millis(120),
        (false, 0) => Duration::from_millis(800),
        (false, _) => Duration::from_millis(250),
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

async fn answer_key_frame_requests(
    track: Arc<TrackLocalStaticRTP>,
    key_frames: KeyFrameRequester,
    counters: Arc<SendCounters>,
) {
    while let Some(event) = track.poll().await {
        let TrackLocalEvent::OnRtcpPacket(packets) = event else { continue };
        let layer = counters.layer();
        if let Some(layer) =
            layer.filter(|_| packets.iter().any(|packet| asks_for_key_frame(packet.as_ref())))
        {
            key_frames.request(layer);
        }
    }
}
