//! Text from outside, made safe to show.

/// Controls that only serve to fake: bidirectional embeddings, overrides and isolates (UAX #9), interlinear marks, the byte order mark.
///
/// Joiners, variation selectors and emoji tags stay: scripts and flags need them.
fn is_spoofing(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FEFF}')
}

/// A chat text: line breaks and tabs stay, every other control goes, white space at the ends goes.
pub fn multi_line(text: &str) -> String {
    let keep = |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || is_spoofing(*c));
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    unix.chars().filter(keep).collect::<String>().trim().to_owned()
}

/// A text on one line, cut after `max` characters with an ellipsis.
pub fn single_line(text: &str, max: usize) -> String {
    // Looks at no more than it may show, so that a text of 1 MB costs no more than a long one.
    let mut shown: String = text
        .trim_start()
        .chars()
        .take(max.saturating_add(1))
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .filter(|c| !is_spoofing(*c))
        .collect();
    if let Some((end, _)) = shown.char_indices().nth(max) {
        shown.truncate(end);
        shown.push('…');
    }
    shown.trim_end().to_owned()
}

/// The longest start of `text` that has at most `max` bytes and cuts no character.
pub fn prefix(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_keeps_lines_and_emoji_and_loses_controls() {
        let flag = "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}";
        let text = format!("  a\r\nb\u{7}\u{202E}c\td {flag} می\u{200C}خواهم\n");
        assert_eq!(multi_line(&text), format!("a\nbc\td {flag} می\u{200C}خواهم"));
    }

    #[test]
    fn single_lines_are_cut() {
        assert_eq!(single_line(" a\nb\u{202E}c ", 10), "a bc");
        assert_eq!(single_line("äöü", 2), "äö…");
        assert_eq!(single_line("äöü", 3), "äöü");
    }

    #[test]
    fn prefixes_cut_no_character() {
        assert_eq!(prefix("aäb", 2), "a");
        assert_eq!(prefix("aäb", 3), "aä");
        assert_eq!(prefix("aäb", 9), "aäb");
    }
}
