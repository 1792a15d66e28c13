//! A model of a peer connection and its peer task: the signaling states of JSEP (RFC 9429), ICE generations and certificates.
//!
//! What a real one refuses is refused here. What it refuses because our own orders were wrong is reported as misuse.

use std::time::{Duration, Instant};

use call_core::link::{Channel, LinkConfig, LinkEvent, LinkOrder, Operation};
use shared::signal_data::Candidate;

use super::Random;

pub enum Effect {
    Event(LinkEvent),
    Later(Duration, LinkEvent),
    Misuse(String),
    Send { channel: Channel, text: String },
}

pub struct Pc {
    config: LinkConfig,
    /// Of the certificate; some programs use one for all of their connections.
    fingerprint: u64,
    /// The session id of the `o=` line.
    session: u64,
    /// The peer task hangs: orders disappear.
    pub hung: bool,
    /// After a rollback, some implementations keep their ICE credentials and some make new ones.
    keeps_ufrag: bool,
    pub busy_until: Instant,
    pub up: bool,
    pub generation: u64,
    local: Option<String>,
    pending: Option<String>,
    spare: Option<String>,
    remote: Option<Remote>,
    chat: bool,
    last_ufrag: u32,
    serial: u32,
}

struct Remote {
    session: String,
    ufrag: String,
    candidates: u32,
}

impl Pc {
    pub fn new(config: LinkConfig, fingerprint: u64, session: u64, keeps_ufrag: bool, now: Instant) -> Self {
        Self {
            chat: config.initiator,
            config,
            fingerprint,
            session,
            hung: false,
            keeps_ufrag,
            busy_until: now,
            up: false,
            generation: 0,
            local: None,
            pending: None,
            spare: None,
            remote: None,
            last_ufrag: 0,
            serial: 0,
        }
    }

    /// Our view of the other end is what the other end is, and we can reach it.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.remote.as_ref().is_some_and(|remote| {
            remote.candidates > 0 && !other.hung && Some(&remote.ufrag) == other.local.as_ref()
        })
    }

    pub fn open_channels(&self) -> Vec<Channel> {
        let control = self.config.control.then_some(Channel::Control);
        [Channel::Chat].into_iter().chain(control).collect()
    }

    pub fn execute(&mut self, order: LinkOrder, random: &mut Random) -> Vec<Effect> {
        if self.hung {
            return Vec::new();
        }
        match order {
            LinkOrder::CreateOffer { ice_restart } => self.create_offer(ice_restart, random),
            LinkOrder::AcceptOffer { sdp } => self.accept_offer(&sdp, random),
            LinkOrder::AcceptAnswer { sdp } => self.accept_answer(&sdp),
            LinkOrder::Rollback => self.rollback(),
            LinkOrder::AddCandidate(candidate) => self.add_candidate(&candidate),
            LinkOrder::EnsureChat => {
                let new = !std::mem::replace(&mut self.chat, true);
                new.then_some(Effect::Event(LinkEvent::ChannelOpen(Channel::Chat))).into_iter().collect()
            }
            LinkOrder::Send { channel, text } => vec![Effect::Send { channel, text }],
            LinkOrder::FitTile(_) | LinkOrder::SetVolume(_) | LinkOrder::Open(_) | LinkOrder::Close => {
                Vec::new()
            }
        }
    }

    fn create_offer(&mut self, ice_restart: bool, random: &mut Random) -> Vec<Effect> {
        if self.pending.is_some() {
            return misused(Operation::CreateOffer, "an offer is pending");
        }
        let mut effects = Vec::new();
        let ufrag = match self.local.clone().or(self.spare.take()).filter(|_| !ice_restart) {
            Some(ufrag) => ufrag,
            None => self.gather(&mut effects, random),
        };
        self.pending = Some(ufrag.clone());
        effects.push(Effect::Event(LinkEvent::OfferCreated { sdp: self.sdp(&ufrag) }));
        wish(&mut effects, random);
        effects
    }

    fn accept_offer(&mut self, sdp: &str, random: &mut Random) -> Vec<Effect> {
        if self.pending.is_some() {
            return misused(Operation::AcceptOffer, "an offer of ours is pending");
        }
        let Some(remote) = parse(sdp) else { return failed(Operation::AcceptOffer, "syntax") };
        let restarted = self.remote.as_ref().is_none_or(|old| old.ufrag != remote.ufrag);
        if let Err(effects) = self.take_remote(remote, Operation::AcceptOffer) {
            return effects;
        }
        let mut effects = Vec::new();
        let ufrag = match self.local.clone().filter(|_| !restarted).or(self.spare.take()) {
            Some(ufrag) => ufrag,
            None => self.gather(&mut effects, random),
        };
        self.local = Some(ufrag.clone());
        effects.push(Effect::Event(LinkEvent::AnswerCreated { sdp: self.sdp(&ufrag) }));
        wish(&mut effects, random);
        effects
    }

    fn accept_answer(&mut self, sdp: &str) -> Vec<Effect> {
        let Some(ufrag) = self.pending.clone() else {
            return misused(Operation::AcceptAnswer, "no offer is pending");
        };
        let Some(remote) = parse(sdp) else { return failed(Operation::AcceptAnswer, "syntax") };
        if let Err(effects) = self.take_remote(remote, Operation::AcceptAnswer) {
            return effects;
        }
        self.pending = None;
        self.local = Some(ufrag);
        vec![Effect::Event(LinkEvent::AnswerAccepted)]
    }

    fn rollback(&mut self) -> Vec<Effect> {
        let Some(ufrag) = self.pending.take() else {
            return misused(Operation::Rollback, "nothing is pending");
        };
        if self.keeps_ufrag && self.local.is_none() {
            self.spare = Some(ufrag);
        }
        vec![Effect::Event(LinkEvent::RolledBack)]
    }

    fn add_candidate(&mut self, candidate: &Candidate) -> Vec<Effect> {
        let Some(remote) = &mut self.remote else {
            return misused(Operation::AddCandidate, "no remote description");
        };
        if candidate.candidate.ends_with(&format!(" ufrag {}", remote.ufrag)) {
            remote.candidates += 1;
            return Vec::new();
        }
        if candidate.candidate.is_empty() {
            Vec::new()
        } else {
            failed(Operation::AddCandidate, "of no generation")
        }
    }

    fn take_remote(&mut self, remote: Remote, operation: Operation) -> Result<(), Vec<Effect>> {
        match &self.remote {
            // DTLS and SCTP would go on where another connection left off.
            Some(old) if old.session != remote.session => Err(failed(operation, "another connection")),
            Some(old) if old.ufrag == remote.ufrag => Ok(()),
            Some(_) | None => {
                self.remote = Some(remote);
                Ok(())
            }
        }
    }

    /// New ICE credentials; their candidates come before and after the description.
    fn gather(&mut self, effects: &mut Vec<Effect>, random: &mut Random) -> String {
        self.last_ufrag += 1;
        let ufrag = format!("{:x}-{}", self.session, self.last_ufrag);
        let named = random.chance(50);
        let candidate = |n: u32| Candidate {
            candidate: format!("candidate:{n} 1 udp 1 192.0.2.1 9 typ host ufrag {ufrag}"),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: named.then(|| ufrag.clone()),
        };
        if random.chance(50) {
            effects.push(Effect::Event(LinkEvent::LocalCandidate(Some(candidate(1)))));
        }
        effects.push(Effect::Later(random.ms(0..300), LinkEvent::LocalCandidate(Some(candidate(2)))));
        effects.push(Effect::Later(random.ms(300..400), LinkEvent::LocalCandidate(None)));
        ufrag
    }

    fn sdp(&mut self, ufrag: &str) -> String {
        self.serial += 1;
        let (session, serial, fingerprint) = (self.session, self.serial, self.fingerprint);
        format!(
            "v=0\r\no=- {session} {serial} IN IP4 0.0.0.0\r\na=fingerprint:sha-256 {fingerprint:x}\r\na=ice-ufrag:{ufrag}\r\n"
        )
    }
}

/// Now and then a connection wants to be negotiated again, on either side: so offers collide.
fn wish(effects: &mut Vec<Effect>, random: &mut Random) {
    if random.chance(25) {
        effects.push(Effect::Later(random.ms(0..1500), LinkEvent::NegotiationNeeded));
    }
}

fn parse(sdp: &str) -> Option<Remote> {
    sdp.strip_prefix("v=0\r\n")?;
    let value = |name: &str| sdp.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let session = value("o=- ")?.split(' ').next()?.to_owned();
    Some(Remote { session, ufrag: value("a=ice-ufrag:")?, candidates: 0 })
}

fn failed(operation: Operation, message: &str) -> Vec<Effect> {
    vec![Effect::Event(LinkEvent::Failed { operation, message: message.into() })]
}

fn misused(operation: Operation, message: &str) -> Vec<Effect> {
    let mut effects = vec![Effect::Misuse(format!("{operation:?}: {message}"))];
    effects.extend(failed(operation, message));
    effects
}
