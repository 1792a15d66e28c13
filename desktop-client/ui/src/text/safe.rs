//! Text of other people without the characters that could spoof, hide or overflow.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

/// Most characters of one text that are drawn; what is longer is cut. A chat line is far shorter; laying out more would stall the window.
const MAX_CHARS: usize = 8_000;

/// Most combining marks in a row: no script needs more, and a pile of them paints over its neighbours.
const MAX_MARKS: usize = 4;

/// What `text` shows: no controls but line feeds, no bidirectional overrides or invisible format characters (UAX #9, UTR #36), no piles of
/// combining marks, at most 8 000 characters.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_CHARS && text.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(MAX_CHARS * 4));
    let mut marks = 0;
    for c in text.chars().filter(|c| !is_invisible(*c)).take(MAX_CHARS) {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            _ if marks > MAX_MARKS => {}
            '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// One or two letters that stand for a name on its avatar.
pub fn initials(name: &str) -> String {
    let name = safe(name);
    let mut words = name.unicode_words().filter(|word| word.starts_with(char::is_alphabetic));
    let first = words.next().and_then(|w| w.graphemes(true).next());
    let last = words.next_back().and_then(|w| w.graphemes(true).next());
    match first {
        Some(first) => format!("{first}{}", last.unwrap_or_default()).to_uppercase(),
        // A name of digits, emoji or punctuation only.
        None => name.trim().graphemes(true).next().unwrap_or("?").to_owned(),
    }
}

fn is_invisible(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180E}'
            | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E007F}')
}

fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05BD}' | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}'
        | '\u{0E31}' | '\u{0E34}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoofing_characters_are_gone() {
        assert_eq!(safe("a\u{202E}b\u{0007}c\u{200B}d\u{2066}e\r"), "abcde");
        assert_eq!(safe("two\nlines\tend"), "two\nlines end");
        assert_eq!(safe("plain"), "plain");
    }

    #[test]
    fn piles_of_marks_are_cut() {
        let pile = format!("Z{}", "\u{0301}".repeat(500));
        assert_eq!(safe(&pile).chars().count(), 1 + MAX_MARKS);
        assert_eq!(safe("e\u{0301}"), "e\u{0301}");
    }

    #[test]
    fn a_huge_text_is_cut() {
        assert_eq!(safe(&"é".repeat(1_000_000)).chars().count(), MAX_CHARS);
        assert_eq!(safe(&"e".repeat(1_000_000)).chars().count(), MAX_CHARS);
    }

    #[test]
    fn initials_of_all_kinds_of_names() {
        assert_eq!(initials("Ada Lovelace"), "AL");
        assert_eq!(initials("ada"), "A");
        assert_eq!(initials("Jean-Luc de la Tour"), "JT");
        assert_eq!(initials("Ada (room 3)"), "AR");
        assert_eq!(initials("007"), "0");
        assert_eq!(initials("王小明").chars().count(), 2);
        assert_eq!(initials("🎉"), "🎉");
        assert_eq!(initials("\u{202E}"), "?");
        assert_eq!(initials(""), "?");
    }
}
