//! The one button of the interface: an icon, a text or both, in a few tones.

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, FontId, Galley, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::icon::Icon;
use crate::theme::{self, CONTROL_HEIGHT, CONTROL_RADIUS, Palette};

/// What a button is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The one thing that most people want here.
    Primary,
    /// Everything else.
    Plain,
    /// On a surface of its own colour, until the pointer is over it.
    Quiet,
    /// Destroys something, or leaves; or shows that a device is off.
    Danger,
}

/// A button.
#[must_use = "it is shown by `show`"]
pub struct Button<'a> {
    name: &'a str,
    spoken: Option<&'a str>,
    icon: Option<Icon>,
    text: bool,
    tone: Tone,
    tooltip: Option<String>,
    on: Option<bool>,
    enabled: bool,
    height: f32,
    width: Option<f32>,
    round: bool,
    badge: u32,
}

impl<'a> Button<'a> {
    /// A button with this text.
    pub fn text(text: &'a str) -> Self {
        Self {
            name: text,
            spoken: None,
            icon: None,
            text: true,
            tone: Tone::Plain,
            tooltip: None,
            on: None,
            enabled: true,
            height: CONTROL_HEIGHT,
            width: None,
            round: false,
            badge: 0,
        }
    }

    /// A button with this icon alone; `name` is what assistive technology and the tooltip say.
    pub fn icon(icon: Icon, name: &'a str) -> Self {
        Self { icon: Some(icon), text: false, ..Self::text(name) }
    }

    /// An icon before the text.
    pub fn with_icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// What assistive technology says in place of the text, where the same text stands beside several things.
    pub fn spoken(mut self, name: &'a str) -> Self {
        self.spoken = Some(name);
        self
    }

    /// What it is for.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// What the pointer resting on it tells; its name if this is not called.
    pub fn tooltip(mut self, tooltip: impl Into<String>) -> Self {
        self.tooltip = Some(tooltip.into());
        self
    }

    /// It switches something that is on or off now.
    pub fn toggled(mut self, on: bool) -> Self {
        self.on = Some(on);
        self
    }

    /// Whether it can be used now.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Height in points.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Width in points, in place of what its content needs.
    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Round ends.
    pub fn round(mut self) -> Self {
        self.round = true;
        self
    }

    /// A number at its corner; none for 0.
    pub fn badge(mut self, count: u32) -> Self {
        self.badge = count;
        self
    }

    /// Shows it.
    pub fn show(self, ui: &mut Ui) -> Response {
        let galley = self
            .text
            .then(|| ui.painter().layout_no_wrap(self.name.to_owned(), font(), Color32::PLACEHOLDER));
        let size = self.size(galley.as_deref());
        let response = ui.add_enabled_ui(self.enabled, |ui| ui.allocate_response(size, Sense::click())).inner;
        let enabled = self.enabled && ui.is_enabled();
        response.widget_info(|| match self.on {
            Some(on) => WidgetInfo::selected(Role::Button, enabled, on, self.accessible_name()),
            None => WidgetInfo::labeled(Role::Button, enabled, self.accessible_name()),
        });
        if ui.is_rect_visible(response.rect) {
            self.paint(ui, &response, galley, enabled);
        }
        let tooltip = self.tooltip.as_deref().unwrap_or(self.name);
        if self.text && self.tooltip.is_none() {
            response
        } else {
            response.on_hover_text(tooltip).on_disabled_hover_text(tooltip)
        }
    }

    /// Whether it was clicked.
    pub fn clicked(self, ui: &mut Ui) -> bool {
        self.show(ui).clicked()
    }

    fn accessible_name(&self) -> String {
        let name = self.spoken.unwrap_or(self.name);
        match self.badge {
            0 => name.to_owned(),
            count => format!("{name}, {count} unread"),
        }
    }

    fn icon_side(&self) -> f32 {
        (self.height * 0.5).clamp(14.0, 22.0)
    }

    fn size(&self, galley: Option<&Galley>) -> Vec2 {
        let icon = self.icon.map_or(0.0, |_| self.icon_side());
        let content = match galley {
            Some(galley) if self.icon.is_some() => icon + 8.0 + galley.size().x + 28.0,
            Some(galley) => galley.size().x + 32.0,
            None => self.height,
        };
        vec2(self.width.unwrap_or(content), self.height)
    }

    fn paint(&self, ui: &Ui, response: &Response, galley: Option<Arc<Galley>>, enabled: bool) {
        let colors = theme::palette(ui);
        let (fill, mut content) = self.colors(colors, response);
        let fade = if enabled { 1.0 } else { 0.45 };
        content = content.gamma_multiply(fade);
        let radius = if self.round { self.height * 0.5 } else { f32::from(CONTROL_RADIUS) };
        let radius = CornerRadius::same(radius as u8);
        ui.painter().rect_filled(response.rect, radius, fill.gamma_multiply(fade));
        if response.has_focus() {
            let ring = Stroke::new(2.0, colors.accent);
            ui.painter().rect_stroke(response.rect.expand(2.0), radius, ring, StrokeKind::Outside);
        }
        self.paint_content(ui, response.rect, galley, content);
        if self.badge > 0 {
            paint_badge(ui, response.rect, self.badge, colors);
        }
    }

    fn paint_content(&self, ui: &Ui, rect: Rect, galley: Option<Arc<Galley>>, color: Color32) {
        let side = self.icon_side();
        let text_width = galley.as_ref().map_or(0.0, |g| g.size().x);
        let gap = if galley.is_some() { 8.0 } else { 0.0 };
        let icon_width = self.icon.map_or(0.0, |_| side + gap);
        let mut x = rect.center().x - (icon_width + text_width) * 0.5;
        if let Some(icon) = self.icon {
            let place = Rect::from_min_size(pos2(x, rect.center().y - side * 0.5), Vec2::splat(side));
            icon.paint(ui.painter(), place, color);
            x += icon_width;
        }
        if let Some(galley) = galley {
            let y = rect.center().y - galley.size().y * 0.5;
            ui.painter().galley_with_override_text_color(pos2(x, y), galley, color);
        }
    }

    fn colors(&self, p: &Palette, response: &Response) -> (Color32, Color32) {
        let over = response.hovered() && response.enabled();
        match self.tone {
            Tone::Primary if over => (p.accent_hovered, p.on_accent),
            Tone::Primary => (p.accent, p.on_accent),
            Tone::Danger if over => (p.danger_hovered, p.on_accent),
            Tone::Danger => (p.danger, p.on_accent),
            Tone::Plain | Tone::Quiet if over => (p.hovered, p.text),
            Tone::Plain => (p.raised, p.text),
            Tone::Quiet => (Color32::TRANSPARENT, p.text),
        }
    }
}

fn font() -> FontId {
    theme::strong()
}

fn paint_badge(ui: &Ui, rect: Rect, count: u32, colors: &Palette) {
    let text = if count > 99 { "99+".to_owned() } else { count.to_string() };
    let galley = ui.painter().layout_no_wrap(text, FontId::new(11.0, font().family), colors.on_accent);
    let size = vec2((galley.size().x + 9.0).max(18.0), 18.0);
    let place = Rect::from_center_size(rect.right_top() + vec2(-4.0, 4.0), size);
    ui.painter().rect_filled(place, 9.0, colors.danger);
    ui.painter().galley(place.center() - galley.size() * 0.5, galley, colors.on_accent);
}
