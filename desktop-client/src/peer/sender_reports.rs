//! Copies the peer's sender reports (RFC 3550 §6.4.1) to the receiving task, for lip sync, and makes our own say when sound was taken.
//!
//! The stack stamps its reports as if a packet's first sample were taken when the packet leaves. A packet of sound leaves when its last sample was taken, so
//! its media time is moved by its length; a picture is taken at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use media_core::playout::sync::SenderReport;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::mpsc;

/// Reports that may wait for the receiving task; one that finds it full is lost, the next comes in seconds.
pub const CAPACITY: usize = 16;

/// Longest packet of sound: 120 ms (RFC 7587 §4.2), in ticks of 48 kHz. A larger step of media time is a pause.
const MAX_PACKET: u32 = 5_760;

/// The interceptor.
pub struct SenderReports {
    reports: mpsc::Sender<SenderReport>,
    /// Our streams of sound: the newest packet's media time, and its length in ticks.
    sound: BTreeMap<u32, (Option<u32>, u32)>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl SenderReports {
    /// Nearer to the wire than where our own reports arise.
    pub const SLOT: usize = 10_500;

    /// Reports go there.
    pub fn new(reports: mpsc::Sender<SenderReport>) -> Self {
        Self { reports, sound: BTreeMap::new(), reads: VecDeque::new(), writes: VecDeque::new() }
    }

    fn copy(&self, packets: &[Box<dyn rtcp::Packet>], now: Instant) {
        let reports = packets.iter().filter_map(|packet| report(packet.as_ref()));
        for report in reports {
            let _ = self.reports.try_send(SenderReport {
                ssrc: report.ssrc,
                ntp: report.ntp_time,
                rtp: report.rtp_time,
                arrival: now,
            });
        }
    }

    fn note(&mut self, header: &rtp::Header) {
        if let Some((last, length)) = self.sound.get_mut(&header.ssrc) {
            let step = last.map_or(0, |last| header.timestamp.wrapping_sub(last));
            if (1..=MAX_PACKET).contains(&step) {
                *length = step;
            }
            *last = Some(header.timestamp);
        }
    }

    fn correct(&self, packets: &mut [Box<dyn rtcp::Packet>]) {
        for packet in packets {
            if let Some(report) = report(packet.as_ref())
                && let Some((_, length)) = self.sound.get(&report.ssrc)
            {
                let rtp_time = report.rtp_time.wrapping_add(*length);
                *packet = Box::new(rtcp::sender_report::SenderReport { rtp_time, ..report.clone() });
            }
        }
    }
}

fn report(packet: &dyn rtcp::Packet) -> Option<&rtcp::sender_report::SenderReport> {
    packet.as_any().downcast_ref()
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for SenderReports {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            self.copy(packets, message.now);
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        match &mut message.message.packet {
            Packet::Rtp(packet) => self.note(&packet.header),
            Packet::Rtcp(packets) => self.correct(packets),
            _ => {}
        }
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for SenderReports {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        if info.mime_type.get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("audio/")) {
            self.sound.insert(info.ssrc, (None, 0));
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.sound.remove(&info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::AttributedPacket;
    use rtc::shared::TransportContext;

    use super::*;

    fn message(packet: Packet) -> TaggedPacket {
        TaggedPacket {
            now: Instant::now(),
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        }
    }

    fn sender_report(ssrc: u32) -> TaggedPacket {
        let report =
            rtcp::sender_report::SenderReport { ssrc, ntp_time: 7, rtp_time: 1_000, ..Default::default() };
        message(Packet::Rtcp(vec![Box::new(report)]))
    }

    #[test]
    fn reports_of_the_peer_are_copied_and_pass() {
        let (sender, mut reports) = mpsc::channel(CAPACITY);
        let mut interceptor = SenderReports::new(sender);
        for _ in 0..CAPACITY + 3 {
            interceptor.handle_read(sender_report(5)).unwrap();
            assert!(interceptor.poll_read().is_some());
        }
        let copied = std::iter::from_fn(|| reports.try_recv().ok());
        assert_eq!(
            copied.map(|report| (report.ssrc, report.ntp, report.rtp)).collect::<Vec<_>>(),
            [(5, 7, 1_000); CAPACITY]
        );
    }

    #[test]
    fn our_reports_of_sound_are_moved_by_a_packets_length_and_others_are_not() {
        let mut interceptor = SenderReports::new(mpsc::channel(1).0);
        for (ssrc, mime_type) in [(1, "audio/opus"), (2, "video/VP8")] {
            interceptor.bind_local_stream(&StreamInfo {
                ssrc,
                mime_type: mime_type.to_owned(),
                ..StreamInfo::default()
            });
            for timestamp in [u32::MAX - 959, 0, 960, 50_000] {
                let header = rtp::Header { ssrc, timestamp, ..Default::default() };
                interceptor
                    .handle_write(message(Packet::Rtp(rtp::Packet {
                        header,
                        payload: b"x".as_slice().into(),
                    })))
                    .unwrap();
                interceptor.poll_write();
            }
        }
        let mut sent = |ssrc| {
            interceptor.handle_write(sender_report(ssrc)).unwrap();
            let Packet::Rtcp(packets) = interceptor.poll_write().unwrap().message.packet else {
                unreachable!()
            };
            report(packets[0].as_ref()).unwrap().rtp_time
        };
        assert_eq!((sent(1), sent(2)), (1_960, 1_000));
    }
}
