//! What clients put into `signal`'s `data`: descriptions and candidates. The server never looks inside.
//!
//! Clients in the wild write it in several forms. [`SignalData::parse`] takes them all; [`SignalData::to_raw`] always writes the first:
//!
//! - `{description: {type, sdp}}`, `{candidate: {candidate, sdpMid, sdpMLineIndex} | null}`
//! - `{type, sdp}`, `{sdp: {type, sdp}}`
//! - a candidate as such, `{candidate: "candidate:…", sdpMid, sdpMLineIndex}`

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Largest `link` number that is believed: what a JavaScript number holds exactly.
const LINK_MAX: u64 = (1 << 53) - 1;

/// A signal between two clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalData {
    /// The number of the offerer's attempt at a connection, from clients that know it.
    pub link: Option<u64>,
    /// What the signal carries.
    pub payload: SignalPayload,
}

/// What a signal carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalPayload {
    /// A session description.
    Description(Description),
    /// A candidate; `None` is the end of candidates.
    Candidate(Option<Candidate>),
}

/// Why a signal could not be understood. Drop it; the sender's other signals may be fine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalDataError {
    /// It is none of the forms above.
    #[error("neither a description nor a candidate")]
    Unknown,
    /// It is a description that does not hold together.
    #[error("malformed description: {0}")]
    Description(String),
    /// It is a candidate that does not hold together.
    #[error("malformed candidate: {0}")]
    Candidate(String),
}

impl SignalData {
    /// Parses any form that is in use.
    pub fn parse(raw: &RawValue) -> Result<Self, SignalDataError> {
        let value: Value = serde_json::from_str(raw.get()).map_err(|_| SignalDataError::Unknown)?;
        let Value::Object(mut fields) = value else { return Err(SignalDataError::Unknown) };
        let link = fields.get("link").and_then(Value::as_u64).filter(|link| *link <= LINK_MAX);
        for wrapper in ["description", "sdp"] {
            if fields.get(wrapper).is_some_and(Value::is_object) {
                let description = fields.remove(wrapper).unwrap_or_default();
                return Ok(Self {
                    link,
                    payload: SignalPayload::Description(parse_description(description)?),
                });
            }
        }
        if fields.get("type").is_some_and(Value::is_string) && fields.contains_key("sdp") {
            let description = parse_description(Value::Object(fields))?;
            return Ok(Self { link, payload: SignalPayload::Description(description) });
        }
        let candidate = match fields.get("candidate") {
            None => return Err(SignalDataError::Unknown),
            Some(Value::Null) => None,
            Some(Value::Object(_)) => parse_candidate(fields.remove("candidate").unwrap_or_default())?,
            Some(_) => parse_candidate(Value::Object(fields))?,
        };
        Ok(Self { link, payload: SignalPayload::Candidate(candidate) })
    }

    /// The first form, ready for `signal`.
    pub fn to_raw(&self) -> Box<RawValue> {
        #[derive(Serialize)]
        #[serde(rename_all = "lowercase")]
        enum Form<'a> {
            Description(&'a Description),
            Candidate(Option<&'a Candidate>),
        }
        #[derive(Serialize)]
        struct Linked<'a> {
            #[serde(flatten)]
            form: Form<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            link: Option<u64>,
        }
        let form = match &self.payload {
            SignalPayload::Description(description) => Form::Description(description),
            SignalPayload::Candidate(candidate) => Form::Candidate(candidate.as_ref()),
        };
        // Strings and numbers only: serialising cannot fail, and `null` would be dropped by any receiver.
        serde_json::value::to_raw_value(&Linked { form, link: self.link })
            .unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

fn parse_description(value: Value) -> Result<Description, SignalDataError> {
    serde_json::from_value(value).map_err(|error| SignalDataError::Description(error.to_string()))
}

/// An empty candidate says the same as `null`.
fn parse_candidate(value: Value) -> Result<Option<Candidate>, SignalDataError> {
    let candidate: Candidate =
        serde_json::from_value(value).map_err(|error| SignalDataError::Candidate(error.to_string()))?;
    Ok(Some(candidate).filter(|candidate| !candidate.candidate.is_empty()))
}

/// The kinds of session description (JSEP, RFC 9429).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// A provisional answer.
    Pranswer,
    /// An answer.
    Answer,
    /// Takes a pending offer back.
    Rollback,
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The SDP text.
    #[serde(default)]
    pub sdp: String,
}

/// An ICE candidate as browsers serialise it (W3C webrtc, `RTCIceCandidateInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The `candidate-attribute`; empty for the end of candidates.
    #[serde(default)]
    pub candidate: String,
    /// The media section's mid.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// The media section's index.
    #[serde(default)]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation's user name fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<SignalData, SignalDataError> {
        SignalData::parse(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn every_form_of_a_description_is_understood() {
        for text in [
            r#"{"description":{"type":"offer","sdp":"v=0"}}"#,
            r#"{"type":"offer","sdp":"v=0"}"#,
            r#"{"sdp":{"type":"offer","sdp":"v=0"}}"#,
            r#"{"candidate":null,"description":{"type":"offer","sdp":"v=0","x":1}}"#,
        ] {
            let expected = Description { kind: SdpType::Offer, sdp: "v=0".into() };
            assert_eq!(parse(text).unwrap().payload, SignalPayload::Description(expected), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_candidate_is_understood() {
        for text in [
            r#"{"candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}}"#,
            r#"{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}"#,
            r#"{"type":"candidate","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}}"#,
        ] {
            let SignalPayload::Candidate(Some(candidate)) = parse(text).unwrap().payload else {
                panic!("{text}")
            };
            assert_eq!(candidate.candidate, "candidate:1");
            assert_eq!(candidate.sdp_mid.as_deref(), Some("0"));
            assert_eq!(candidate.sdp_m_line_index, Some(0));
        }
        for text in [r#"{"candidate":null}"#, r#"{"candidate":{"candidate":""}}"#, r#"{"candidate":""}"#] {
            assert_eq!(parse(text).unwrap().payload, SignalPayload::Candidate(None), "{text}");
        }
    }

    #[test]
    fn link_is_a_number_or_nothing() {
        let link = |text: &str| parse(text).unwrap().link;
        assert_eq!(link(r#"{"candidate":null,"link":3}"#), Some(3));
        for odd in ["-1", "1.5", "\"3\"", "null", "9007199254740992", "[]"] {
            assert_eq!(link(&format!(r#"{{"candidate":null,"link":{odd}}}"#)), None, "{odd}");
        }
    }

    #[test]
    fn garbage_is_told_apart() {
        for text in ["null", "7", "[]", "{}", r#"{"sdp":"v=0"}"#, r#""offer""#, r#"{"description":null}"#] {
            assert_eq!(parse(text), Err(SignalDataError::Unknown), "{text}");
        }
        assert!(matches!(parse(r#"{"type":"no","sdp":""}"#), Err(SignalDataError::Description(_))));
        assert!(matches!(parse(r#"{"description":{"sdp":"v=0"}}"#), Err(SignalDataError::Description(_))));
        assert!(matches!(parse(r#"{"candidate":7}"#), Err(SignalDataError::Candidate(_))));
        assert!(parse(&format!("{}1{}", "[".repeat(5000), "]".repeat(5000))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_understood_is_understood_again_as_we_write_it(
            description in any::<bool>(), kind in "offer|answer|pranswer|rollback|x", text in ".{0,40}", link in any::<Option<u64>>(),
        ) {
            let value = if description {
                serde_json::json!({"sdp": {"type": kind, "sdp": text}, "link": link})
            } else {
                serde_json::json!({"candidate": text, "sdpMid": kind, "link": link})
            };
            if let Ok(signal) = parse(&value.to_string()) {
                prop_assert_eq!(SignalData::parse(&signal.to_raw()), Ok(signal));
            }
        }
    }

    #[test]
    fn the_first_form_is_written() {
        let candidate = Candidate {
            candidate: "candidate:1".into(),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        let signal = SignalData { link: Some(2), payload: SignalPayload::Candidate(Some(candidate)) };
        assert_eq!(
            signal.to_raw().get(),
            r#"{"candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0},"link":2}"#
        );
        let end = SignalData { link: None, payload: SignalPayload::Candidate(None) };
        assert_eq!(end.to_raw().get(), r#"{"candidate":null}"#);
        let offer = Description { kind: SdpType::Offer, sdp: "v=0\r\n".into() };
        let offer = SignalData { link: None, payload: SignalPayload::Description(offer) };
        assert_eq!(offer.to_raw().get(), r#"{"description":{"type":"offer","sdp":"v=0\r\n"}}"#);
        assert_eq!(SignalData::parse(&offer.to_raw()), Ok(offer));
    }
}
