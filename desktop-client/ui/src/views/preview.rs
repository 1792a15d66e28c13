//! Before joining: see yourself, choose devices, say who you are.

use call_core::command::Command;
use call_core::snapshot::{DeviceState, NoticeLevel, RoomConnection, RoomView, RoomsState, Snapshot};
use egui::{CentralPanel, CornerRadius, Frame, Key, Margin, Rect, ScrollArea, Sense, Ui, Vec2, vec2};
use shared::RoomId;
use shared::limits::{DISPLAY_NAME_MAX_CHARS, PASSWORD_MAX_BYTES};

use super::switches::{Talk, camera_button, microphone_button};
use super::synced::Synced;
use super::{Pass, header, shortcuts};
use crate::theme;
use crate::video::{Fit, Placement, TileId};
use crate::widgets::{Button, Field, Icon, Tone, avatar, card, device_pickers, hint, line, message, spinner};

/// From this width on the picture is beside the form.
const TWO_COLUMNS: f32 = 860.0;
/// Widest the screen's content becomes, in points.
const CONTENT_MAX: f32 = 1080.0;
/// Width of the form beside the picture, in points.
const FORM: f32 = 360.0;

/// What was typed into the preview.
#[derive(Default)]
pub struct PreviewView {
    room: Option<RoomId>,
    name: Synced,
    password: String,
}

impl PreviewView {
    /// The screen comes up: with the name that the session knows, and with the password that was typed for this room before.
    pub fn enter(&mut self, snapshot: &Snapshot) {
        let room = snapshot.room.as_ref().map(|room| room.id.clone());
        if self.room != room {
            self.password.clear();
            self.room = room;
        }
        self.name = Synced::default();
        self.name.follow(&snapshot.display_name);
    }

    /// Shows the screen.
    pub fn show(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        let Some(room) = &pass.snapshot.room else { return };
        self.name.follow(&pass.snapshot.display_name);
        shortcuts::devices(ui, pass);
        CentralPanel::no_frame().frame(Frame::new().inner_margin(Margin::same(16))).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                header::centered(ui, CONTENT_MAX, |ui| {
                    let wide = ui.available_width() >= TWO_COLUMNS;
                    title(ui, room, pass);
                    ui.add_space(theme::GAP);
                    if wide {
                        self.two_columns(ui, room, pass);
                    } else {
                        picture(ui, pass);
                        ui.add_space(theme::GAP);
                        self.form(ui, room, pass);
                    }
                });
            });
        });
    }

    fn two_columns(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GROUP_GAP;
            ui.vertical(|ui| {
                ui.set_width(ui.available_width() - FORM - theme::GROUP_GAP);
                picture(ui, pass);
            });
            ui.vertical(|ui| {
                ui.set_width(FORM);
                self.form(ui, room, pass);
            });
        });
    }

    fn form(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        card(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 12.0;
            let joining = room.connection == RoomConnection::Joining;
            let name =
                Field::new("Your name").example("Guest").limit(DISPLAY_NAME_MAX_CHARS).enabled(!joining);
            let name = name.show(ui, &mut self.name.typed);
            if name.lost_focus() {
                self.tell_name(pass);
            }
            let mut enter = name.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            if wants_password(pass.snapshot, room) {
                // A character has at most four bytes.
                let field = Field::new("Password").password().limit(PASSWORD_MAX_BYTES / 4);
                let field = field.enabled(!joining).error(wrong_password(room));
                let field = field.show(ui, &mut self.password);
                enter |= field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            }
            device_pickers(ui, &pass.snapshot.devices, pass.commands);
            self.join(ui, room, enter, pass);
        });
    }

    fn join(&mut self, ui: &mut Ui, room: &RoomView, enter: bool, pass: &mut Pass<'_>) {
        match &room.connection {
            RoomConnection::Refused { message: why, wants_password: false }
            | RoomConnection::Ended { message: why } => message(ui, NoticeLevel::Error, why),
            RoomConnection::Refused { wants_password: true, .. }
            | RoomConnection::Idle
            | RoomConnection::Joining
            | RoomConnection::Joined
            | RoomConnection::Reconnecting { .. } => {}
        }
        if room.connection == RoomConnection::Joining {
            ui.horizontal(|ui| {
                spinner(ui, 20.0);
                line(ui, "Joining…", theme::body(), theme::palette(ui).text);
            });
            if Button::text("Cancel").tooltip("Give up joining").clicked(ui) {
                pass.commands.push(Command::Leave);
            }
            return;
        }
        let join = Button::text("Join").tone(Tone::Primary).width(ui.available_width()).height(42.0);
        if join.tooltip("Enter the room").clicked(ui) || enter {
            self.tell_name(pass);
            let password = (!self.password.is_empty()).then(|| self.password.clone());
            pass.commands.push(Command::Join { password });
        }
    }

    fn tell_name(&mut self, pass: &mut Pass<'_>) {
        pass.commands.extend(self.name.news().map(Command::SetDisplayName));
    }
}

fn wants_password(snapshot: &Snapshot, room: &RoomView) -> bool {
    let locked = match &snapshot.server.rooms {
        RoomsState::Loaded(rooms) => rooms.iter().any(|r| r.id == room.id && r.locked),
        RoomsState::Unknown | RoomsState::Loading | RoomsState::Failed(_) => false,
    };
    locked || matches!(room.connection, RoomConnection::Refused { wants_password: true, .. })
}

/// Why the server wants another password, to be said beside the field.
fn wrong_password(room: &RoomView) -> Option<&str> {
    match &room.connection {
        RoomConnection::Refused { message, wants_password: true } => Some(message),
        _ => None,
    }
}

fn title(ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
    ui.horizontal(|ui| {
        if Button::icon(Icon::Back, "Back to the rooms").tone(Tone::Quiet).clicked(ui) {
            pass.commands.push(Command::BackToStart);
        }
        let color = theme::palette(ui).text;
        line(ui, &room.name, theme::display(), color);
    });
}

/// The own picture as others will see it, mirrored as a mirror is, with the switches below.
fn picture(ui: &mut Ui, pass: &mut Pass<'_>) {
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, width * 9.0 / 16.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Your picture"));
    let colors = theme::palette(ui);
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), colors.tile);
    let camera = &pass.snapshot.devices.camera;
    let frame = camera.enabled.then(|| pass.video.local()).flatten();
    if let Some(frame) = frame.filter(|_| camera.state == DeviceState::Running) {
        let placement = Placement { rect, fit: Fit::Cover, mirror: true, radius: f32::from(theme::RADIUS) };
        pass.pictures.paint(ui, TileId::Own, &frame, placement);
    } else {
        let center = rect.center() - vec2(0.0, rect.height() * 0.08);
        avatar(ui, center, (rect.height() * 0.2).clamp(20.0, 72.0), &pass.snapshot.display_name);
        let text = match (&camera.state, camera.enabled) {
            (_, false) => "Your camera is off",
            (DeviceState::Failed(_), true) => "Your camera does not work",
            (DeviceState::Opening | DeviceState::Running, true) => "Starting camera…",
            (DeviceState::Idle, true) => "",
        };
        let at = center + vec2(0.0, rect.height() * 0.28);
        ui.painter().text(at, egui::Align2::CENTER_CENTER, text, theme::body(), colors.weak);
    }
    switches(ui, rect, pass);
    if width >= theme::NARROW {
        hint(ui, "Nobody sees or hears you before you join.");
    }
}

fn switches(ui: &mut Ui, rect: Rect, pass: &mut Pass<'_>) {
    let height = 44.0;
    let size = vec2(2.0 * height + theme::GAP, height);
    let place = Rect::from_center_size(rect.center_bottom() - vec2(0.0, height * 0.5 + 12.0), size);
    header::over(ui, place, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(theme::GAP);
        let devices = &pass.snapshot.devices;
        if microphone_button(ui, &devices.microphone, Talk::Impossible, height).clicked() {
            pass.commands.push(Command::SetMicrophone(!devices.microphone.enabled));
        }
        if camera_button(ui, &devices.camera, height).clicked() {
            pass.commands.push(Command::SetCamera(!devices.camera.enabled));
        }
    });
}
