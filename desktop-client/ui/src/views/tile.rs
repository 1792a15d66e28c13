//! One person: picture or avatar, name, muted mark, and how the link with them stands.

use call_core::command::Command;
use call_core::link::ConnectionState;
use call_core::snapshot::{DeviceState, ParticipantView};
use egui::{
    Color32, CornerRadius, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};

use super::{Pass, header, volume};
use crate::text::{Look, one_line};
use crate::theme;
use crate::video::{Fit, Placement, TileId};
use crate::widgets::{Icon, avatar, spinner_in};

/// What a click on a tile does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Nothing.
    None,
    /// Pins the person.
    Pin,
    /// Unpins them.
    Unpin,
}

impl Choice {
    /// For one who is pinned or not.
    pub fn of(pinned: bool) -> Self {
        if pinned { Self::Unpin } else { Self::Pin }
    }
}

/// Shows somebody else.
pub fn peer(ui: &mut Ui, who: &ParticipantView, rect: Rect, choice: Choice, pass: &mut Pass<'_>) {
    let response = surface(ui, who, rect, choice, pass);
    if ui.is_rect_visible(rect) {
        pass.tiles.painted(ui, &who.peer_id, rect);
        picture(ui, who, rect, pass);
        if choice == Choice::Unpin {
            pin(ui, rect);
        }
        if response.has_focus() {
            let line = Stroke::new(3.0, theme::palette(ui).accent);
            ui.painter().rect_stroke(rect, CornerRadius::same(theme::RADIUS), line, StrokeKind::Inside);
        }
    }
    if response.gained_focus() {
        ui.scroll_to_rect(rect, None);
    }
    // A click of the second button asks for the volume.
    volume::control(ui, who, rect, response.secondary_clicked(), pass.commands);
}

/// The tile as something to point at and to click.
fn surface(ui: &Ui, who: &ParticipantView, rect: Rect, choice: Choice, pass: &mut Pass<'_>) -> Response {
    let described = describe(who, pass);
    let id = ui.scope_id().with(&who.peer_id);
    let (response, hint) = match choice {
        Choice::None => {
            let response = ui.interact(rect, id, Sense::CLICK);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &described));
            (response, None)
        }
        Choice::Pin | Choice::Unpin => {
            let response = ui.interact(rect, id, Sense::click());
            let pinned = choice == Choice::Unpin;
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, pinned, &described));
            let hint = if pinned { "Click to show whoever speaks" } else { "Click to keep them large" };
            (response, Some(hint.to_owned()))
        }
    };
    if choice != Choice::None && response.clicked() {
        pass.commands.push(Command::Pin((choice == Choice::Pin).then(|| who.peer_id.clone())));
    }
    let rtt = who.rtt_ms.map(|ms| format!("Round trip: {ms} ms"));
    let more: Vec<String> = rtt.into_iter().chain(hint).collect();
    if more.is_empty() {
        response
    } else {
        response.on_hover_text(format!("{described}\n{}", more.join("\n")))
    }
}

fn picture(ui: &mut Ui, who: &ParticipantView, rect: Rect, pass: &mut Pass<'_>) {
    let status = status(who);
    back(ui, rect);
    let frame =
        (who.video_flowing && who.camera != Some(false)).then(|| pass.video.peer(&who.peer_id)).flatten();
    if let Some(frame) = frame {
        let placement = Placement { rect, fit: Fit::Auto, mirror: false, radius: f32::from(theme::RADIUS) };
        pass.pictures.paint(ui, TileId::Peer(who.peer_id.clone()), &frame, placement);
    } else if status.is_none() || rect.height() >= BOTH_FIT {
        face(ui, rect, &who.display_name);
    }
    if let Some(status) = status {
        overlay(ui, rect, status, volume::mark_height(who));
    }
    nameplate(ui, rect, &who.display_name, Sound::of(who.microphone == Some(false), speaks(who, pass)));
}

fn speaks(who: &ParticipantView, pass: &Pass<'_>) -> bool {
    status(who).is_none() && who.microphone != Some(false) && pass.speaking.peers.contains(&who.peer_id)
}

/// The mark of who is pinned, at the upper left.
fn pin(ui: &Ui, rect: Rect) {
    let place = Rect::from_min_size(rect.min + Vec2::splat(8.0), Vec2::splat(28.0));
    ui.painter().circle_filled(place.center(), 14.0, theme::SCRIM);
    Icon::Pin.paint(ui.painter(), place.shrink(6.0), theme::ON_SCRIM);
}

/// Shows us.
pub fn own(ui: &mut Ui, rect: Rect, small: bool, pass: &mut Pass<'_>) {
    let devices = &pass.snapshot.devices;
    let muted = !devices.is_heard();
    let camera = devices.camera.enabled && !matches!(devices.camera.state, DeviceState::Failed(_));
    let speaks = !muted && pass.speaking.own;
    let described = format!(
        "You{}{}{}",
        if muted { ", microphone off" } else { "" },
        if speaks { ", speaking" } else { "" },
        if devices.camera.enabled { "" } else { ", camera off" },
    );
    let response = ui.interact(rect, ui.scope_id().with("own tile"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &described));
    back(ui, rect);
    if small {
        let line = Stroke::new(1.0, theme::palette(ui).outline);
        ui.painter().rect_stroke(rect, CornerRadius::same(theme::RADIUS), line, StrokeKind::Outside);
    }
    if let Some(frame) = camera.then(|| pass.video.local()).flatten() {
        let placement = Placement { rect, fit: Fit::Auto, mirror: true, radius: f32::from(theme::RADIUS) };
        pass.pictures.paint(ui, TileId::Own, &frame, placement);
    } else {
        face(ui, rect, &pass.snapshot.display_name);
        if devices.camera.enabled && devices.camera.state == DeviceState::Opening {
            overlay(ui, rect, Status { text: "Starting camera…", at_work: true }, 0.0);
        }
    }
    nameplate(ui, rect, "You", Sound::of(muted, speaks));
}

fn back(ui: &Ui, rect: Rect) {
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), theme::palette(ui).tile);
}

fn face(ui: &Ui, rect: Rect, name: &str) {
    let radius = (rect.width().min(rect.height()) * 0.22).clamp(14.0, 64.0);
    avatar(ui, rect.center(), radius, name);
}

/// From this height in points on, a tile has room for the avatar, the name and how the link stands.
const BOTH_FIT: f32 = 150.0;

/// What a tile says over its picture.
#[derive(Clone, Copy)]
struct Status {
    text: &'static str,
    at_work: bool,
}

fn status(who: &ParticipantView) -> Option<Status> {
    let (text, at_work) = match who.connection {
        ConnectionState::Connected if who.sends_sound_only => ("Slow network: sound only", false),
        ConnectionState::Connected if who.gets_sound_only => {
            ("Slow network: hears you, cannot see you", false)
        }
        ConnectionState::Connected => return None,
        ConnectionState::New | ConnectionState::Connecting => ("Connecting…", true),
        ConnectionState::Disconnected => ("Reconnecting…", true),
        ConnectionState::Failed => ("Connection failed", false),
        ConnectionState::Closed => ("Disconnected", false),
    };
    Some(Status { text, at_work })
}

fn describe(who: &ParticipantView, pass: &Pass<'_>) -> String {
    let mut text = crate::text::safe(&who.display_name).into_owned();
    if who.microphone == Some(false) {
        text.push_str(", microphone off");
    }
    if who.camera == Some(false) {
        text.push_str(", camera off");
    }
    if speaks(who, pass) {
        text.push_str(", speaking");
    }
    if let Some(heard) = volume::described(who.hearing) {
        text.push_str(", ");
        text.push_str(&heard);
    }
    if let Some(status) = status(who) {
        text.push_str(", ");
        text.push_str(status.text);
    }
    text
}

/// A pill at the top, `below` what is there already, clear of the avatar and the name; in the middle of a low tile, which has no avatar then.
fn overlay(ui: &mut Ui, rect: Rect, status: Status, below: f32) {
    let width = (rect.width() - 56.0).max(20.0);
    let galley = one_line(ui, status.text, &Look::new(theme::small(), theme::ON_SCRIM), width);
    let side = 16.0;
    let size = galley.size() + vec2(side + 26.0, 10.0);
    let top = rect.top() + below + 10.0;
    let y = if rect.height() >= BOTH_FIT { top + size.y * 0.5 } else { rect.center().y - 8.0 };
    let center = pos2(rect.center().x, y);
    let pill = Rect::from_center_size(center, size);
    ui.painter().rect_filled(pill, size.y * 0.5, theme::SCRIM);
    let sign = Rect::from_center_size(pos2(pill.left() + 10.0 + side * 0.5, center.y), Vec2::splat(side));
    if status.at_work {
        header::over(ui, sign, |ui| spinner_in(ui, side, theme::ON_SCRIM));
    } else {
        Icon::Warning.paint(ui.painter(), sign, theme::ON_SCRIM);
    }
    let at = pos2(sign.right() + 6.0, center.y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, theme::ON_SCRIM);
}

/// What the nameplate says of somebody's sound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sound {
    Quiet,
    Muted,
    Speaking,
}

impl Sound {
    fn of(muted: bool, speaks: bool) -> Self {
        match (muted, speaks) {
            (true, _) => Self::Muted,
            (false, true) => Self::Speaking,
            (false, false) => Self::Quiet,
        }
    }
}

/// The name at the lower left, with a mark for the sound before it; a frame around the tile of who speaks.
fn nameplate(ui: &Ui, rect: Rect, name: &str, sound: Sound) {
    if sound == Sound::Speaking {
        let line = Stroke::new(3.0, SPEAKING);
        ui.painter().rect_stroke(rect, CornerRadius::same(theme::RADIUS), line, StrokeKind::Inside);
    }
    let mark = if sound == Sound::Quiet { 0.0 } else { 20.0 };
    let room = rect.width() - 16.0 - 16.0 - mark;
    if room < 8.0 {
        return;
    }
    let galley = one_line(ui, name, &Look::new(theme::small(), theme::ON_SCRIM), room);
    let size = vec2(galley.size().x + mark + 16.0, 24.0);
    let plate = Rect::from_min_size(rect.left_bottom() + vec2(8.0, -8.0 - size.y), size);
    ui.painter().rect_filled(plate, 12.0, theme::SCRIM);
    let mut x = plate.left() + 8.0;
    let place = Rect::from_center_size(pos2(x + 7.0, plate.center().y), Vec2::splat(14.0));
    match sound {
        Sound::Quiet => {}
        Sound::Muted => Icon::MicrophoneOff.paint(ui.painter(), place, MUTED),
        Sound::Speaking => bars(ui, place),
    }
    x += mark;
    let at = Pos2::new(x, plate.center().y - galley.size().y * 0.5);
    ui.painter().galley(at, galley, theme::ON_SCRIM);
}

/// Three bars, as of a level meter.
fn bars(ui: &Ui, place: Rect) {
    for (column, height) in [(-4.5, 5.0), (0.0, 10.0), (4.5, 7.0)] {
        let bar = Rect::from_center_size(place.center() + vec2(column, 0.0), vec2(3.0, height));
        ui.painter().rect_filled(bar, 1.5, SPEAKING);
    }
}

/// Who speaks, on pictures and on the scrim, in both themes.
const SPEAKING: Color32 = Color32::from_rgb(0x4a, 0xd6, 0x8c);

/// The muted mark on the scrim, in both themes.
const MUTED: Color32 = Color32::from_rgb(0xff, 0x9a, 0x9a);
