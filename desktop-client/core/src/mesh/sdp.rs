//! The few facts about a session description that decide which attempt it belongs to (RFC 8839 for ufrags, RFC 8122 for fingerprints, RFC 9429
//! §5.2.1 for the session id).

use std::collections::BTreeSet;

/// Most different values that are kept of each attribute. A description has one or two.
const VALUES_MAX: usize = 32;

/// Longest ufrag, in bytes (RFC 8839 §5.4: 4 to 256 characters).
pub(super) const UFRAG_MAX_BYTES: usize = 256;

/// Longest session id, in bytes. It is a 64-bit number.
const SESSION_MAX_BYTES: usize = 64;

/// Facts about one description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SdpFacts {
    /// ICE user name fragments: they change with each ICE generation.
    pub ufrags: BTreeSet<String>,
    /// DTLS certificate fingerprints: they never change within a peer connection.
    pub fingerprints: BTreeSet<String>,
    /// The session id of the `o=` line: one for each peer connection, if the writer keeps to the standard.
    pub session: Option<String>,
}

impl SdpFacts {
    pub(super) fn of(sdp: &str) -> Self {
        let mut facts = Self::default();
        for line in sdp.lines() {
            if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:") {
                insert(&mut facts.ufrags, ufrag.trim());
            } else if let Some(fingerprint) = line.strip_prefix("a=fingerprint:") {
                insert(&mut facts.fingerprints, &fingerprint.trim().to_ascii_lowercase());
            } else if let Some(origin) = line.strip_prefix("o=") {
                facts.session =
                    origin.split(' ').nth(1).filter(|id| id.len() <= SESSION_MAX_BYTES).map(str::to_owned);
            }
        }
        facts
    }

    /// The two descriptions were made by different peer connections.
    ///
    /// A program may use one certificate for all of its connections; then the session id tells, but only together with new ICE credentials: some
    /// write a new session id into every description.
    pub(super) fn other_connection(&self, other: &Self) -> bool {
        let apart =
            |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_empty() && !b.is_empty() && a.is_disjoint(b);
        let other_session = matches!((&self.session, &other.session), (Some(a), Some(b)) if a != b);
        apart(&self.fingerprints, &other.fingerprints)
            || (other_session && apart(&self.ufrags, &other.ufrags))
    }
}

fn insert(values: &mut BTreeSet<String>, value: &str) {
    if values.len() < VALUES_MAX && value.len() <= UFRAG_MAX_BYTES {
        values.insert(value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_wherever_they_are() {
        let facts = SdpFacts::of(
            "v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=audio 9\r\na=ice-ufrag:x+/y \na=ice-ufrag:x+/y",
        );
        assert_eq!(facts.ufrags, BTreeSet::from(["x+/y".to_owned()]));
        assert_eq!(facts.fingerprints, BTreeSet::from(["sha-256 ab:cd".to_owned()]));
    }

    #[test]
    fn a_hostile_description_costs_bounded_memory() {
        let many: String = (0..100_000).map(|n| format!("a=ice-ufrag:{n}\n")).collect();
        assert_eq!(SdpFacts::of(&many).ufrags.len(), VALUES_MAX);
        let long = format!("a=ice-ufrag:{}", "x".repeat(1_000_000));
        assert!(SdpFacts::of(&long).ufrags.is_empty());
    }

    #[test]
    fn connections_are_told_apart_by_certificate_when_both_name_one() {
        let of = |f: &str| SdpFacts::of(&format!("a=fingerprint:{f}"));
        assert!(of("sha-256 AA").other_connection(&of("sha-256 BB")));
        assert!(!of("sha-256 AA").other_connection(&of("sha-256 aa")));
        assert!(!of("sha-256 AA").other_connection(&SdpFacts::of("")));
    }

    #[test]
    fn connections_with_one_certificate_are_told_apart_by_session_and_credentials() {
        let of = |session: u64, ufrag: &str| {
            SdpFacts::of(&format!(
                "v=0\r\no=- {session} 2 IN IP4 0.0.0.0\r\na=fingerprint:x\r\na=ice-ufrag:{ufrag}"
            ))
        };
        assert!(of(1, "aaaa").other_connection(&of(2, "bbbb")));
        assert!(!of(1, "aaaa").other_connection(&of(1, "bbbb")), "an ICE restart");
        assert!(!of(1, "aaaa").other_connection(&of(2, "aaaa")), "a writer of ever new session ids");
    }
}
