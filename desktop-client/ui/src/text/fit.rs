//! Text of other people laid out in a given width: one line with an ellipsis, or wrapped.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{ByteIndex, LayoutJob, LayoutSection, TextFormat};
use egui::{Align, Color32, FontId, Galley, Ui};
use unicode_segmentation::UnicodeSegmentation as _;

use super::bidi::{Paragraph, has_rtl};
use super::safe::safe;

/// Most characters of a text that are looked at for one line: more than any window is wide.
const LINE_MAX_CHARS: usize = 512;

/// How a text looks.
#[derive(Debug, Clone)]
pub struct Look {
    /// Its font.
    pub font: FontId,
    /// Its colour.
    pub color: Color32,
}

impl Look {
    /// A look.
    pub fn new(font: FontId, color: Color32) -> Self {
        Self { font, color }
    }

    fn format(&self) -> TextFormat {
        TextFormat::simple(self.font.clone(), self.color)
    }
}

/// One line of at most `width` points; what does not fit ends in an ellipsis, at the end where the text ends for its readers.
pub fn one_line(ui: &Ui, text: &str, look: &Look, width: f32) -> Arc<Galley> {
    let text: String =
        safe(text).chars().take(LINE_MAX_CHARS).map(|c| if c == '\n' { ' ' } else { c }).collect();
    if !has_rtl(&text) {
        let mut job = LayoutJob::single_section(text, look.format());
        job.wrap = egui::text::TextWrapping::truncate_at_width(width);
        return ui.fonts_mut(|f| f.layout_job(job));
    }
    let whole = ui.fonts_mut(|f| f.layout_job(visual_line(&text, look)));
    if whole.size().x <= width {
        return whole;
    }
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut = |count: usize| {
        let job = visual_line(&format!("{}…", text[..ends[count]].trim_end()), look);
        ui.fonts_mut(|f| f.layout_job(job))
    };
    // The longest beginning that fits, by bisection; a line of nothing but the ellipsis if none does.
    let fitting = partition_point(1, ends.len(), |count| cut(count).size().x <= width);
    cut(fitting.saturating_sub(1))
}

/// The first of `low..high` for which `holds` is false, if it holds for all before.
fn partition_point(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn visual_line(text: &str, look: &Look) -> LayoutJob {
    let mut job = no_wrap();
    append_line(&mut job, &Paragraph::new(text), 0..text.len(), look);
    job
}

fn no_wrap() -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = f32::INFINITY;
    job
}

fn append_line(job: &mut LayoutJob, paragraph: &Paragraph<'_>, line: Range<usize>, look: &Look) {
    // What reads from left to right needs no section of its own: a long line of many short pieces stays cheap.
    let mut plain = String::new();
    for piece in paragraph.visual_pieces(line) {
        if !piece.rtl {
            plain.push_str(&piece.text);
            continue;
        }
        append(job, &std::mem::take(&mut plain), look);
        append(job, &piece.text, look);
    }
    append(job, &plain, look);
}

/// Adds a section of its own. [`LayoutJob::append`] would merge sections that look the same, and they would be shaped as one.
fn append(job: &mut LayoutJob, text: &str, look: &Look) {
    if text.is_empty() {
        return;
    }
    let start = ByteIndex(job.text.len());
    job.text.push_str(text);
    let byte_range = start..ByteIndex(job.text.len());
    job.sections.push(LayoutSection { leading_space: 0.0, byte_range, format: look.format() });
}

/// Text wrapped at `width` points. A text that starts right-to-left is aligned to the right.
pub fn wrapped(ui: &Ui, text: &str, look: &Look, width: f32) -> Arc<Galley> {
    let text = safe(text);
    if !has_rtl(&text) {
        let job = LayoutJob::simple(text.into_owned(), look.font.clone(), look.color, width);
        return ui.fonts_mut(|f| f.layout_job(job));
    }
    let mut job = no_wrap();
    for (number, line) in text.split('\n').enumerate() {
        let paragraph = Paragraph::new(line);
        if number == 0 && paragraph.is_rtl() {
            job.halign = Align::RIGHT;
        }
        for (row, range) in break_lines(ui, line, look, width).into_iter().enumerate() {
            if number + row > 0 {
                append(&mut job, "\n", look);
            }
            append_line(&mut job, &paragraph, range, look);
        }
    }
    ui.fonts_mut(|f| f.layout_job(job))
}

/// Where a paragraph breaks, in logical order, so that each line can be put in visual order by itself (UAX #9, L1 and L2). At least one range.
///
/// Widths are sums over single characters: joined Arabic is a little narrower, so that a line may end early but never runs over.
fn break_lines(ui: &Ui, text: &str, look: &Look, width: f32) -> Vec<Range<usize>> {
    let measure =
        |part: &str| ui.fonts_mut(|f| part.chars().map(|c| f.glyph_width(&look.font, c)).sum::<f32>());
    let mut lines = Lines { width, used: 0.0, start: 0, done: Vec::new() };
    let mut at = 0;
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let word_width = measure(word);
        if word_width <= width {
            lines.take(at, word_width);
        } else {
            for (offset, grapheme) in word.grapheme_indices(true) {
                lines.take(at + offset, measure(grapheme));
            }
        }
        // White space hangs over the edge and never starts a line.
        lines.used += measure(&part[word.len()..]);
        at += part.len();
    }
    lines.done.push(lines.start..text.len());
    lines.done
}

/// Lines being filled.
struct Lines {
    width: f32,
    used: f32,
    start: usize,
    done: Vec<Range<usize>>,
}

impl Lines {
    /// Takes a part that begins at `at` onto the line, or onto the next one if it is full.
    fn take(&mut self, at: usize, width: f32) {
        if self.used + width > self.width && at > self.start {
            self.done.push(self.start..at);
            self.start = at;
            self.used = 0.0;
        }
        self.used += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(text: &str, width: f32, lay: fn(&Ui, &str, &Look, f32) -> Arc<Galley>) -> Arc<Galley> {
        let ctx = egui::Context::default();
        super::super::install(&ctx);
        let mut galley = None;
        // The fonts hold from the second pass on.
        for _ in 0..2 {
            let output = ctx.run_ui(egui::RawInput::default(), |ui| {
                galley = Some(lay(ui, text, &Look::new(FontId::proportional(14.0), Color32::WHITE), width));
            });
            output.drop_without_applying_deltas();
        }
        galley.unwrap()
    }

    fn rows(galley: &Galley) -> Vec<String> {
        galley.rows.iter().map(|row| row.text().trim().to_owned()).collect()
    }

    #[test]
    fn long_names_end_in_an_ellipsis_where_their_readers_end() {
        for (name, at_the_left) in
            [("Konstantinopoulos van der Wijngaart", false), ("דנה כהן לוי מירושלים הבירה", true)]
        {
            let galley = laid_out(name, 90.0, one_line);
            assert!(galley.size().x <= 91.0, "{name}: {}", galley.size().x);
            let text = &rows(&galley)[0];
            assert_eq!(text.starts_with('…'), at_the_left, "{text}");
            assert_eq!(text.ends_with('…'), !at_the_left, "{text}");
        }
    }

    #[test]
    fn right_to_left_lines_break_at_white_space_and_keep_their_order() {
        let galley = laid_out("שלום לכולם (הקישור: https://meet.example.org)", 200.0, wrapped);
        assert_eq!(galley.job.halign, Align::RIGHT);
        let rows = rows(&galley);
        assert!(rows.len() == 2, "{rows:?}");
        // The galley holds what the shaper turned round, so only the link can be read here.
        assert!(rows[1].contains("https://meet.example.org") && !rows[0].contains("https"), "{rows:?}");
        assert!(galley.rows.iter().all(|row| row.rect().width() <= 201.0));
    }

    #[test]
    fn arabic_numbers_come_out_of_the_shaper_in_their_order() {
        let galley = laid_out("الساعة ١٠:٣٠", 300.0, one_line);
        assert!(rows(&galley)[0].starts_with("١٠:٣٠"), "{:?}", rows(&galley));
    }
}
