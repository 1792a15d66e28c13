//! The server's rooms: who is where, join, create, delete.

use call_core::command::Command;
use call_core::snapshot::{NoticeLevel, RoomsState};
use egui::{Align, Frame, Id, Layout, Margin, Modal, Ui};
use shared::RoomId;
use shared::rest::Room;

use super::create::CreateForm;
use super::{Pass, header};
use crate::text::safe;
use crate::theme;
use crate::widgets::{
    Button, Icon, Tone, hint, icon_in_line, line, line_in, message, paragraph, row, spinner,
};

/// The open question whether to delete a room.
#[derive(Default)]
pub struct RoomsView {
    deleting: Option<RoomId>,
}

impl RoomsView {
    /// Shows the list with its title, and the form for a new room when it is open.
    pub fn show(&mut self, ui: &mut Ui, create: &mut CreateForm, pass: &mut Pass<'_>) {
        let server = &pass.snapshot.server;
        create.follow(server);
        title(ui, create, pass);
        create.show(ui, server, pass.commands);
        if let (false, Some(error)) = (create.is_open(), &server.form_error) {
            message(ui, NoticeLevel::Error, error);
        }
        match &server.rooms {
            RoomsState::Unknown => {
                hint(ui, "Enter a server to see its rooms.");
            }
            RoomsState::Loading => {
                ui.horizontal(|ui| {
                    spinner(ui, 20.0);
                    hint(ui, "Loading rooms…");
                });
            }
            RoomsState::Failed(reason) => {
                message(ui, NoticeLevel::Error, reason);
                let again = Button::text("Try again").with_icon(Icon::Refresh);
                if again.tooltip("Ask the server again").clicked(ui) {
                    pass.commands.push(Command::RefreshRooms);
                }
            }
            RoomsState::Loaded(rooms) if rooms.is_empty() => {
                hint(
                    ui,
                    "There are no rooms yet. Create one, or type any id under “Join a room” to start one that lasts until all have left.",
                );
            }
            RoomsState::Loaded(rooms) => {
                for room in rooms {
                    ui.push_id(&room.id, |ui| self.row(ui, room, pass.commands));
                }
                self.confirm(ui, rooms, pass.commands);
            }
        }
    }

    fn row(&mut self, ui: &mut Ui, room: &Room, commands: &mut Vec<Command>) {
        let colors = theme::palette(ui);
        let frame = Frame::new().fill(colors.background).corner_radius(theme::CONTROL_RADIUS);
        frame.inner_margin(Margin::symmetric(12, 10)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let size = egui::vec2(ui.available_width(), 42.0);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                self.row_buttons(ui, room, commands);
                ui.with_layout(Layout::top_down(Align::LEFT), |ui| describe(ui, room));
            });
        });
    }

    fn row_buttons(&mut self, ui: &mut Ui, room: &Room, commands: &mut Vec<Command>) {
        let name = name_of(room);
        let delete = format!("Delete {name}…");
        if Button::icon(Icon::Trash, &delete).tone(Tone::Quiet).clicked(ui) {
            self.deleting = Some(room.id.clone());
        }
        let full = room.participants >= room.capacity;
        let (label, spoken) =
            if full { ("Full", format!("{name} is full")) } else { ("Join…", format!("Join {name}…")) };
        let join = Button::text(label).spoken(&spoken).tooltip(spoken.as_str());
        if join.enabled(!full).width(76.0).clicked(ui) {
            commands.push(Command::OpenPreview(room.id.clone()));
        }
    }

    fn confirm(&mut self, ui: &mut Ui, rooms: &[Room], commands: &mut Vec<Command>) {
        let Some(room) = self.deleting.as_ref().and_then(|id| rooms.iter().find(|room| room.id == *id))
        else {
            self.deleting = None;
            return;
        };
        let mut close = false;
        let modal =
            Modal::new(Id::unique("delete room")).frame(header::dialog_frame(ui)).show(ui.ctx(), |ui| {
                ui.set_width((ui.ctx().content_rect().width() - 64.0).clamp(0.0, 380.0));
                let color = theme::palette(ui).text;
                line(ui, &format!("Delete {}?", name_of(room)), theme::title(), color);
                let text = match room.participants {
                    0 => "Links to this room stop working.".to_owned(),
                    1 => "The one person inside is removed, and links to this room stop working.".to_owned(),
                    n => format!("The {n} people inside are removed, and links to this room stop working."),
                };
                paragraph(ui, &text, theme::body(), color);
                ui.add_space(theme::GAP);
                ui.horizontal(|ui| {
                    close = Button::text("Cancel").clicked(ui);
                    if Button::text("Delete room").tone(Tone::Danger).clicked(ui) {
                        commands.push(Command::DeleteRoom(room.id.clone()));
                        close = true;
                    }
                });
            });
        if close || modal.should_close() {
            self.deleting = None;
        }
    }
}

fn title(ui: &mut Ui, create: &mut CreateForm, pass: &mut Pass<'_>) {
    ui.horizontal(|ui| {
        let color = theme::palette(ui).text;
        line(ui, "Rooms", theme::title(), color);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let known = !matches!(pass.snapshot.server.rooms, RoomsState::Unknown);
            let new = Button::text("New room…").with_icon(Icon::Plus).enabled(known && !create.is_open());
            if new.tooltip("Create a room that stays").clicked(ui) {
                create.open();
            }
            let loading = matches!(pass.snapshot.server.rooms, RoomsState::Loading);
            let refresh =
                Button::icon(Icon::Refresh, "Refresh rooms").tone(Tone::Quiet).enabled(known && !loading);
            if refresh.clicked(ui) {
                pass.commands.push(Command::RefreshRooms);
            }
        });
    });
}

fn name_of(room: &Room) -> String {
    let name = safe(&room.name);
    if name.trim().is_empty() { room.id.as_str().to_owned() } else { name.into_owned() }
}

fn describe(ui: &mut Ui, room: &Room) {
    let colors = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    row(ui, |ui| {
        let lock = if room.locked { 22.0 } else { 0.0 };
        let width = (ui.available_width() - lock).max(0.0);
        line_in(ui, &name_of(room), theme::strong(), colors.text, width);
        if room.locked {
            let (rect, response) = ui.allocate_exact_size(egui::Vec2::splat(16.0), egui::Sense::hover());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Locked"));
            Icon::Lock.paint(ui.painter(), rect, colors.weak);
            response.on_hover_text("Wants a password or an invitation");
        }
    });
    let mut text = format!("{} of {}", room.participants, room.capacity);
    let names: Vec<&str> = room.peers.iter().map(|peer| peer.display_name.as_str()).collect();
    if !names.is_empty() {
        text = format!("{text} · {}", names.join(", "));
    }
    row(ui, |ui| {
        icon_in_line(ui, Icon::People, colors.weak);
        let width = ui.available_width();
        line_in(ui, &text, theme::small(), colors.weak, width);
    });
}
