//! Candidates on their way in and out (trickle ICE, RFC 8838).
//!
//! A candidate makes sense only beside the description whose ICE generation it belongs to. Those that come too early wait, those that come
//! too late are dropped, and neither costs more than a bound, however many a peer sends.

use std::collections::{BTreeSet, VecDeque};

use shared::signal_data::Candidate;

use super::sdp::{SdpFacts, UFRAG_MAX_BYTES};

/// Most candidates that are added for one remote description, and most that wait for one. A browser makes about ten, a machine with many
/// networks and relays some dozens.
pub(super) const CANDIDATES_MAX: usize = 128;

/// Longest candidate, in bytes. One with host names and extensions has under 300.
const CANDIDATE_MAX_BYTES: usize = 1024;

/// Longest mid, in bytes.
const MID_MAX_BYTES: usize = 256;

/// Most of our own candidates that are kept for one link.
const LOCAL_MAX: usize = 256;

/// Candidates of the peer's.
#[derive(Debug, Default)]
pub(super) struct RemoteCandidates {
    /// Ufrags of the remote description that is set; `None` while there is none.
    current: Option<BTreeSet<String>>,
    /// Added for that description.
    added: usize,
    /// Too early, or of a generation that we do not know (yet). The oldest gives way.
    waiting: VecDeque<Candidate>,
}

impl RemoteCandidates {
    /// Takes a candidate; gives it back if it can be added now. While a description is being set (`settling`) all of them wait.
    pub(super) fn receive(&mut self, candidate: Option<Candidate>, settling: bool) -> Option<Candidate> {
        let candidate = candidate.unwrap_or_else(end_of_candidates);
        if !reasonable(&candidate) {
            return None;
        }
        match &self.current {
            Some(ufrags) if !settling && belongs(&candidate, ufrags) => {
                let fits = self.added < CANDIDATES_MAX;
                self.added += usize::from(fits);
                fits.then_some(candidate)
            }
            _ => {
                if self.waiting.len() == CANDIDATES_MAX {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(candidate);
                None
            }
        }
    }

    /// A remote description is set: gives the candidates that waited for it.
    pub(super) fn described(&mut self, facts: &SdpFacts) -> Vec<Candidate> {
        let (ready, early): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|candidate| belongs(candidate, &facts.ufrags));
        self.waiting = early.into();
        self.current = Some(facts.ufrags.clone());
        self.added = ready.len();
        ready
    }
}

/// Our own candidates.
#[derive(Debug, Default)]
pub(super) struct LocalCandidates {
    /// A description of ours was sent.
    described: bool,
    /// Found before the description that they belong to was sent.
    held: Vec<Option<Candidate>>,
    /// Sent since this ICE generation began. Sent again beside an answer, when the offer that they were sent for was ignored.
    sent: Vec<Option<Candidate>>,
}

impl LocalCandidates {
    /// Takes a candidate; gives it back if it can be sent now, which is when a description is out and no new one is being made (`settling`).
    pub(super) fn found(
        &mut self,
        candidate: Option<Candidate>,
        settling: bool,
    ) -> Option<Option<Candidate>> {
        if self.held.len() + self.sent.len() >= LOCAL_MAX {
            return None;
        }
        if settling || !self.described {
            self.held.push(candidate);
            return None;
        }
        self.sent.push(candidate.clone());
        Some(candidate)
    }

    /// A local description was sent: gives what is to be sent after it.
    pub(super) fn described(&mut self, facts: &SdpFacts, again: bool) -> Vec<Option<Candidate>> {
        self.described = true;
        self.sent.retain(|candidate| candidate.as_ref().is_none_or(|c| belongs(c, &facts.ufrags)));
        let earlier = if again { self.sent.clone() } else { Vec::new() };
        let held = std::mem::take(&mut self.held);
        self.sent.extend(held.iter().cloned());
        earlier.into_iter().chain(held).collect()
    }
}

/// What `null` says, in the form that a peer connection takes.
fn end_of_candidates() -> Candidate {
    Candidate { candidate: String::new(), sdp_mid: None, sdp_m_line_index: None, username_fragment: None }
}

fn reasonable(candidate: &Candidate) -> bool {
    candidate.candidate.len() <= CANDIDATE_MAX_BYTES
        && candidate.sdp_mid.as_ref().is_none_or(|mid| mid.len() <= MID_MAX_BYTES)
        && candidate.username_fragment.as_ref().is_none_or(|ufrag| ufrag.len() <= UFRAG_MAX_BYTES)
}

/// One that names no generation is taken for one of the current one.
fn belongs(candidate: &Candidate, ufrags: &BTreeSet<String>) -> bool {
    ufrag(candidate).is_none_or(|ufrag| ufrags.is_empty() || ufrags.contains(ufrag))
}

/// The candidate's ufrag: its own field, or the extension attribute inside the candidate line (RFC 8839 §5.1, as browsers write it).
fn ufrag(candidate: &Candidate) -> Option<&str> {
    if let Some(ufrag) = candidate.username_fragment.as_deref() {
        return Some(ufrag);
    }
    let mut tokens = candidate.candidate.split_ascii_whitespace();
    tokens.find(|token| *token == "ufrag")?;
    tokens.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str, ufrag: Option<&str>) -> Candidate {
        Candidate {
            candidate: text.into(),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: ufrag.map(Into::into),
        }
    }

    fn facts(ufrag: &str) -> SdpFacts {
        SdpFacts::of(&format!("a=ice-ufrag:{ufrag}"))
    }

    #[test]
    fn early_candidates_wait_for_their_description() {
        let mut remote = RemoteCandidates::default();
        let (a, b) = (candidate("1 ufrag aaaa", None), candidate("2", Some("bbbb")));
        assert_eq!(remote.receive(Some(a.clone()), false), None);
        assert_eq!(remote.receive(Some(b.clone()), false), None);
        assert_eq!(remote.described(&facts("aaaa")), [a]);
        // The next generation's candidate overtook its description.
        assert_eq!(remote.described(&facts("bbbb")), [b]);
    }

    #[test]
    fn late_candidates_of_an_older_generation_are_not_added() {
        let mut remote = RemoteCandidates::default();
        assert_eq!(remote.described(&facts("bbbb")), []);
        assert_eq!(remote.receive(Some(candidate("1", Some("aaaa"))), false), None);
        let good = candidate("2", Some("bbbb"));
        assert_eq!(remote.receive(Some(good.clone()), false), Some(good));
        assert_eq!(remote.receive(None, false).map(|c| c.candidate), Some(String::new()));
    }

    #[test]
    fn ten_thousand_candidates_cost_bounded_memory_and_work() {
        let mut remote = RemoteCandidates::default();
        for n in 0..10_000 {
            assert_eq!(remote.receive(Some(candidate(&n.to_string(), None)), false), None);
        }
        assert_eq!(remote.waiting.len(), CANDIDATES_MAX);
        assert_eq!(remote.described(&facts("aaaa")).len(), CANDIDATES_MAX);
        for n in 0..10_000 {
            assert_eq!(remote.receive(Some(candidate(&n.to_string(), None)), false), None);
        }
        assert_eq!(remote.receive(Some(candidate(&"x".repeat(1_000_000), None)), true), None);
        assert!(remote.waiting.is_empty());
    }

    #[test]
    fn own_candidates_follow_their_description() {
        let mut local = LocalCandidates::default();
        let a = Some(candidate("1", Some("aaaa")));
        assert_eq!(local.found(a.clone(), false), None);
        assert_eq!(local.described(&facts("aaaa"), false), std::slice::from_ref(&a));
        assert_eq!(local.found(None, false), Some(None));
        // After a rollback, the answer goes out with all of its generation.
        assert_eq!(local.described(&facts("aaaa"), true), [a, None]);
        // An ICE restart: the old generation is over.
        assert_eq!(local.described(&facts("bbbb"), true), [None]);
    }
}
