//! Builds the peer connection: codecs, feedback, timers and sockets, the same for every peer.
//!
//! Only what we can decode is offered: Opus and VP8 (RFC 7742 §5 and RFC 7874 §3 make both mandatory for browsers), with retransmission
//! (RFC 4588), redundant audio (RFC 2198), transport-wide congestion feedback and picture loss indication.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use media_core::congestion::{Gcc, GccConfig};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::certificate::CertificateParams;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_rtcp_reports, configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use rtc::peer_connection::transport::RTCDtlsRole;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
};
use shared::events::IceServer;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::crypto::{SignatureScheme, default_provider};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCCertificate,
    RTCConfigurationBuilder, RTCIceServer, SettingEngine, SettingEngineBuilder,
};

use super::feedback::KeyFrameRequests;
use super::handshake::RepeatingHandshakes;
use super::nack::LossRequests;
use super::receive::Inbound;
use super::sender_reports::SenderReports;
use super::sending::{self, SendPath};

/// Payload types of our offers; in answers the offerer's are used.
const OPUS_PAYLOAD_TYPE: u8 = 111;
const RED_PAYLOAD_TYPE: u8 = 63;
const VP8_PAYLOAD_TYPE: u8 = 96;
const VP8_RTX_PAYLOAD_TYPE: u8 = 97;

const OPUS_FORMAT: &str = "minptime=10;useinbandfec=1";

/// Packets of sound tell how loud they are (RFC 6464).
pub const AUDIO_LEVEL_URI: &str = rtc::sdp::extmap::AUDIO_LEVEL_URI;

/// Opus with copies of earlier packets (RFC 2198). It comes after Opus: whoever sees it first sends everything twice, on thin paths too.
pub const MIME_TYPE_RED: &str = "audio/red";

/// Largest data channel message that we announce and accept, in bytes. Chat lines and control messages are far smaller.
pub const MAX_MESSAGE_BYTES: u32 = 65_536;

/// What may wait to be sent on one data channel, in bytes, before a peer that does not read loses messages.
const DATA_CHANNEL_BUFFER_BYTES: usize = 1 << 20;

/// Where to look for a way to the peer, and who we are on the wire.
#[derive(Clone)]
pub struct NetworkConfig {
    /// Offer loopback candidates as well: only useful when the signaling server is on this machine.
    pub loopback: bool,
    /// One certificate for all links of the session: it is costly to make, and browsers reuse theirs too.
    pub certificate: RTCCertificate,
}

impl std::fmt::Debug for NetworkConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkConfig").field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

impl NetworkConfig {
    /// Makes the session's certificate (ECDSA P-256, self-signed, RFC 8827 §6.5).
    pub fn new(loopback: bool) -> anyhow::Result<Self> {
        let crypto = default_provider()?;
        let certificate = RTCCertificate::generate(
            crypto.crypto(),
            SignatureScheme::EcdsaP256Sha256,
            CertificateParams::default(),
        )?;
        Ok(Self { loopback, certificate })
    }
}

/// A peer connection and the local tracks that feed it.
pub struct Built {
    /// The connection.
    pub connection: Arc<dyn PeerConnection>,
    /// Our microphone.
    pub audio: LocalTrack,
    /// Our camera.
    pub video: LocalTrack,
    /// What is known of the way to the peer, and what we want of it.
    pub path: SendPath,
}

/// A local track and the SSRC that its packets carry.
pub struct LocalTrack {
    /// The track.
    pub track: Arc<TrackLocalStaticRTP>,
    /// Its synchronisation source.
    pub ssrc: u32,
}

/// Builds a connection that reports to `handler` and `inbound`. Nothing is negotiated yet.
pub async fn build(
    network: &NetworkConfig,
    ice_servers: &[IceServer],
    handler: Arc<dyn PeerConnectionEventHandler>,
    inbound: &Inbound,
) -> anyhow::Result<Built> {
    let mdns = MulticastDnsMode::QueryOnly;
    match try_build(network, ice_servers, Arc::clone(&handler), inbound, mdns).await {
        Ok(built) => Ok(built),
        // A host without multicast still calls; it only cannot resolve browsers' `.local` candidates.
        Err(error) => {
            tracing::warn!("multicast DNS is unavailable ({error:#}); going on without it");
            try_build(network, ice_servers, handler, inbound, MulticastDnsMode::Disabled).await
        }
    }
}

async fn try_build(
    network: &NetworkConfig,
    ice_servers: &[IceServer],
    handler: Arc<dyn PeerConnectionEventHandler>,
    inbound: &Inbound,
    mdns: MulticastDnsMode,
) -> anyhow::Result<Built> {
    let runtime = webrtc::runtime::default_runtime().context("the stack was built without a runtime")?;
    let mut media = media_engine()?;
    let (registry, path) = interceptors(&mut media, inbound)?;
    let configuration = RTCConfigurationBuilder::new()
        .with_ice_servers(ice_servers.iter().map(ice_server).collect())
        .with_certificates(vec![network.certificate.clone()])
        .build();
    let connection: Arc<dyn PeerConnection> = Arc::new(
        PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_media_engine(media)
            .with_setting_engine(setting_engine(network, mdns))
            .with_interceptor_registry(registry)
            .with_handler(handler)
            .with_runtime(Arc::new(RepeatingHandshakes::new(runtime)))
            .with_udp_addrs(udp_addresses(network))
            .with_data_channel_send_buffer_limit(DATA_CHANNEL_BUFFER_BYTES)
            .build()
            .await?,
    );
    let audio = local_track(RtpCodecKind::Audio);
    let video = local_track(RtpCodecKind::Video);
    connection.add_track(Arc::clone(&audio.track) as _).await?;
    connection.add_track(Arc::clone(&video.track) as _).await?;
    Ok(Built { connection, audio, video, path })
}

/// A wildcard stands for every interface but loopback and link-local ones.
fn udp_addresses(network: &NetworkConfig) -> Vec<String> {
    let mut addresses = vec!["0.0.0.0:0".to_owned()];
    if std::net::UdpSocket::bind("[::]:0").is_ok() {
        addresses.push("[::]:0".to_owned());
    }
    if network.loopback {
        addresses.push("127.0.0.1:0".to_owned());
    }
    addresses
}

fn setting_engine(network: &NetworkConfig, mdns: MulticastDnsMode) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(mdns)
        .with_multicast_dns_timeout(Some(Duration::from_secs(10)))
        .with_include_loopback_candidate(network.loopback)
        // RFC 8445 wants consent checks; noticed loss of connectivity is shown after 5 s, and the session restarts ICE.
        .with_ice_timeouts(
            Some(Duration::from_secs(5)),
            Some(Duration::from_secs(15)),
            Some(Duration::from_secs(2)),
        )
        // The controlled side selects its candidate pair before the controlling side does and would greet it too early; the greeting would be
        // dropped and come again after a second. So the offerer, which controls, is the DTLS client (RFC 8842 §5.3 lets the answerer choose).
        .with_answering_dtls_role(RTCDtlsRole::Server)
        // A check every 50 ms (RFC 8445 §14.2), for ten seconds: on lossy networks the first ones may all be lost.
        .with_ice_connection_attempts(Some(Duration::from_millis(50)), Some(200))
        // How long to hope for a better pair before one of this type is taken: a peer-reflexive address is most often a host whose candidate
        // is still on its way, a relay is the last resort.
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(Duration::from_millis(100)))
        .with_relay_acceptance_min_wait(Some(Duration::from_millis(500)))
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(MAX_MESSAGE_BYTES))
        .build()
}

fn ice_server(server: &IceServer) -> RTCIceServer {
    RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    }
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: OPUS_FORMAT.to_owned(),
        rtcp_feedback: vec![],
    }
}

fn vp8(rtcp_feedback: Vec<RTCPFeedback>) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback,
    }
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() }
}

fn media_engine() -> anyhow::Result<MediaEngine> {
    let mut media = MediaEngine::default();
    media.register_codec(
        RTCRtpCodecParameters { rtp_codec: opus(), payload_type: OPUS_PAYLOAD_TYPE },
        RtpCodecKind::Audio,
    )?;
    let red = RTCRtpCodec {
        mime_type: MIME_TYPE_RED.to_owned(),
        sdp_fmtp_line: format!("{OPUS_PAYLOAD_TYPE}/{OPUS_PAYLOAD_TYPE}"),
        ..opus()
    };
    media.register_codec(
        RTCRtpCodecParameters { rtp_codec: red, payload_type: RED_PAYLOAD_TYPE },
        RtpCodecKind::Audio,
    )?;
    let repair = vec![feedback("ccm", "fir"), feedback("nack", ""), feedback("nack", "pli")];
    media.register_codec(
        RTCRtpCodecParameters { rtp_codec: vp8(repair), payload_type: VP8_PAYLOAD_TYPE },
        RtpCodecKind::Video,
    )?;
    let rtx = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={VP8_PAYLOAD_TYPE}"),
        rtcp_feedback: vec![],
    };
    media.register_codec(
        RTCRtpCodecParameters { rtp_codec: rtx, payload_type: VP8_RTX_PAYLOAD_TYPE },
        RtpCodecKind::Video,
    )?;
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let uri = rtc::sdp::extmap::SDES_MID_URI.to_owned();
        media.register_header_extension(RTCRtpHeaderExtensionCapability { uri }, kind, None)?;
    }
    let level = RTCRtpHeaderExtensionCapability { uri: AUDIO_LEVEL_URI.to_owned() };
    media.register_header_extension(level, RtpCodecKind::Audio, None)?;
    Ok(media)
}

fn interceptors(media: &mut MediaEngine, inbound: &Inbound) -> anyhow::Result<(Registry, SendPath)> {
    let estimator = Gcc::new(GccConfig::default(), Instant::now());
    let (pacing, estimation, path) = sending::new(estimator);
    let registry = configure_twcc_receiver_only(Registry::new(), media)?
        .with(Slot::CongestionControl, estimation)
        .with(Slot::Pacer, pacing)
        .with(Slot::NackGenerator, LossRequests::new(&inbound.nack));
    let registry = configure_rtcp_reports(registry)
        .with(Slot::from(SenderReports::SLOT), SenderReports::new(inbound.reports.clone()));
    Ok((registry.with(Slot::from(KeyFrameRequests::SLOT), KeyFrameRequests::default()), path))
}

/// Microphone and camera share one stream id, so that the plainest of pages plays both from `streams[0]`.
const STREAM_ID: &str = "roundtable";

fn local_track(kind: RtpCodecKind) -> LocalTrack {
    let ssrc: u32 = rand::random::<u32>().max(1);
    let is_video = kind == RtpCodecKind::Video;
    let (name, codec) = if is_video { ("camera", vp8(vec![])) } else { ("microphone", opus()) };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            rtx: is_video.then(|| RTCRtpRtxParameters { ssrc: ssrc.wrapping_add(1).max(1) }),
            ..Default::default()
        },
        codec,
        ..Default::default()
    };
    // Of our own: were the peer's track called the same, the stack would hand that one the key-frame requests that are for ours.
    let id = format!("{name}-{ssrc:08x}");
    let track = MediaStreamTrack::new(STREAM_ID.to_owned(), id, name.to_owned(), kind, vec![coding]);
    LocalTrack { track: Arc::new(TrackLocalStaticRTP::new(track)), ssrc }
}
