//! Right-to-left text put in visual order (UAX #9).
//!
//! egui lays text out from left to right, but shapes each piece of one script by itself, and a right-to-left script's piece comes out of the
//! shaper in visual order already (that is what joins Arabic letters). So it is the *pieces* that are put in order here: a run of one
//! right-to-left script stays in logical order inside, and everything between such runs is reversed around them.

use std::borrow::Cow;
use std::ops::Range;

use unicode_bidi::{BidiInfo, ParagraphInfo};

/// Whether the text holds anything that left-to-right layout would get wrong.
pub fn has_rtl(text: &str) -> bool {
    // Everything below the Hebrew block is left-to-right: most text ends here without the tables.
    text.chars().any(|c| c >= '\u{0590}') && BidiInfo::new(text, None).has_rtl()
}

/// A paragraph (text without line feeds) whose lines can be put in visual order.
pub struct Paragraph<'a> {
    info: BidiInfo<'a>,
}

impl<'a> Paragraph<'a> {
    /// Resolves the directions of one paragraph; the first strong character decides the base direction.
    pub fn new(text: &'a str) -> Self {
        Self { info: BidiInfo::new(text, None) }
    }

    fn first(&self) -> Option<&ParagraphInfo> {
        self.info.paragraphs.first()
    }

    /// Whether it reads from right to left as a whole.
    pub fn is_rtl(&self) -> bool {
        self.first().is_some_and(|p| p.level.is_rtl())
    }

    /// The pieces of a line of it, from left to right; each that is [`Piece::rtl`] is to be shaped by itself.
    pub fn visual_pieces(&self, line: Range<usize>) -> Vec<Piece<'a>> {
        let Some(paragraph) = self.first() else { return Vec::new() };
        let line = line.start.max(paragraph.range.start)..line.end.min(paragraph.range.end);
        if line.is_empty() {
            return Vec::new();
        }
        let (levels, runs) = self.info.visual_runs(paragraph, line);
        let mut pieces = Vec::new();
        for run in runs {
            let text = &self.info.text[run.clone()];
            if levels.get(run.start).is_some_and(unicode_bidi::Level::is_rtl) {
                pieces.extend(reversed_pieces(text));
            } else {
                pieces.extend(forward_pieces(text));
            }
        }
        pieces
    }
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its text, in logical order.
    pub text: Cow<'a, str>,
    /// It is of one right-to-left script: the shaper turns it round.
    pub rtl: bool,
}

/// The pieces of a left-to-right run: the digits of right-to-left scripts one by one, because the shaper would turn a number of them round.
fn forward_pieces(run: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in run.char_indices().filter(|(_, c)| is_of_rtl_script(*c)) {
        let end = at + c.len_utf8();
        for (part, rtl) in [(start..at, false), (at..end, true)] {
            if !part.is_empty() {
                pieces.push(Piece { text: Cow::Borrowed(&run[part]), rtl });
            }
        }
        start = end;
    }
    if start < run.len() {
        pieces.push(Piece { text: Cow::Borrowed(&run[start..]), rtl: false });
    }
    pieces
}

/// In a block of right-to-left scripts (as UAX #9 reserves them).
fn is_of_rtl_script(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// The pieces of a right-to-left run, last first: stretches of one script whole, everything else character by character and mirrored.
fn reversed_pieces(run: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut script = None;
    for (at, c) in run.char_indices() {
        let next = match script_of(c) {
            // Marks and joiners belong to what they follow.
            Script::Inherited => script,
            other => Some(other),
        };
        if at > start && (next != script || script == Some(Script::Neutral)) {
            push_piece(&mut pieces, &run[start..at], script);
            start = at;
        }
        script = next;
    }
    push_piece(&mut pieces, &run[start..], script);
    pieces.reverse();
    pieces
}

fn push_piece<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str, script: Option<Script>) {
    if text.is_empty() {
        return;
    }
    let rtl = script != Some(Script::Neutral);
    let text = if rtl { Cow::Borrowed(text) } else { Cow::Owned(text.chars().map(mirrored).collect()) };
    pieces.push(Piece { text, rtl });
}

/// What the shaper keeps together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Hebrew,
    Arabic,
    /// Another right-to-left script, by its block (the code point's upper bits).
    Other(u32),
    Neutral,
    Inherited,
}

fn script_of(c: char) -> Script {
    use unicode_bidi::BidiClass;
    match (c, unicode_bidi::bidi_class(c)) {
        ('\u{200C}' | '\u{200D}', _) | (_, BidiClass::NSM) => Script::Inherited,
        ('\u{0590}'..='\u{05FF}' | '\u{FB1D}'..='\u{FB4F}', BidiClass::R) => Script::Hebrew,
        ('\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{0870}'..='\u{08FF}', BidiClass::AL) => {
            Script::Arabic
        }
        ('\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}', BidiClass::AL) => Script::Arabic,
        (_, BidiClass::R | BidiClass::AL) => Script::Other(u32::from(c) >> 6),
        _ => Script::Neutral,
    }
}

/// The mirror image of a paired character (Bidi_Mirrored, the pairs that people type).
fn mirrored(c: char) -> char {
    const PAIRS: [(char, char); 7] =
        [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»'), ('‹', '›'), ('「', '」')];
    PAIRS.iter().find_map(|&(a, b)| if c == a { Some(b) } else { (c == b).then_some(a) }).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        Paragraph::new(text)
            .visual_pieces(0..text.len())
            .into_iter()
            .map(|piece| piece.text.into_owned())
            .collect()
    }

    #[test]
    fn words_of_a_hebrew_name_come_from_right_to_left() {
        assert_eq!(pieces("שלום עולם"), ["עולם", " ", "שלום"]);
        assert!(Paragraph::new("שלום עולם").is_rtl());
    }

    #[test]
    fn numbers_and_latin_inside_stay_left_to_right() {
        assert_eq!(pieces("בית 42"), ["42", " ", "בית"]);
        assert_eq!(pieces("Ada שלום"), ["Ada ", "שלום"]);
        assert!(!Paragraph::new("Ada שלום").is_rtl());
    }

    #[test]
    fn arabic_numbers_keep_their_order() {
        assert_eq!(pieces("الساعة ١٠:٣٠"), ["١", "٠", ":", "٣", "٠", " ", "الساعة"]);
        assert_eq!(pieces("جميعا، سنبدأ"), ["سنبدأ", " ", "،", "جميعا"]);
    }

    #[test]
    fn brackets_are_mirrored_and_marks_stay_with_their_letters() {
        assert_eq!(pieces("א (ב)"), ["(", "ב", ")", " ", "א"]);
        assert_eq!(pieces("שָׁלוֹם"), ["שָׁלוֹם"]);
    }

    #[test]
    fn left_to_right_text_is_one_piece() {
        assert_eq!(pieces("Ada Lovelace"), ["Ada Lovelace"]);
        assert!(!has_rtl("Ada 王小明 ẞ"));
        assert!(has_rtl("Ada ש"));
    }

    #[test]
    fn no_character_is_lost_or_made_up() {
        for text in [
            "מרים (מימי) כהן-לוי 3.14!",
            "عبد الرحمن — Rahman, «أهلا»",
            "",
            "א",
            "\u{200D}א",
            "a\u{0301}א\u{05B0}",
        ] {
            let mut before: Vec<char> = text.chars().map(mirror_class).collect();
            let mut after: Vec<char> = pieces(text).concat().chars().map(mirror_class).collect();
            before.sort_unstable();
            after.sort_unstable();
            assert_eq!(before, after, "{text}");
        }
    }

    fn mirror_class(c: char) -> char {
        c.min(mirrored(c))
    }
}
