//! Sends our media to one peer: each encoded frame and packet comes once from the encoder, shared by all peers, and gets this peer's own numbers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use call_media::{KeyFrameRequester, LayerChoice, LayerMask, Subscription};
use media_core::audio::redundancy::MAX_COPIES;
use media_core::audio::{level, red};
use media_core::frame::{EncodedAudio, EncodedFrame};
use media_core::layers::PeerOrder;
use media_core::rtp::OutgoingPacket;
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};
use media_core::vp8::selector::{FrameSelector, Selection};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCRtpParameters, RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal as _, TrackLocalEvent};
use webrtc::peer_connection::PeerConnection;

use super::connection::{AUDIO_LEVEL_URI, Built, MIME_TYPE_RED};
use super::feedback::asks_for_key_frame;
use super::report::SendCounters;
use super::sending::SendPath;

/// Starts the tasks that send camera and microphone, as far as the peer wants them; they end with the link.
pub fn spawn(
    tasks: &mut JoinSet<()>,
    built: &Built,
    types: PayloadTypes,
    subscription: Subscription,
    orders: watch::Receiver<Option<PeerOrder>>,
    copies: CopiesChoice,
) -> Arc<SendCounters> {
    let counters = Arc::new(SendCounters::default());
    if let Some(payload_type) = types.audio {
        let wire = Wire::new(&built.audio, payload_type, &counters);
        let audio = AudioSender::new(wire, types, copies);
        tasks.spawn(audio.run(subscription.audio));
    }
    if let Some(payload_type) = types.video {
        let wire = Wire::new(&built.video, payload_type, &counters);
        let path = built.path.clone();
        let video = VideoSender::new(wire, path, subscription.layers, subscription.key_frames.clone());
        tasks.spawn(video.run(subscription.video, orders));
        let track = Arc::clone(&built.video.track);
        tasks.spawn(answer_key_frame_requests(track, subscription.key_frames, Arc::clone(&counters)));
    }
    counters
}

/// The payload types that the peer wants our media in; `None` for what it does not want.
#[derive(Debug, Clone, Copy, Default)]
pub struct PayloadTypes {
    audio: Option<u8>,
    /// Sound with copies of earlier packets.
    red: Option<u8>,
    /// The header extension that tells how loud a packet of sound is.
    level: Option<u8>,
    video: Option<u8>,
}

impl PayloadTypes {
    /// Of a connection whose descriptions have been exchanged.
    pub async fn negotiated(connection: &Arc<dyn PeerConnection>) -> anyhow::Result<Self> {
        let mut types = Self::default();
        for sender in connection.get_senders().await {
            let parameters = sender.get_parameters().await.context("reading the negotiated codecs")?;
            let RTCRtpParameters { codecs, header_extensions, .. } = parameters.rtp_parameters;
            let payload_type = |wanted: &str| {
                let is_wanted =
                    |codec: &&RTCRtpCodecParameters| codec.rtp_codec.mime_type.eq_ignore_ascii_case(wanted);
                codecs.iter().find(is_wanted).map(|codec| codec.payload_type)
            };
            match sender.track().kind().await {
                RtpCodecKind::Audio => {
                    types.audio = payload_type(MIME_TYPE_OPUS);
                    types.red = payload_type(MIME_TYPE_RED);
                    types.level = extension_id(&header_extensions, AUDIO_LEVEL_URI);
                }
                RtpCodecKind::Video => types.video = payload_type(MIME_TYPE_VP8),
                _ => {}
            }
        }
        Ok(types)
    }

    /// Whether the peer understands copies of earlier packets.
    pub fn takes_copies(&self) -> bool {
        self.red.is_some()
    }
}

/// The id that a header extension has been given.
pub fn extension_id(extensions: &[RTCRtpHeaderExtensionParameters], uri: &str) -> Option<u8> {
    let extension = extensions.iter().find(|extension| extension.uri == uri)?;
    // RFC 8285 has 1 to 14 in the short form.
    u8::try_from(extension.id).ok().filter(|id| (1..=14).contains(id))
}

/// How many earlier packets each packet of sound repeats. Clones stand for the same peer.
#[derive(Debug, Clone, Default)]
pub struct CopiesChoice(Arc<AtomicU8>);

impl CopiesChoice {
    /// From the next packet on.
    pub fn set(&self, copies: u8) {
        self.0.store(copies, Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed).into()
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
        self.send_with(self.payload_type, None, packet).await
    }

    /// The same as another payload type, with a header extension of one byte.
    async fn send_with(
        &self,
        payload_type: u8,
        extension: Option<(u8, u8)>,
        packet: OutgoingPacket,
    ) -> Result<(), webrtc::error::Error> {
        self.counters.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
        let mut header = rtp::header::Header {
            version: 2,
            marker: packet.marker,
            payload_type,
            sequence_number: packet.sequence_number,
            timestamp: packet.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        if let Some((id, byte)) = extension
            && let Err(error) = header.set_extension(id, Bytes::copy_from_slice(&[byte]))
        {
            tracing::debug!("a packet leaves without its level: {error}");
        }
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
            self.wire.counters.video_packets.fetch_add(1, Ordering::Relaxed);
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

/// Louder sound is told to be a voice, in dBFS: what suppression of noise leaves of a quiet room is below.
const VOICE_DBFS: f32 = -50.0;

/// Most bytes of a packet of sound with its copies: what passes any path in one piece, as pictures' packets do. Music may have to do with fewer copies.
const MAX_SOUND_BYTES: usize = 1_150;

/// Sends one peer our sound.
struct AudioSender {
    wire: Wire,
    types: PayloadTypes,
    copies: CopiesChoice,
    /// The newest packets, oldest first.
    before: VecDeque<Arc<EncodedAudio>>,
    sequence_number: u16,
    timestamp_offset: u32,
}

impl AudioSender {
    fn new(wire: Wire, types: PayloadTypes, copies: CopiesChoice) -> Self {
        let (sequence_number, timestamp_offset) = (rand::random(), rand::random());
        Self { wire, types, copies, before: VecDeque::new(), sequence_number, timestamp_offset }
    }

    async fn run(mut self, mut packets: mpsc::Receiver<Arc<EncodedAudio>>) {
        while let Some(packet) = packets.recv().await {
            if let Err(error) = self.send(packet).await {
                return tracing::debug!("the microphone's stream ended: {error}");
            }
        }
    }

    async fn send(&mut self, packet: Arc<EncodedAudio>) -> Result<(), webrtc::error::Error> {
        if packet.talk_spurt {
            // What was before the pause has been heard, or is not missed.
            self.before.clear();
        }
        let age = |before: &Arc<EncodedAudio>| packet.timestamp.wrapping_sub(before.timestamp);
        let copies = fitting(&self.before, self.copies.get(), packet.data.len());
        let copies: Vec<red::Block> =
            copies.map(|before| red::Block { age: age(before), payload: before.data.clone() }).collect();
        let with_copies = self.types.red.filter(|_| !copies.is_empty());
        let payload = match with_copies {
            Some(_) => red::pack(self.wire.payload_type, copies.iter(), &packet.data),
            None => packet.data.clone(),
        };
        let outgoing = OutgoingPacket {
            sequence_number: self.sequence_number,
            timestamp: packet.timestamp.wrapping_add(self.timestamp_offset),
            marker: packet.talk_spurt,
            payload,
        };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let level = level::to_header(packet.level_dbfs, packet.level_dbfs > VOICE_DBFS);
        let extension = self.types.level.map(|id| (id, level));
        if self.before.len() == usize::from(MAX_COPIES) {
            self.before.pop_front();
        }
        self.before.push_back(packet);
        let payload_type = with_copies.unwrap_or(self.wire.payload_type);
        self.wire.send_with(payload_type, extension, outgoing).await
    }
}

/// The newest of the packets before, as many as are wanted and fit into one packet with a new one of `bytes`.
fn fitting(
    before: &VecDeque<Arc<EncodedAudio>>,
    wanted: usize,
    bytes: usize,
) -> impl Iterator<Item = &Arc<EncodedAudio>> {
    let mut room = MAX_SOUND_BYTES.saturating_sub(bytes);
    let fits = |packet: &&Arc<EncodedAudio>| {
        let left = room.checked_sub(packet.data.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let count = before.iter().rev().take(wanted).take_while(fits).count();
    before.iter().skip(before.len() - count)
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn copies_are_left_out_where_a_packet_would_be_too_large() {
        let packet = |bytes| {
            Arc::new(EncodedAudio {
                data: vec![0; bytes].into(),
                timestamp: 0,
                samples: 960,
                talk_spurt: false,
                captured: Instant::now(),
                level_dbfs: 0.0,
            })
        };
        let sizes = |before: [usize; 2], wanted, bytes| {
            let before = VecDeque::from(before.map(packet));
            fitting(&before, wanted, bytes).map(|packet| packet.data.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes([80, 90], 2, 100), [80, 90]);
        assert_eq!(sizes([80, 90], 1, 100), [90]);
        assert_eq!(sizes([500, 400], 2, 330), [400]);
        assert_eq!(sizes([10, 900], 2, 330), [0; 0]);
        assert_eq!(sizes([10, 10], 2, 1_200), [0; 0]);
    }
}
