//! Talking while Space is held and the microphone is off, and what the toolbar says of it.

use call_core::command::Command;
use call_core::snapshot::DevicesView;
use egui::{
    Align, Align2, Area, Event, Id, InputState, Key, Layout, Order, Rect, Role, Sense, Ui, Vec2, WidgetInfo,
    vec2,
};

use super::{Pass, header};
use crate::text::{Look, one_line};
use crate::theme;
use crate::widgets::Icon;

/// Room that the text needs beside the buttons, in points.
pub const ROOM: f32 = 232.0;

const HINT: &str = "Hold Space to talk";
const TALKING: &str = "Talking while you hold Space";

/// Height of the text's plate in points.
const HEIGHT: f32 = 26.0;

/// Whether the key is held.
#[derive(Debug, Default)]
pub struct HoldToTalk {
    held: bool,
    /// The microphone's button: with the focus on it, Space talks too. Any other control that has the focus keeps its Space.
    button: Option<Id>,
    /// The window lost the focus with the key down; then, when it last was without it, in egui's time.
    away: Option<f64>,
}

/// What the system repeats of a key that is still down comes sooner than this after the window has the focus again, in seconds.
const REPEATED_WITHIN: f64 = 0.3;

impl HoldToTalk {
    /// Follows the key. It begins with a press in this window, and ends when the key is let go, the window loses the focus, or a text field gets it.
    pub fn listen(&mut self, ui: &Ui, pass: &mut Pass<'_>) {
        let focus = ui.memory(egui::Memory::focused);
        let free = focus.is_none() || focus == self.button;
        let fresh = self.is_fresh(ui);
        let begins =
            !self.held && free && !pass.snapshot.devices.microphone.enabled && take_press(ui) && fresh;
        let down = ui.input(|input| input.key_down(Key::Space) && input.focused);
        let held = (begins || self.held) && down && !ui.ctx().text_edit_focused();
        if held != self.held {
            self.held = held;
            pass.commands.push(Command::Talk(held));
        }
    }

    /// Whether a press is the person's, not what is repeated of one from before the window lost the focus.
    fn is_fresh(&mut self, ui: &Ui) -> bool {
        let turned =
            |input: &InputState| input.events.iter().any(|event| matches!(event, Event::WindowFocused(_)));
        let (now, away) = ui.input(|input| (input.time, turned(input) || !input.focused));
        if away && (self.held || self.away.is_some()) {
            self.away = Some(now);
        }
        self.away.is_none_or(|away| now - away > REPEATED_WITHIN)
    }

    /// Where the microphone's button is.
    pub fn button_is(&mut self, button: Id) {
        self.button = Some(button);
    }
}

/// Whether Space was pressed; then it clicks nothing.
fn take_press(ui: &Ui) -> bool {
    let is_press = |event: &Event| matches!(event, Event::Key { key: Key::Space, pressed: true, repeat: false, modifiers, .. } if modifiers.is_none());
    ui.input_mut(|input| {
        let before = input.events.len();
        input.events.retain(|event| !is_press(event));
        input.events.len() < before
    })
}

/// What there is to say.
fn text(devices: &DevicesView) -> Option<&'static str> {
    if devices.talking {
        return Some(TALKING);
    }
    (devices.push_to_talk && !devices.microphone.enabled).then_some(HINT)
}

/// Says it at the right end of `rect`.
pub fn at_the_end(ui: &mut Ui, rect: Rect, devices: &DevicesView) {
    let Some(text) = text(devices) else { return };
    header::over(ui, rect, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| plate(ui, text, devices.talking));
    });
}

/// Says it above the toolbar: in a line of its own when it is always said, otherwise over the tiles, which stay as they are.
pub fn above(ui: &mut Ui, devices: &DevicesView) {
    let Some(text) = text(devices) else { return };
    if devices.push_to_talk {
        let size = Vec2::new(ui.available_width(), HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::top_down(Align::Center), |ui| {
            plate(ui, text, devices.talking);
        });
        return;
    }
    let at = ui.max_rect().center_top() - vec2(0.0, 14.0);
    let area = Area::new(Id::unique("talking")).order(Order::Foreground).interactable(false);
    area.pivot(Align2::CENTER_BOTTOM).fixed_pos(at).show(ui.ctx(), |ui| plate(ui, text, true));
}

fn plate(ui: &mut Ui, text: &str, talking: bool) {
    let colors = theme::palette(ui);
    let (fill, color) =
        if talking { (colors.accent, colors.on_accent) } else { (colors.raised, colors.text) };
    let galley = one_line(ui, text, &Look::new(theme::body(), color), ui.available_width().max(ROOM));
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 42.0, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, HEIGHT * 0.5, fill);
    let sign = Rect::from_center_size(rect.left_center() + vec2(18.0, 0.0), Vec2::splat(16.0));
    let icon = if talking { Icon::Microphone } else { Icon::MicrophoneOff };
    icon.paint(ui.painter(), sign, color);
    ui.painter().galley(rect.left_center() + vec2(30.0, -galley.size().y * 0.5), galley, color);
}
