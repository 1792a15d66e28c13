//! The form for a new room. What was typed stays until the room exists.

use call_core::command::Command;
use call_core::snapshot::{NoticeLevel, RoomsState, ServerView};
use egui::{Frame, Key, Margin, Ui};
use shared::RoomId;
use shared::limits::{
    PASSWORD_MAX_BYTES, ROOM_CAPACITY_DEFAULT, ROOM_CAPACITY_MAX, ROOM_ID_MAX_CHARS, ROOM_NAME_MAX_CHARS,
};
use shared::rest::CreateRoom;

use crate::theme;
use crate::widgets::{Button, Field, Tone, line, message, spinner};

/// The form.
#[derive(Default)]
pub struct CreateForm {
    open: bool,
    name: String,
    id: String,
    capacity: String,
    password: String,
    sent: Option<Sent>,
}

/// A request that is under way.
struct Sent {
    /// The rooms that there were.
    before: Vec<RoomId>,
    /// The session has been seen at work on it.
    busy_seen: bool,
}

impl CreateForm {
    /// Whether it can be seen.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Shows it from now on.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Closes and empties the form once its room exists.
    ///
    /// Snapshots may be skipped, so success is seen in either of two ways: the session was at work and has finished without an error, or the
    /// list has a room that it did not have.
    pub fn follow(&mut self, server: &ServerView) {
        let Some(sent) = &mut self.sent else { return };
        if server.busy {
            sent.busy_seen = true;
        } else if server.form_error.is_some() {
            if sent.busy_seen {
                self.sent = None;
            }
        } else if sent.busy_seen || ids(server).iter().any(|id| !sent.before.contains(id)) {
            *self = Self::default();
        }
    }

    /// Shows it, if it is open.
    pub fn show(&mut self, ui: &mut Ui, server: &ServerView, commands: &mut Vec<Command>) {
        if !self.open {
            return;
        }
        let colors = theme::palette(ui);
        let frame = Frame::new().fill(colors.background).corner_radius(theme::CONTROL_RADIUS);
        frame.inner_margin(Margin::same(12)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 12.0;
            line(ui, "New room", theme::strong(), colors.text);
            let enter = self.fields(ui);
            if let Some(error) = &server.form_error {
                message(ui, NoticeLevel::Error, error);
            }
            let request = self.request();
            ui.horizontal(|ui| {
                let ready = !server.busy && request.is_some();
                let create = Button::text("Create room").tone(Tone::Primary).enabled(ready);
                let clicked = create.tooltip("Create the room on the server").clicked(ui);
                if Button::text("Cancel").tooltip("Close the form").clicked(ui) {
                    *self = Self::default();
                    return;
                }
                if server.busy {
                    spinner(ui, 20.0);
                }
                if let (true, Some(request)) = (ready && (clicked || enter), request) {
                    self.sent = Some(Sent { before: ids(server), busy_seen: false });
                    commands.push(Command::CreateRoom(request));
                }
            });
        });
    }

    /// The fields; true when Enter was pressed in one.
    fn fields(&mut self, ui: &mut Ui) -> bool {
        let id_error = self.id().is_none().then_some("Only letters, digits, - and _.");
        let capacity_error =
            self.capacity().is_none().then(|| format!("A number from 1 to {ROOM_CAPACITY_MAX}."));
        let usual = ROOM_CAPACITY_DEFAULT.to_string();
        let fields = [
            Field::new("Name").example("Team meeting").limit(ROOM_NAME_MAX_CHARS).show(ui, &mut self.name),
            Field::new("Id (optional)")
                .example("team-meeting")
                .note("Part of the link. The server makes one up if this is empty.")
                .limit(ROOM_ID_MAX_CHARS)
                .error(id_error)
                .show(ui, &mut self.id),
            Field::new("Most people (optional)")
                .example(&usual)
                .limit(4)
                .error(capacity_error.as_deref())
                .show(ui, &mut self.capacity),
            // A character has at most four bytes.
            Field::new("Password (optional)")
                .limit(PASSWORD_MAX_BYTES / 4)
                .password()
                .show(ui, &mut self.password),
        ];
        fields.iter().any(egui::Response::lost_focus) && ui.input(|i| i.key_pressed(Key::Enter))
    }

    fn id(&self) -> Option<Option<RoomId>> {
        match self.id.trim() {
            "" => Some(None),
            id => RoomId::parse(id).ok().map(Some),
        }
    }

    fn capacity(&self) -> Option<Option<u32>> {
        match self.capacity.trim() {
            "" => Some(None),
            n => n.parse().ok().filter(|n| (1..=ROOM_CAPACITY_MAX).contains(n)).map(Some),
        }
    }

    /// What to ask the server for, if the fields make sense.
    fn request(&self) -> Option<CreateRoom> {
        let name = self.name.trim();
        Some(CreateRoom {
            name: (!name.is_empty()).then(|| name.to_owned()),
            id: self.id()?,
            capacity: self.capacity()?,
            password: (!self.password.is_empty()).then(|| self.password.clone()),
        })
    }
}

fn ids(server: &ServerView) -> Vec<RoomId> {
    match &server.rooms {
        RoomsState::Loaded(rooms) => rooms.iter().map(|room| room.id.clone()).collect(),
        RoomsState::Unknown | RoomsState::Loading | RoomsState::Failed(_) => Vec::new(),
    }
}
