//! Reading known fields out of JSON objects one at a time, so that an error can name the field.
//!
//! A derived `Deserialize` says where in the text it gave up, but not in which field; the contract asks for the field. Objects are borrowed as
//! raw JSON first, so that unknown fields, however large, are skipped without being built.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A known field holds something that the contract does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct FieldError {
    /// The field's name as it is on the wire.
    pub field: &'static str,
    /// What is wrong, as the rest of a sentence that starts with the field's name.
    pub problem: String,
}

impl FieldError {
    /// An error about `field`.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// For `#[serde(deserialize_with)]`: tells a field that is `null` (`Some`) from one that is missing (`None`, by `default`).
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The field's string; nothing when it is missing or `null`.
///
/// Half a surrogate pair, as JavaScript leaves it when it cuts a text inside an emoji, becomes U+FFFD.
pub(crate) fn string(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, FieldError> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(json) => match serde_json::from_str(json) {
            Ok(LossyString(text)) => Ok(Some(text)),
            Err(_) => Err(FieldError::new(field, "must be a string")),
        },
    }
}

/// The field's whole number within `range`; nothing when it is missing or `null`. `8.0` counts as 8: some languages write it so.
pub(crate) fn whole_number(
    field: &'static str,
    raw: Option<&RawValue>,
    range: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, FieldError> {
    let json = match raw.map(RawValue::get) {
        None | Some("null") => return Ok(None),
        Some(json) => json,
    };
    let number: Option<f64> = serde_json::from_str(json).ok();
    let (low, high) = (f64::from(*range.start()), f64::from(*range.end()));
    match number {
        // In range and without a fraction, so the cast is exact.
        Some(n) if n.fract() == 0.0 && (low..=high).contains(&n) => Ok(Some(n as u32)),
        Some(_) | None => {
            let problem = format!("must be a whole number from {} to {}", range.start(), range.end());
            Err(FieldError::new(field, problem))
        }
    }
}

/// The field's list of strings; nothing when it is missing or `null`. At most `max` are read, the rest is ignored.
pub(crate) fn strings(
    field: &'static str,
    raw: Option<&RawValue>,
    max: usize,
) -> Result<Vec<String>, FieldError> {
    let json = match raw.map(RawValue::get) {
        None | Some("null") => return Ok(Vec::new()),
        Some(json) => json,
    };
    let items: Vec<&RawValue> =
        serde_json::from_str(json).map_err(|_| FieldError::new(field, "must be a list of strings"))?;
    items
        .into_iter()
        .take(max)
        .map(|item| {
            serde_json::from_str(item.get()).map_err(|_| FieldError::new(field, "must hold only strings"))
        })
        .collect()
}

/// A JSON string in which lone surrogates are replaced instead of refused.
struct LossyString(String);

impl<'de> Deserialize<'de> for LossyString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = LossyString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<LossyString, E> {
                Ok(LossyString(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        // Asked for bytes, serde_json hands over lone surrogates in the form that they would have in UTF-8 (WTF-8).
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn half_an_emoji_does_not_cost_the_whole_text() {
        assert_eq!(string("f", Some(&raw(r#""a\ud83d""#))).unwrap().unwrap().chars().next(), Some('a'));
        assert_eq!(string("f", Some(&raw(r#""\ud83d\ude00é\n""#))).unwrap().as_deref(), Some("😀é\n"));
        for other in ["1", "[1]", "[]", "{}", "true", "[97]"] {
            assert!(string("f", Some(&raw(other))).is_err(), "{other}");
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_range() {
        for (json, number) in [("1", 1), ("8.0", 8), ("2.56e2", 256)] {
            assert_eq!(whole_number("f", Some(&raw(json)), 1..=256), Ok(Some(number)));
        }
        assert_eq!(whole_number("f", None, 1..=256), Ok(None));
        for json in ["0", "-1", "257", "8.5", "1e400", "18446744073709551616", "\"8\"", "[]", "true"] {
            let error = whole_number("f", Some(&raw(json)), 1..=256).unwrap_err();
            assert_eq!(error.to_string(), "f must be a whole number from 1 to 256", "{json}");
        }
    }
}
