//! Colours, type sizes and spacing, in one place, for dark and light.
//!
//! Contrast of text on its background is at least 4.5:1 in both themes (WCAG 2.2, 1.4.3); state is never told by colour alone.

use egui::{Color32, CornerRadius, FontFamily, FontId, Stroke, TextStyle, Theme, Ui, Vec2, Visuals};

/// The font family of headings and names.
pub const STRONG: &str = "strong";

/// Radius of cards and tiles, in points.
pub const RADIUS: u8 = 12;
/// Radius of buttons and fields, in points.
pub const CONTROL_RADIUS: u8 = 8;
/// Height of buttons and fields, in points: easy to hit with a finger too.
pub const CONTROL_HEIGHT: f32 = 36.0;
/// Distance between neighbours, in points.
pub const GAP: f32 = 8.0;
/// Distance between groups, in points.
pub const GROUP_GAP: f32 = 16.0;
/// Below this width in points, things that stand side by side go below each other.
pub const NARROW: f32 = 640.0;

/// The colours of one theme.
#[derive(Debug)]
pub struct Palette {
    /// Behind everything.
    pub background: Color32,
    /// Cards, panels, bars.
    pub surface: Color32,
    /// Fields and quiet buttons on a surface.
    pub raised: Color32,
    /// The same under the pointer.
    pub hovered: Color32,
    /// Lines and outlines.
    pub outline: Color32,
    /// Text.
    pub text: Color32,
    /// Less important text.
    pub weak: Color32,
    /// The main action, links, focus.
    pub accent: Color32,
    /// The main action under the pointer.
    pub accent_hovered: Color32,
    /// Text on the accent and on `danger`.
    pub on_accent: Color32,
    /// Destructive actions and failures, as a fill.
    pub danger: Color32,
    /// The same under the pointer.
    pub danger_hovered: Color32,
    /// Failures, as text.
    pub danger_text: Color32,
    /// Warnings, as text.
    pub warning_text: Color32,
    /// Behind an avatar or a letterboxed picture.
    pub tile: Color32,
}

const DARK: Palette = Palette {
    background: Color32::from_rgb(0x14, 0x16, 0x1b),
    surface: Color32::from_rgb(0x1d, 0x20, 0x27),
    raised: Color32::from_rgb(0x2a, 0x2e, 0x38),
    hovered: Color32::from_rgb(0x36, 0x3b, 0x47),
    outline: Color32::from_rgb(0x3d, 0x43, 0x50),
    text: Color32::from_rgb(0xf1, 0xf3, 0xf6),
    weak: Color32::from_rgb(0xa3, 0xab, 0xb9),
    accent: Color32::from_rgb(0x2f, 0x62, 0xd9),
    accent_hovered: Color32::from_rgb(0x3d, 0x6f, 0xe4),
    on_accent: Color32::WHITE,
    danger: Color32::from_rgb(0xcf, 0x35, 0x3c),
    danger_hovered: Color32::from_rgb(0xd6, 0x3c, 0x43),
    danger_text: Color32::from_rgb(0xff, 0x8f, 0x8f),
    warning_text: Color32::from_rgb(0xf5, 0xc2, 0x6b),
    tile: Color32::from_rgb(0x23, 0x27, 0x30),
};

const LIGHT: Palette = Palette {
    background: Color32::from_rgb(0xf3, 0xf5, 0xf8),
    surface: Color32::WHITE,
    raised: Color32::from_rgb(0xe5, 0xe9, 0xf0),
    hovered: Color32::from_rgb(0xd7, 0xdd, 0xe7),
    outline: Color32::from_rgb(0xcb, 0xd2, 0xdd),
    text: Color32::from_rgb(0x18, 0x1c, 0x25),
    weak: Color32::from_rgb(0x56, 0x5f, 0x70),
    accent: Color32::from_rgb(0x24, 0x5b, 0xdb),
    accent_hovered: Color32::from_rgb(0x1b, 0x4d, 0xc2),
    on_accent: Color32::WHITE,
    danger: Color32::from_rgb(0xc6, 0x2b, 0x33),
    danger_hovered: Color32::from_rgb(0xae, 0x22, 0x2a),
    danger_text: Color32::from_rgb(0xb4, 0x1f, 0x28),
    warning_text: Color32::from_rgb(0x8a, 0x56, 0x00),
    tile: Color32::from_rgb(0xdc, 0xe1, 0xe9),
};

/// Discs behind initials; white text has at least 4.5:1 on each.
pub const AVATARS: [Color32; 8] = [
    Color32::from_rgb(0x2f, 0x62, 0xc9),
    Color32::from_rgb(0x8a, 0x3f, 0xc0),
    Color32::from_rgb(0xb8, 0x2f, 0x77),
    Color32::from_rgb(0xb3, 0x4a, 0x16),
    Color32::from_rgb(0x2d, 0x7a, 0x3c),
    Color32::from_rgb(0x0f, 0x75, 0x7d),
    Color32::from_rgb(0x5a, 0x5f, 0xa8),
    Color32::from_rgb(0x7d, 0x5a, 0x3c),
];

/// Behind labels that lie on a picture, and the text on it: the same in both themes, because the picture is.
pub const SCRIM: Color32 = Color32::from_black_alpha(0xb0);
/// See [`SCRIM`].
pub const ON_SCRIM: Color32 = Color32::WHITE;

/// The colours that hold here.
pub fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// Body text.
pub fn body() -> FontId {
    FontId::proportional(14.5)
}

/// Names, labels, buttons.
pub fn strong() -> FontId {
    FontId::new(14.5, FontFamily::Name(STRONG.into()))
}

/// Hints below things.
pub fn small() -> FontId {
    FontId::proportional(12.5)
}

/// Titles of cards and panels.
pub fn title() -> FontId {
    FontId::new(18.0, FontFamily::Name(STRONG.into()))
}

/// The name of a screen.
pub fn display() -> FontId {
    FontId::new(26.0, FontFamily::Name(STRONG.into()))
}

/// Gives both themes their styles.
pub fn apply(ctx: &egui::Context) {
    ctx.set_style_of(Theme::Dark, style(Visuals::dark(), &DARK));
    ctx.set_style_of(Theme::Light, style(Visuals::light(), &LIGHT));
}

fn style(visuals: Visuals, colors: &Palette) -> egui::Style {
    let mut style = egui::Style { visuals: self::visuals(visuals, colors), ..Default::default() };
    style.text_styles = [
        (TextStyle::Heading, title()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Small, small()),
        (TextStyle::Monospace, FontId::monospace(13.5)),
    ]
    .into();
    style.spacing.item_spacing = Vec2::splat(GAP);
    style.spacing.button_padding = Vec2::new(12.0, 7.0);
    style.spacing.interact_size = Vec2::new(CONTROL_HEIGHT, CONTROL_HEIGHT);
    style.spacing.text_edit_width = 240.0;
    style.spacing.scroll = egui::style::ScrollStyle::thin();
    style.spacing.tooltip_width = 320.0;
    style.interaction.selectable_labels = false;
    // Short enough to feel immediate; each animated frame is a repaint of the whole window.
    style.animation_time = 0.08;
    style
}

fn visuals(mut v: Visuals, c: &Palette) -> Visuals {
    let radius = CornerRadius::same(CONTROL_RADIUS);
    v.panel_fill = c.background;
    v.window_fill = c.surface;
    v.window_stroke = Stroke::new(1.0, c.outline);
    v.window_corner_radius = CornerRadius::same(RADIUS);
    v.menu_corner_radius = radius;
    v.extreme_bg_color = c.raised;
    v.faint_bg_color = c.raised;
    v.hyperlink_color = c.accent;
    v.error_fg_color = c.danger_text;
    v.warn_fg_color = c.warning_text;
    v.weak_text_color = Some(c.weak);
    v.selection.bg_fill = c.accent.gamma_multiply(0.55);
    v.selection.stroke = Stroke::new(2.0, c.accent);
    for (widget, fill, line) in [
        (&mut v.widgets.noninteractive, c.surface, c.outline),
        (&mut v.widgets.inactive, c.raised, c.outline),
        (&mut v.widgets.hovered, c.hovered, c.accent),
        (&mut v.widgets.active, c.hovered, c.accent),
        (&mut v.widgets.open, c.hovered, c.outline),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, c.text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(color: Color32) -> f32 {
        let linear = egui::Rgba::from(color);
        0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b()
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_every_background_of_both_themes() {
        for p in [&DARK, &LIGHT] {
            for background in [p.background, p.surface, p.raised, p.tile] {
                for text in [p.text, p.weak, p.danger_text, p.warning_text] {
                    let ratio = contrast(text, background);
                    assert!(ratio >= 4.5, "{text:?} on {background:?}: {ratio:.2}");
                }
            }
            for fill in [p.accent, p.accent_hovered, p.danger, p.danger_hovered] {
                let ratio = contrast(p.on_accent, fill);
                assert!(ratio >= 4.5, "{fill:?}: {ratio:.2}");
            }
        }
        for disc in AVATARS {
            assert!(contrast(Color32::WHITE, disc) >= 4.5, "{disc:?}");
        }
    }
}
