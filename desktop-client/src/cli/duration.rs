//! Durations as people type them: `30s`, `2m`, `1h30m`, `500ms`.

use std::time::Duration;

/// Longest duration that can be asked for. A year is above every use, and far from the limits of timers.
const MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// The text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a number and a unit (ms, s, m, h), for example 30s or 2m; more than nothing and at most a year"
)]
pub struct DurationError;

/// Parses one or more whole numbers with their units, which add up.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = split_part(rest).ok_or(DurationError)?;
        total = total.checked_add(part).filter(|sum| *sum <= MAX).ok_or(DurationError)?;
        rest = after;
    }
    if total.is_zero() { Err(DurationError) } else { Ok(total) }
}

/// The first number with its unit, and what follows.
fn split_part(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let (unit, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some((Duration::from_millis(number.checked_mul(milliseconds)?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms_are_understood() {
        for (text, seconds) in
            [("30s", 30.0), ("2m", 120.0), ("1h30m", 5400.0), ("500ms", 0.5), ("1m0s", 60.0)]
        {
            assert_eq!(parse(text).map(|d| d.as_secs_f64()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "0s",
            "30",
            "s",
            "-5s",
            "1.5m",
            "3 s",
            "5d",
            "1e3s",
            "9999h",
            "99999999999999999999s",
            "18446744073709551615h",
            "５s",
        ] {
            assert_eq!(parse(text), Err(DurationError), "{text}");
        }
    }
}
