//! How loud one person is heard: a control at the corner of their tile, which shows what was changed, and a popover with the volume.

use call_core::command::Command;
use call_core::snapshot::ParticipantView;
use call_core::volume::{Hearing, Volume};
use egui::{
    Popup, PopupCloseBehavior, Rect, Response, Role, Sense, SetOpenCommand, Slider, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, vec2,
};

use crate::text::{Look, one_line, safe};
use crate::theme;
use crate::widgets::{Button, Icon, Tone, line};

/// Height of the control, and its distance from the tile's corner, in points.
const HEIGHT: f32 = 28.0;
const INSET: f32 = 8.0;
/// In tiles that are smaller than this, a second click asks for the volume, and the keyboard.
const ROOM: f32 = 64.0;
/// Width of the popover's content in points.
const POPOVER: f32 = 220.0;
/// The slider's step in percent.
const STEP: f64 = 5.0;

/// What a tile says of a volume that was changed.
pub fn described(hearing: Hearing) -> Option<String> {
    if hearing.silenced {
        return Some("muted for you".to_owned());
    }
    (hearing.volume != Volume::ORIGINAL).then(|| format!("volume {}", hearing.volume))
}

/// How far the mark of a changed volume reaches down from the tile's upper edge, in points.
pub fn mark_height(who: &ParticipantView) -> f32 {
    if described(who.hearing).is_some() { HEIGHT } else { 0.0 }
}

/// The control at the upper right of somebody's tile. It shows when the pointer is over the tile, when the keyboard has reached it, and when the volume was
/// changed. `asked` opens the popover.
pub fn control(ui: &mut Ui, who: &ParticipantView, tile: Rect, asked: bool, commands: &mut Vec<Command>) {
    let mark = (!who.hearing.silenced && who.hearing.volume != Volume::ORIGINAL)
        .then(|| who.hearing.volume.to_string());
    let galley =
        mark.map(|mark| one_line(ui, &mark, &Look::new(theme::small(), theme::ON_SCRIM), tile.width()));
    let width = HEIGHT + galley.as_ref().map_or(0.0, |galley| galley.size().x + 6.0);
    let corner = tile.right_top() + vec2(-INSET - width, INSET);
    let place = Rect::from_min_size(corner, vec2(width, HEIGHT)).intersect(tile);
    if !place.is_positive() {
        return;
    }
    let name = format!("Volume of {}", safe(&who.display_name));
    let button = ui.interact(place, ui.scope_id().with((&who.peer_id, "volume")), Sense::click());
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let id = button.id.with("popover");
    let over = ui.rect_contains_pointer(tile) && tile.width().min(tile.height()) >= ROOM;
    if over || button.has_focus() || Popup::is_id_open(ui.ctx(), id) || described(who.hearing).is_some() {
        let icon = if who.hearing.effective() == Volume::SILENT { Icon::SpeakerOff } else { Icon::Speaker };
        paint(ui, &button, icon);
        if let Some(galley) = galley {
            let at = place.left_center() + vec2(HEIGHT - 2.0, -galley.size().y * 0.5);
            ui.painter().galley(at, galley, theme::ON_SCRIM);
        }
    }
    let set = if button.clicked() {
        Some(SetOpenCommand::Toggle)
    } else {
        asked.then_some(SetOpenCommand::Bool(true))
    };
    let opens = set.is_some() && !Popup::is_id_open(ui.ctx(), id);
    let button = button.on_hover_text(&name);
    Popup::from_response(&button)
        .id(id)
        .open_memory(set)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .gap(4.0)
        .width(POPOVER)
        .show(|ui| popover(ui, who, opens, commands));
}

fn paint(ui: &Ui, button: &Response, icon: Icon) {
    let place = button.rect;
    let radius = HEIGHT * 0.5;
    ui.painter().rect_filled(place, radius, theme::SCRIM);
    if button.has_focus() || button.hovered() {
        ui.painter().rect_stroke(place, radius, Stroke::new(2.0, theme::ON_SCRIM), StrokeKind::Inside);
    }
    let sign = Rect::from_center_size(place.left_center() + vec2(HEIGHT * 0.5, 0.0), Vec2::splat(16.0));
    icon.paint(ui.painter(), sign, theme::ON_SCRIM);
}

fn popover(ui: &mut Ui, who: &ParticipantView, opens: bool, commands: &mut Vec<Command>) {
    let colors = theme::palette(ui);
    let before = who.hearing;
    let mut after = before;
    ui.set_width(POPOVER);
    let title = line(ui, "Volume for you", theme::strong(), colors.text);
    ui.horizontal(|ui| {
        let figure = 52.0;
        ui.spacing_mut().slider_width = (POPOVER - figure - ui.spacing().item_spacing.x).max(40.0);
        let mut percent = f32::from(before.volume.percent());
        let range = f32::from(Volume::SILENT.percent())..=f32::from(Volume::MAX.percent());
        let slider =
            ui.add(Slider::new(&mut percent, range).step_by(STEP).show_value(false).trailing_fill(true));
        let slider = slider.labelled_by(title.id);
        if opens {
            slider.request_focus();
        }
        if let (true, Some(volume)) = (slider.changed(), Volume::from_percent(percent)) {
            after = Hearing::at(volume);
        }
        line(
            ui,
            &before.volume.to_string(),
            theme::body(),
            if before.silenced { colors.weak } else { colors.text },
        );
    });
    let person = safe(&who.display_name);
    let (text, spoken) = if before.silenced {
        ("Unmute for me", format!("Unmute {person} for me"))
    } else {
        ("Mute for me", format!("Mute {person} for me"))
    };
    let icon = if before.silenced { Icon::Speaker } else { Icon::SpeakerOff };
    let mute = Button::text(text).spoken(&spoken).with_icon(icon).tone(Tone::Plain).width(POPOVER);
    if mute.tooltip("The others go on hearing them, and nobody is told").clicked(ui) {
        after.silenced = !before.silenced;
    }
    if after != before {
        commands.push(Command::Hear { peer: who.peer_id.clone(), hearing: after });
    }
}
