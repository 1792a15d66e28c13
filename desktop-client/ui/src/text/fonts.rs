//! The bundled fonts, and the system's fonts for all scripts that they lack.
//!
//! Looking through the system's fonts takes a noticeable moment and some memory, so it is done when the first such character is drawn, not
//! at start. The files are memory-mapped.

use std::sync::{Arc, OnceLock};

use egui::{FallbackRequest, FontData, FontDefinitions, FontFamily, FontInsert, FontProvider};
use egui_system_font_provider::SystemFontProvider;
use epaint_default_fonts::NOTO_EMOJI_REGULAR;

use crate::theme::STRONG;

const REGULAR: &[u8] = include_bytes!("../../../../assets/fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../../../assets/fonts/Inter-SemiBold.ttf");

/// Gives the context our fonts.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(definitions());
    ctx.set_font_providers(vec![Arc::new(LazySystemFonts(OnceLock::new()))]);
}

fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, data) in [("Inter", REGULAR), ("Inter SemiBold", SEMI_BOLD)] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(data)));
    }
    let proportional = fonts.families.entry(FontFamily::Proportional).or_default();
    let mut strong = proportional.clone();
    proportional.insert(0, "Inter".to_owned());
    strong.insert(0, "Inter SemiBold".to_owned());
    fonts.families.insert(FontFamily::Name(STRONG.into()), strong);
    fonts
}

struct LazySystemFonts(OnceLock<SystemFontProvider>);

impl FontProvider for LazySystemFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let system = self.0.get_or_init(SystemFontProvider::new).font_for(request);
        system.or_else(|| emoji(request))
    }
}

/// One-coloured emoji, for systems that have no font with any: they are part of names and chat everywhere.
fn emoji(request: &FallbackRequest<'_>) -> Option<FontInsert> {
    const NAME: &str = "Noto Emoji";
    let first = request.cluster.chars().next()?;
    let pictures = matches!(first, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}');
    pictures.then(|| FontInsert::new(NAME, FontData::from_static(NOTO_EMOJI_REGULAR), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_fonts_hold_what_the_interface_itself_writes() {
        let ctx = egui::Context::default();
        ctx.set_fonts(definitions());
        ctx.begin_pass(egui::RawInput::default());
        for family in [FontFamily::Proportional, FontFamily::Name(STRONG.into())] {
            let font = egui::FontId::new(14.0, family);
            for c in "AZaz09 äßŁéğ Ωλ Жя … · – — “ ” ‘ ’ • → €".chars() {
                assert!(ctx.fonts_mut(|f| f.has_glyph(&font, c)), "{c:?}");
            }
        }
        ctx.end_pass().drop_without_applying_deltas();
    }

    /// Needs the packages `fonts-noto-core` and `fonts-noto-cjk` (or others with these scripts).
    #[cfg(target_os = "linux")]
    #[test]
    fn other_scripts_come_from_the_system() {
        let ctx = egui::Context::default();
        install(&ctx);
        ctx.begin_pass(egui::RawInput::default());
        for c in ['א', 'ع', '中', 'あ', '한', 'क', '🎉', '👍'] {
            assert!(ctx.fonts_mut(|f| f.has_glyph(&egui::FontId::proportional(14.0), c)), "{c:?}");
        }
        ctx.end_pass().drop_without_applying_deltas();
    }
}
