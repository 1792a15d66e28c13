//! The interceptor above the wire: holds packets back, sends again what the peer misses, fills probes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use media_core::bitrate::Bitrate;
use media_core::congestion::ProbeSent;
use media_core::pacer::{Pacer, PacerConfig, PacerInput, PacerOutput, Priority};
use media_core::retransmission::{Note, RetransmissionConfig, Retransmitter, RtxStream, SentStream};
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::mpsc;

use super::path::Shared;
use super::{News, PathNews, feedback, wire};

/// Paces everything but RTCP, which is small and late at once, and answers NACKs.
pub struct Pacing {
    pacer: Pacer<Item>,
    retransmitter: Retransmitter,
    /// What each of our streams is to the pacer; packets of others are video.
    priorities: BTreeMap<u32, Priority>,
    path: PathNews,
    /// What the pacer was told last.
    target: Bitrate,
    news: mpsc::Receiver<News>,
    probes_sent: mpsc::Sender<ProbeSent>,
    shared: Arc<Shared>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

/// What waits for its turn.
enum Item {
    Media(TaggedPacket),
    Again(Note),
}

impl Pacing {
    pub(super) fn new(
        estimate: Bitrate,
        news: mpsc::Receiver<News>,
        probes_sent: mpsc::Sender<ProbeSent>,
        shared: Arc<Shared>,
    ) -> Self {
        let config = RetransmissionConfig { padding_bytes: wire::PADDING_BYTES, ..Default::default() };
        Self {
            pacer: Pacer::new(PacerConfig::default(), estimate),
            retransmitter: Retransmitter::new(config),
            priorities: BTreeMap::new(),
            path: PathNews { estimate, fraction_lost: 0.0, round_trip_time: None },
            target: Bitrate::ZERO,
            news,
            probes_sent,
            shared,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }

    /// Takes in what the estimation and the client say.
    fn hear(&mut self, now: Instant) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Path(path) => self.path = path,
                News::Probe(probe) => self.pacer.handle(PacerInput::Probe(probe), now),
            }
        }
        let target = self.path.estimate.max(self.shared.allocation());
        self.retransmitter.set_path(target, self.path.fraction_lost, now);
        if let Some(rtt) = self.path.round_trip_time {
            self.retransmitter.set_round_trip_time(rtt);
        }
        if self.target != target {
            self.target = target;
            self.pacer.handle(PacerInput::Target(target), now);
        }
    }

    fn queue(&mut self, priority: Priority, bytes: usize, item: Item, now: Instant) {
        self.pacer.handle(PacerInput::Packet { priority, bytes, item }, now);
    }

    fn queue_again(&mut self, priority: Priority, notes: Vec<Note>, now: Instant) {
        for note in notes {
            self.queue(priority, note.bytes + wire::OVERHEAD_BYTES, Item::Again(note), now);
        }
    }

    /// Carries out the pacer's orders.
    fn carry_out(&mut self, now: Instant) {
        while let Some(output) = self.pacer.poll_output() {
            match output {
                PacerOutput::Send { item, priority, .. } => self.send(item, priority, now),
                PacerOutput::Drop { item: Item::Media(message), .. } => {
                    // It has its number: let the peer ask for it when there is room again.
                    self.remember(&message, now);
                }
                PacerOutput::Drop { item: Item::Again(_), .. } => {}
                PacerOutput::NeedPadding { bytes } => {
                    let notes = self.retransmitter.padding(bytes, now);
                    self.queue_again(Priority::Padding, notes, now);
                }
                PacerOutput::ProbeSent(sent) => {
                    // See `NEWS` for a queue that is full.
                    let _ = self.probes_sent.try_send(sent);
                }
            }
        }
        self.shared.set_queue_delay(self.pacer.queue_delay());
    }

    fn send(&mut self, item: Item, priority: Priority, now: Instant) {
        match item {
            Item::Media(mut message) => {
                self.remember(&message, now);
                // It departs now: what waited here is no delay of the path.
                message.now = now;
                self.writes.push_back(message);
            }
            Item::Again(note) => {
                let Some(resent) = self.retransmitter.take(note, now) else { return };
                let bytes = note.bytes + wire::OVERHEAD_BYTES;
                match priority {
                    Priority::Padding => self.shared.padded(bytes),
                    Priority::Audio | Priority::Retransmission | Priority::Video => self.shared.resent(bytes),
                }
                self.writes.push_back(wire::resent(resent, now));
            }
        }
    }

    fn remember(&mut self, message: &TaggedPacket, now: Instant) {
        if let Packet::Rtp(packet) = &message.message.packet {
            self.retransmitter.sent(packet.header.ssrc, wire::outgoing(packet), now);
        }
    }

    fn answer(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        if let Some((ssrc, sequence_numbers)) = feedback::nack(packet) {
            let notes = self.retransmitter.nacked(ssrc, sequence_numbers, now);
            self.queue_again(Priority::Retransmission, notes, now);
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Pacing {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            self.hear(message.now);
            for packet in packets {
                self.answer(packet.as_ref(), message.now);
            }
            self.carry_out(message.now);
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &message.message.packet else {
            self.writes.push_back(message);
            return Ok(());
        };
        let now = message.now;
        let priority = self.priorities.get(&packet.header.ssrc).copied().unwrap_or(Priority::Video);
        let bytes = wire::bytes(packet);
        self.hear(now);
        self.queue(priority, bytes, Item::Media(message), now);
        self.carry_out(now);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.hear(now);
        self.pacer.handle(PacerInput::Tick, now);
        self.carry_out(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.pacer.poll_timeout()
    }
}

impl Interceptor for Pacing {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let priority = if wire::is_audio(info) { Priority::Audio } else { Priority::Video };
        self.priorities.insert(info.ssrc, priority);
        if !wire::takes_nacks(info) {
            return;
        }
        let rtx = info.ssrc_rtx.zip(info.payload_type_rtx);
        self.retransmitter.bind(SentStream {
            ssrc: info.ssrc,
            payload_type: info.payload_type,
            rtx: rtx.map(|(ssrc, payload_type)| RtxStream {
                ssrc,
                payload_type,
                sequence_number: rand::random(),
            }),
        });
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.priorities.remove(&info.ssrc);
        self.retransmitter.unbind(info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
