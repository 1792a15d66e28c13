//! Bounds on JSON that is relayed without being read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Whether `json`, which must be valid, nests arrays and objects deeper than `max`.
///
/// Text that has no more brackets than `max` cannot nest deeper; that count is vectorised and settles nearly every message.
pub(super) fn nests_deeper_than(json: &str, max: usize) -> bool {
    let openers = json.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    openers > max && depth_exceeds(json.as_bytes(), max)
}

fn depth_exceeds(json: &[u8], max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Checks that every placeholder in `json` names one of `attachments` attachments. Builds nothing: the text may be large.
pub(super) fn check_placeholders(json: &str, attachments: usize) -> Result<(), serde_json::Error> {
    Placeholders { attachments }.deserialize(&mut serde_json::Deserializer::from_str(json)).map(|_| ())
}

#[derive(Clone, Copy)]
struct Placeholders {
    attachments: usize,
}

/// What a value was, as far as a placeholder may consist of it.
enum Value {
    True,
    Number(u64),
    Other,
}

impl<'de> DeserializeSeed<'de> for Placeholders {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Placeholders {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "placeholders with numbers below {}", self.attachments)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut is_placeholder, mut number) = (false, None);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            let value = map.next_value_seed(self)?;
            match (&*key, value) {
                ("_placeholder", Value::True) => is_placeholder = true,
                ("num", Value::Number(num)) => number = Some(num),
                _ => {}
            }
        }
        if is_placeholder && number.is_none_or(|num| num >= self.attachments as u64) {
            return Err(de::Error::custom(format_args!("expected {}", &self as &dyn de::Expected)));
        }
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(if value { Value::True } else { Value::Other })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert!(!nests_deeper_than(r#"[[1],{"a":[2]}]"#, 3));
        assert!(nests_deeper_than(r#"[[1],{"a":[2]}]"#, 2));
        assert!(!nests_deeper_than(r#"["[[[[[[\"[[[[[",{}]"#, 2));
        assert!(!nests_deeper_than(&"[],".repeat(100), 2));
    }
}
