//! One link against a scripted peer, order by order.

mod attempts;
mod negotiation;

use std::time::Duration;

use shared::DisplayName;
use shared::signal_data::{Candidate, Description, SdpType, SignalPayload};

use super::*;
use crate::link::Operation;

struct Rig {
    mesh: Mesh,
    now: Instant,
    peer: PeerId,
}

/// What the mesh did, in short.
#[derive(Debug, Clone, PartialEq)]
enum Did {
    Open { initiator: bool },
    Order(LinkOrder),
    Said(SignalData),
}

fn sdp(name: &str, certificate: &str) -> String {
    format!("v=0\r\na=fingerprint:sha-256 {certificate}\r\na=ice-ufrag:{name}\r\n")
}

fn description(kind: SdpType, sdp: &str) -> SignalPayload {
    SignalPayload::Description(Description { kind, sdp: sdp.to_owned() })
}

fn candidate(text: &str, ufrag: Option<&str>) -> Candidate {
    Candidate {
        candidate: text.into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: ufrag.map(Into::into),
    }
}

impl Rig {
    /// We are `m`; the peer's id decides who is impolite.
    fn new(peer: &str) -> (Self, Vec<Did>) {
        let peer = PeerId::parse(peer).unwrap();
        let mut rig = Self { mesh: Mesh::new(1), now: crate::test_time::start(), peer: peer.clone() };
        let own_id = PeerId::parse("m").unwrap();
        let participant = Participant { peer_id: peer, display_name: DisplayName::default(), caps: vec![] };
        let entered = MeshInput::Entered { own_id, participants: vec![participant], ice_servers: vec![] };
        let did = rig.give(entered);
        (rig, did)
    }

    /// Our side makes the first offer; it is on its way.
    fn impolite() -> Self {
        let (mut rig, did) = Self::new("z");
        let offer = Did::Order(LinkOrder::CreateOffer { ice_restart: false });
        assert_eq!(did, [Did::Open { initiator: true }, offer]);
        let did = rig.link(LinkEvent::OfferCreated { sdp: sdp("ours", "AA") });
        assert_eq!(did, [rig.said(description(SdpType::Offer, &sdp("ours", "AA")))]);
        rig
    }

    /// The peer makes the first offer.
    fn polite() -> Self {
        let (rig, did) = Self::new("a");
        assert_eq!(did, [Did::Open { initiator: false }]);
        rig
    }

    /// The first exchange is over, and the connection stands.
    fn connected(mut self) -> Self {
        if self.number().is_some() {
            self.hear(description(SdpType::Answer, &sdp("theirs", "BB")));
            self.link(LinkEvent::AnswerAccepted);
        } else {
            self.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
            self.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
        }
        self.link(LinkEvent::Connection(ConnectionState::Connected));
        self.link(LinkEvent::ChannelOpen(Channel::Chat));
        self
    }

    fn id(&self) -> LinkId {
        self.mesh.peers[&self.peer].link_id().clone()
    }

    /// The number that our side gave the attempt.
    fn number(&self) -> Option<u64> {
        (self.peer.as_str() > "m").then(|| u64::from(self.id().epoch))
    }

    fn said(&self, payload: SignalPayload) -> Did {
        Did::Said(SignalData { link: self.number(), payload })
    }

    fn give(&mut self, input: MeshInput) -> Vec<Did> {
        self.mesh.handle(input, self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Did> {
        let mut did = Vec::new();
        while let Some(output) = self.mesh.poll_output() {
            match output {
                MeshOutput::Link { order: LinkOrder::Open(config), .. } => {
                    did.push(Did::Open { initiator: config.initiator });
                }
                MeshOutput::Link { order, .. } => did.push(Did::Order(order)),
                MeshOutput::Signal { data, .. } => did.push(Did::Said(SignalData::parse(&data).unwrap())),
                MeshOutput::Stranger(_) | MeshOutput::Event { .. } => {}
            }
        }
        did
    }

    fn link(&mut self, event: LinkEvent) -> Vec<Did> {
        let link = self.id();
        self.give(MeshInput::Link { link, event })
    }

    /// From a peer that knows nothing of numbers.
    fn hear(&mut self, payload: SignalPayload) -> Vec<Did> {
        self.hear_numbered(None, payload)
    }

    fn hear_numbered(&mut self, link: Option<u64>, payload: SignalPayload) -> Vec<Did> {
        let data = SignalData { link, payload }.to_raw();
        let from = self.peer.clone();
        self.give(MeshInput::Signal { from, data })
    }

    /// Lets time pass, timer by timer.
    fn wait(&mut self, time: Duration) -> Vec<Did> {
        let end = self.now + time;
        let mut did = Vec::new();
        while let Some(at) = self.mesh.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.mesh.handle_timeout(self.now);
            did.extend(self.drain());
        }
        self.now = end;
        did
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn accept_offer(sdp: &str) -> Did {
    Did::Order(LinkOrder::AcceptOffer { sdp: sdp.to_owned() })
}

fn accept_answer(sdp: &str) -> Did {
    Did::Order(LinkOrder::AcceptAnswer { sdp: sdp.to_owned() })
}

fn opens(did: &[Did]) -> usize {
    did.iter().filter(|did| matches!(did, Did::Open { .. })).count()
}
