//! The call's statistics as JSON lines, one each second and a last one with `"final": true`.
//!
//! Names follow W3C webrtc-stats where it has one. A value that does not apply is `null`, never a made-up number. Scripts depend on the names
//! and on their order.

mod media;
mod process;
mod writer;

use serde::Serialize;
use shared::{PeerId, RoomId};

pub use process::ProcessStats;
pub use writer::{StatsError, StatsWriter};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallStats {
    /// When it was measured: Unix time in milliseconds.
    pub t: u64,
    /// The room; `null` before it is joined.
    pub room_id: Option<RoomId>,
    /// Our own id; `null` before the room is joined.
    pub peer_id: Option<PeerId>,
    /// The others, in the order in which they joined.
    pub peers: Vec<PeerStats>,
    /// Our encoder.
    pub encoder: EncoderStats,
    /// Our microphone and speaker.
    pub devices: SoundDeviceStats,
    /// This process.
    pub process: ProcessStats,
    /// True on the last line, absent on all others.
    #[serde(rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

/// One other participant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerStats {
    /// Their id.
    pub peer_id: PeerId,
    /// Their name.
    pub display_name: String,
    /// `RTCPeerConnectionState`.
    pub connection_state: &'static str,
    /// `RTCIceCandidateType` of our side of the selected pair.
    pub local_candidate_type: Option<String>,
    /// `RTCIceCandidateType` of their side of the selected pair.
    pub remote_candidate_type: Option<String>,
    /// How we reach our TURN server (`udp`, `tcp`, `tls`), when the selected pair is relayed.
    pub relay_protocol: Option<String>,
    /// Round-trip time of the selected pair.
    pub rtt_ms: Option<f64>,
    /// From the join to the connected state.
    pub join_to_connected_ms: Option<f64>,
    /// From the join to the first decoded picture of theirs.
    pub join_to_first_frame_ms: Option<f64>,
    /// Their picture; `null` while none is received.
    pub video: Option<VideoStats>,
    /// Their voice; `null` while none is received.
    pub audio: Option<AudioStats>,
    /// What we send to them; `null` while nothing is sent.
    pub send: Option<SendStats>,
}

/// Received video.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoStats {
    /// Pictures decoded so far.
    pub frames_decoded: u64,
    /// Pictures that arrived and were not shown: not decodable, or late.
    pub frames_dropped: u64,
    /// Width of the last picture, in pixels.
    pub frame_width: Option<u32>,
    /// Height of the last picture, in pixels.
    pub frame_height: Option<u32>,
    /// Pictures decoded in the last second.
    pub frames_per_second: Option<f64>,
    /// Freezes so far, as webrtc-stats defines them.
    pub freeze_count: u64,
    /// Their duration together, in seconds.
    pub total_freezes_duration: f64,
    /// Received in the last second, in kbit/s.
    pub bitrate_kbps: Option<f64>,
    /// From the mark in the picture to its showing; `null` without marks.
    pub latency_ms: Option<Percentiles>,
    /// How much later the sound is than the picture, negative when the picture is late; `null` without the peer's sender reports.
    pub av_offset_ms: Option<f64>,
    /// How much later than the fastest pictures all are shown, so that the motion is even.
    pub playout_delay_ms: Option<f64>,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter_ms: Option<f64>,
    /// Requests for lost packets so far.
    pub nack_count: u64,
    /// Packets so far that came after they were asked for.
    pub recovered_packets: u64,
}

/// Received audio.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioStats {
    /// Samples per channel played out so far, concealed ones included.
    pub total_samples_received: u64,
    /// Of those, made up because nothing arrived in time.
    pub concealed_samples: u64,
    /// Of those, plain silence, as while nothing comes.
    pub silent_concealed_samples: u64,
    /// Rows of made-up samples.
    pub concealment_events: u64,
    /// Samples added to make the delay longer.
    pub inserted_samples_for_deceleration: u64,
    /// Samples left out to make the delay shorter.
    pub removed_samples_for_acceleration: u64,
    /// Packets that were too late, doubled, malformed or too many.
    pub packets_discarded: u64,
    /// Lost packets whose sound was in later ones, as in-band FEC or as a copy (RFC 2198).
    pub packets_restored: u64,
    /// Mean time in the jitter buffer, in milliseconds.
    pub jitter_buffer_delay_ms: Option<f64>,
    /// The delay that the jitter buffer aims at, in milliseconds.
    pub jitter_buffer_target_delay_ms: Option<f64>,
    /// Received in the last second, in kbit/s.
    pub bitrate_kbps: Option<f64>,
    /// Level over the last second, in dB relative to full scale; `null` for digital silence.
    pub level_dbfs: Option<f64>,
    /// From the mark in the sound to its playout; `null` without marks.
    pub latency_ms: Option<Percentiles>,
}

/// What a peer gets from us.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendStats {
    /// The layer that the peer gets, 0 is the smallest; `null` while it gets no video.
    pub layer: Option<u8>,
    /// What the path to the peer carries, as estimated, in kbit/s.
    pub estimate_kbps: Option<f64>,
    /// What we want to send, in kbit/s.
    pub target_kbps: Option<f64>,
    /// Sent in the last second, in kbit/s.
    pub bitrate_kbps: Option<f64>,
    /// Fraction of our packets that the peer lost, 0–1.
    pub fraction_lost: Option<f64>,
    /// Packets of pictures so far, without those sent again.
    pub video_packets_sent: u64,
    /// Packets sent again so far.
    pub retransmitted_packets: u64,
    /// How long what waits for the pacer takes at the rate of the path.
    pub queue_delay_ms: f64,
    /// Bytes so far that only filled probes.
    pub padding_bytes: u64,
    /// Why the peer gets no better picture: `none`, `bandwidth`, `tile` (it shows no larger one), `cpu`, `keyFrames` (it orders too many), `hidden`,
    /// `suspended` (the path bears sound only), `off`; `null` before that is known.
    pub quality_limitation_reason: Option<&'static str>,
}

/// A distribution over the last second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 95 % are at most this.
    pub p95: f64,
}

/// Our encoder.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EncoderStats {
    /// The layers that were ever in use, smallest first.
    pub layers: Vec<LayerStats>,
}

/// Our microphone and speaker.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SoundDeviceStats {
    /// Level of what we send over the last second, in dB relative to full scale; `null` when the microphone is off or silent.
    pub microphone_level_dbfs: Option<f64>,
    /// By how much the canceller's filter reduces the echo of our speaker (echo return loss enhancement), by its own estimate, in dB; what its suppressor takes
    /// away comes on top. `null` when unknown.
    pub erle_db: Option<f64>,
    /// Times that the speaker asked for more than there was, or so late that it had been silent.
    pub underruns: u64,
    /// Times that the microphone gave more than was taken in time.
    pub overruns: u64,
}

/// One layer: encoded once, whoever gets it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerStats {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures encoded so far.
    pub frames_encoded: u64,
    /// Of those, key frames.
    pub key_frames: u64,
    /// CPU time of the encoder so far, in seconds; `null` where the system does not tell.
    pub cpu_seconds: Option<f64>,
    /// What the encoder is told to spend, in kbit/s; `null` while the layer is not encoded.
    pub target_kbps: Option<u32>,
    /// What came out in the last second, in kbit/s; `null` while the layer is not encoded.
    pub bitrate_kbps: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(video: Option<VideoStats>) -> PeerStats {
        PeerStats {
            peer_id: PeerId::parse("bbb").unwrap(),
            display_name: "Ada".to_owned(),
            connection_state: "connected",
            local_candidate_type: Some("host".to_owned()),
            remote_candidate_type: Some("prflx".to_owned()),
            relay_protocol: None,
            rtt_ms: Some(0.5),
            join_to_connected_ms: Some(120.0),
            join_to_first_frame_ms: None,
            video,
            audio: Some(AudioStats {
                total_samples_received: 48_000,
                concealed_samples: 480,
                ..AudioStats::default()
            }),
            send: Some(SendStats { layer: Some(1), target_kbps: Some(800.5), ..SendStats::default() }),
        }
    }

    fn stats() -> CallStats {
        let video = VideoStats {
            frames_decoded: 30,
            frame_width: Some(640),
            frame_height: Some(360),
            frames_per_second: Some(30.0),
            latency_ms: Some(Percentiles { p50: 40.0, p95: 55.5 }),
            av_offset_ms: Some(12.5),
            nack_count: 2,
            ..VideoStats::default()
        };
        CallStats {
            t: 1_795_392_000_123,
            room_id: Some(RoomId::parse("den").unwrap()),
            peer_id: Some(PeerId::parse("aaa").unwrap()),
            peers: vec![peer(Some(video))],
            encoder: EncoderStats {
                layers: vec![LayerStats {
                    width: 640,
                    height: 360,
                    frames_encoded: 31,
                    key_frames: 1,
                    cpu_seconds: Some(0.25),
                    target_kbps: Some(700),
                    bitrate_kbps: None,
                }],
            },
            devices: SoundDeviceStats {
                microphone_level_dbfs: Some(-20.5),
                erle_db: None,
                underruns: 0,
                overruns: 1,
            },
            process: ProcessStats { cpu_seconds: Some(1.5), rss_mib: Some(42.25) },
            last: false,
        }
    }

    /// Scripts depend on this line: change it only together with the documented command line.
    const GOLDEN: &str = concat!(
        r#"{"t":1795392000123,"roomId":"den","peerId":"aaa","peers":[{"peerId":"bbb","displayName":"Ada","#,
        r#""connectionState":"connected","localCandidateType":"host","remoteCandidateType":"prflx","relayProtocol":null,"#,
        r#""rttMs":0.5,"joinToConnectedMs":120.0,"joinToFirstFrameMs":null,"#,
        r#""video":{"framesDecoded":30,"framesDropped":0,"frameWidth":640,"frameHeight":360,"framesPerSecond":30.0,"#,
        r#""freezeCount":0,"totalFreezesDuration":0.0,"bitrateKbps":null,"latencyMs":{"p50":40.0,"p95":55.5},"#,
        r#""avOffsetMs":12.5,"playoutDelayMs":null,"jitterMs":null,"nackCount":2,"recoveredPackets":0},"#,
        r#""audio":{"totalSamplesReceived":48000,"concealedSamples":480,"silentConcealedSamples":0,"concealmentEvents":0,"#,
        r#""insertedSamplesForDeceleration":0,"removedSamplesForAcceleration":0,"packetsDiscarded":0,"packetsRestored":0,"#,
        r#""jitterBufferDelayMs":null,"jitterBufferTargetDelayMs":null,"bitrateKbps":null,"#,
        r#""levelDbfs":null,"latencyMs":null},"#,
        r#""send":{"layer":1,"estimateKbps":null,"targetKbps":800.5,"bitrateKbps":null,"fractionLost":null,"#,
        r#""videoPacketsSent":0,"retransmittedPackets":0,"queueDelayMs":0.0,"paddingBytes":0,"qualityLimitationReason":null}}],"#,
        r#""encoder":{"layers":[{"width":640,"height":360,"framesEncoded":31,"keyFrames":1,"cpuSeconds":0.25,"#,
        r#""targetKbps":700,"bitrateKbps":null}]},"#,
        r#""devices":{"microphoneLevelDbfs":-20.5,"erleDb":null,"underruns":0,"overruns":1},"#,
        r#""process":{"cpuSeconds":1.5,"rssMiB":42.25}}"#,
    );

    #[test]
    fn a_line_is_as_the_command_line_promises() {
        assert_eq!(serde_json::to_string(&stats()).unwrap(), GOLDEN);
    }

    #[test]
    fn only_the_last_line_says_final() {
        let last = serde_json::to_string(&CallStats { last: true, ..stats() }).unwrap();
        assert_eq!(last, format!(r#"{},"final":true}}"#, &GOLDEN[..GOLDEN.len() - 1]));
    }

    #[test]
    fn what_does_not_apply_is_null() {
        let mut empty = peer(None);
        (empty.audio, empty.send) = (None, None);
        let line =
            serde_json::to_value(CallStats { room_id: None, peer_id: None, peers: vec![empty], ..stats() })
                .unwrap();
        assert!(line["roomId"].is_null() && line["peerId"].is_null());
        for field in ["video", "audio", "send", "relayProtocol"] {
            assert!(line["peers"][0].get(field).unwrap().is_null(), "{field}");
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_become_null() {
        let audio = AudioStats { level_dbfs: Some(f64::NEG_INFINITY), ..AudioStats::default() };
        assert!(serde_json::to_value(audio).unwrap()["levelDbfs"].is_null());
    }
}
