//! The start screen: who you are, which server, which room.

use call_core::command::Command;
use call_core::room_url::RoomUrl;
use egui::{CentralPanel, Frame, Key, Margin, Response, ScrollArea, Ui};
use shared::RoomId;
use shared::limits::DISPLAY_NAME_MAX_CHARS;

use super::create::CreateForm;
use super::rooms::RoomsView;
use super::synced::Synced;
use super::{Pass, header};
use crate::theme;
use crate::widgets::{Button, Field, Tone, card, line};

/// Widest the screen's content becomes, in points.
const CONTENT_MAX: f32 = 1040.0;
/// Width of the left column, in points.
const LEFT: f32 = 360.0;
/// From this width on there are two columns.
const TWO_COLUMNS: f32 = 860.0;

/// What was typed into the start screen.
pub struct StartView {
    server: Synced,
    name: Synced,
    room: String,
    /// What is wrong with the typed room.
    room_error: Option<String>,
    rooms: RoomsView,
    create: CreateForm,
}

impl StartView {
    /// The screen with these texts typed in.
    pub fn new(server: String, name: String, room: String) -> Self {
        Self {
            server: Synced::new(server),
            name: Synced::new(name),
            room,
            room_error: None,
            rooms: RoomsView::default(),
            create: CreateForm::default(),
        }
    }

    /// Shows the screen.
    pub fn show(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        self.server.follow(&pass.snapshot.server.url);
        self.name.follow(&pass.snapshot.display_name);
        CentralPanel::no_frame().frame(Frame::new().inner_margin(Margin::symmetric(16, 16))).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                header::centered(ui, CONTENT_MAX, |ui| {
                    let wide = ui.available_width() >= TWO_COLUMNS;
                    header::show(ui);
                    ui.add_space(theme::GROUP_GAP);
                    if wide { self.two_columns(ui, pass) } else { self.one_column(ui, pass) }
                });
            });
        });
    }

    fn two_columns(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GROUP_GAP;
            ui.vertical(|ui| {
                ui.set_width(LEFT);
                self.join_card(ui, pass);
            });
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                self.rooms_card(ui, pass);
            });
        });
    }

    fn one_column(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        self.join_card(ui, pass);
        ui.add_space(theme::GROUP_GAP);
        self.rooms_card(ui, pass);
    }

    fn join_card(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        card(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 12.0;
            let color = theme::palette(ui).text;
            line(ui, "Join a room", theme::title(), color);
            let name = Field::new("Your name").example("Guest").limit(DISPLAY_NAME_MAX_CHARS);
            let name = name.show(ui, &mut self.name.typed);
            if done(ui, &name) {
                self.tell_name(pass.commands);
            }
            let server = Field::new("Server")
                .example("meet.example.org")
                .note("Where the rooms are. It is remembered.");
            let server = server.show(ui, &mut self.server.typed);
            if done(ui, &server) {
                self.tell_server(pass.commands);
            }
            self.room_field(ui, pass);
        });
    }

    fn room_field(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        let field = Field::new("Room id or link").example("team-meeting").error(self.room_error.as_deref());
        let field = field.show(ui, &mut self.room);
        if field.changed() {
            self.room_error = None;
        }
        let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let ready = !self.room.trim().is_empty();
        let join = Button::text("Join…").tone(Tone::Primary).enabled(ready).width(ui.available_width());
        if join.tooltip("See yourself first, then join").clicked(ui) || (enter && ready) {
            self.open_typed_room(pass.commands);
        }
    }

    fn open_typed_room(&mut self, commands: &mut Vec<Command>) {
        let room = match typed_room(&self.room) {
            Ok((room, server)) => {
                if let Some(server) = server {
                    self.server.typed = server;
                }
                room
            }
            Err(error) => {
                self.room_error = Some(error);
                return;
            }
        };
        self.tell_server(commands);
        self.tell_name(commands);
        commands.push(Command::OpenPreview(room));
    }

    fn rooms_card(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        let before = pass.commands.len();
        card(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 12.0;
            self.rooms.show(ui, &mut self.create, pass);
        });
        // A room of the list is entered under the name that is in the field.
        if pass.commands[before..].iter().any(|command| matches!(command, Command::OpenPreview(_))) {
            let mut first = Vec::new();
            self.tell_name(&mut first);
            pass.commands.splice(before..before, first);
        }
    }

    fn tell_name(&mut self, commands: &mut Vec<Command>) {
        commands.extend(self.name.news().map(Command::SetDisplayName));
    }

    fn tell_server(&mut self, commands: &mut Vec<Command>) {
        commands.extend(self.server.news().filter(|url| !url.is_empty()).map(Command::SetServer));
    }
}

/// The room that was typed or pasted, and its server if it is a link; or a sentence that says what is wrong.
fn typed_room(text: &str) -> Result<(RoomId, Option<String>), String> {
    let text = text.trim();
    if text.contains('/') {
        let url = RoomUrl::parse(text).map_err(|error| error.to_string())?;
        return Ok((url.room, Some(url.server.to_string())));
    }
    RoomId::parse(text)
        .map(|room| (room, None))
        .map_err(|error| format!("A room id {error}. You can paste a link too."))
}

/// Whether a field was left, by Enter or otherwise.
fn done(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() || (field.has_focus() && ui.input(|i| i.key_pressed(Key::Enter)))
}

#[cfg(test)]
mod tests {
    use super::typed_room;

    #[test]
    fn a_room_is_typed_as_id_or_link_and_what_is_wrong_is_said() {
        assert_eq!(typed_room(" team-1 ").unwrap().0.as_str(), "team-1");
        let (room, server) = typed_room("https://meet.example.org/room.html?id=team").unwrap();
        assert_eq!((room.as_str(), server.as_deref()), ("team", Some("https://meet.example.org")));
        assert!(typed_room("two words").unwrap_err().contains("letters, digits"));
        assert!(typed_room("https://meet.example.org/").unwrap_err().contains("names no room"));
    }
}
