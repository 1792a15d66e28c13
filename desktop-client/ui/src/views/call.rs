//! The call: tiles, toolbar, and a side panel with chat or devices. Before it, the way in; after it, why it ended.

use call_core::command::{Command, DeviceKind};
use call_core::snapshot::{DeviceState, NoticeLevel, RoomConnection, RoomView};
use egui::{Align, CentralPanel, Frame, Key, Layout, Margin, Modifiers, Panel, Ui};

use super::chat::ChatView;
use super::notices::banner;
use super::stage::Stage;
use super::talk::HoldToTalk;
use super::{Pass, grid, shortcuts, statistics, toolbar};
use crate::theme;
use crate::widgets::{Button, Field, Icon, Tone, card, device_pickers, hint, line, message, spinner};

/// What is beside the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// Nothing.
    #[default]
    Closed,
    /// The chat.
    Chat,
    /// The device pickers.
    Devices,
    /// How the call does.
    Statistics,
}

/// Typed text and open panels of a call.
#[derive(Debug, Default)]
pub struct CallView {
    side: Side,
    chat: ChatView,
    password: String,
    talk: HoldToTalk,
    stage: Stage,
    /// When the link was copied, in egui's time.
    pub(super) copied: Option<f64>,
}

impl CallView {
    /// Shows the screen.
    pub fn show(&mut self, ui: &mut Ui, pass: &mut Pass<'_>) {
        let Some(room) = &pass.snapshot.room else { return };
        match &room.connection {
            RoomConnection::Joined | RoomConnection::Reconnecting { .. } => self.show_call(ui, room, pass),
            RoomConnection::Idle | RoomConnection::Joining => joining(ui, room, pass.commands),
            RoomConnection::Refused { message, wants_password } => {
                self.refused(ui, room, message, *wants_password, pass.commands);
            }
            RoomConnection::Ended { message } => ended(ui, room, message, pass.commands),
        }
    }

    fn show_call(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        self.chat.follow(&room.chat, self.side == Side::Chat);
        shortcuts::devices(ui, pass);
        self.talk.listen(ui, pass);
        self.panel_shortcuts(ui);
        if shortcuts::pressed(ui, shortcuts::SPEAKER_VIEW) {
            pass.commands.push(Command::ShowSpeaker(!pass.snapshot.speaker_view));
        }
        banners(ui, room, pass);
        Panel::bottom("toolbar")
            .show_separator_line(false)
            .frame(Frame::new().inner_margin(Margin::symmetric(12, 10)))
            .show(ui, |ui| {
                let button =
                    toolbar::show(ui, room, &mut self.side, self.chat.unread(), &mut self.copied, pass);
                self.talk.button_is(button);
            });
        let frame = Frame::new().inner_margin(Margin { left: 12, right: 12, top: 12, bottom: 0 });
        if ui.available_width() < theme::NARROW {
            CentralPanel::no_frame().frame(frame).show(ui, |ui| match self.side {
                Side::Closed => self.show_tiles(ui, room, pass),
                Side::Chat | Side::Devices | Side::Statistics => self.show_side(ui, room, pass),
            });
            return;
        }
        if self.side != Side::Closed {
            Panel::right("side")
                .resizable(false)
                .exact_size(340.0)
                .show_separator_line(false)
                .frame(Frame::new().inner_margin(Margin { left: 0, right: 12, top: 12, bottom: 0 }))
                .show(ui, |ui| self.show_side(ui, room, pass));
        }
        CentralPanel::no_frame().frame(frame).show(ui, |ui| self.show_tiles(ui, room, pass));
    }

    fn show_tiles(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        if pass.snapshot.speaker_view {
            self.stage.show(ui, room, pass);
        } else {
            grid::show(ui, room, pass);
        }
    }

    fn panel_shortcuts(&mut self, ui: &Ui) {
        for (shortcut, side) in [(shortcuts::CHAT, Side::Chat), (shortcuts::STATISTICS, Side::Statistics)] {
            if shortcuts::pressed(ui, shortcut) {
                self.side = if self.side == side { Side::Closed } else { side };
            }
        }
        // What lies over the tiles is closed first.
        let covered = egui::Popup::is_any_open(ui.ctx());
        if self.side != Side::Closed
            && !covered
            && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape))
        {
            self.side = Side::Closed;
        }
    }

    fn show_side(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        card(ui, |ui| {
            ui.set_min_size(ui.available_size());
            let title = match self.side {
                Side::Chat => "Chat",
                Side::Statistics => "Statistics",
                Side::Devices | Side::Closed => "Devices",
            };
            if side_title(ui, title) {
                self.side = Side::Closed;
            }
            match self.side {
                Side::Chat => self.chat.show(ui, room, pass.commands),
                Side::Devices => devices(ui, pass),
                Side::Statistics => statistics::show(ui, room, pass),
                Side::Closed => {}
            }
        });
    }

    fn refused(
        &mut self,
        ui: &mut Ui,
        room: &RoomView,
        why: &str,
        wants_password: bool,
        commands: &mut Vec<Command>,
    ) {
        dialog(ui, |ui| {
            let color = theme::palette(ui).text;
            line(ui, &format!("You could not join {}", room.name), theme::title(), color);
            let mut join = false;
            if !wants_password {
                message(ui, NoticeLevel::Error, why);
            } else {
                let field = Field::new("Password").password().error(Some(why)).show(ui, &mut self.password);
                join = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            }
            ui.horizontal_wrapped(|ui| {
                if Button::text("Back").tooltip("Back to the rooms").clicked(ui) {
                    commands.push(Command::BackToStart);
                }
                let ready = !wants_password || !self.password.is_empty();
                let again = Button::text("Try again").tone(Tone::Primary).enabled(ready);
                join |= again.tooltip("Ask the server again").clicked(ui);
            });
            if join {
                let password = (!self.password.is_empty()).then(|| self.password.clone());
                commands.push(Command::Join { password });
            }
        });
    }
}

/// The panel's title; true if its close button was clicked.
fn side_title(ui: &mut Ui, title: &str) -> bool {
    ui.horizontal(|ui| {
        let color = theme::palette(ui).text;
        line(ui, title, theme::title(), color);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = format!("Close {}", title.to_lowercase());
            Button::icon(Icon::Close, &name).tone(Tone::Quiet).height(32.0).clicked(ui)
        })
        .inner
    })
    .inner
}

fn devices(ui: &mut Ui, pass: &mut Pass<'_>) {
    egui::ScrollArea::vertical().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = theme::GROUP_GAP;
        device_pickers(ui, &pass.snapshot.devices, pass.commands);
    });
}

/// What is wrong with the call as a whole, at its top.
fn banners(ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
    if let RoomConnection::Reconnecting { attempt } = room.connection {
        let text = format!(
            "The connection to the server is lost; trying again (attempt {attempt}). People you are connected with stay connected."
        );
        banner(ui, "reconnecting", NoticeLevel::Warning, &text, |ui| spinner(ui, 18.0));
    }
    for kind in [DeviceKind::Camera, DeviceKind::Microphone, DeviceKind::Speaker] {
        let device = pass.snapshot.devices.get(kind);
        let wanted = match kind {
            DeviceKind::Camera => device.enabled,
            DeviceKind::Microphone => device.enabled || pass.snapshot.devices.push_to_talk,
            DeviceKind::Speaker => true,
        };
        if let (true, DeviceState::Failed(reason)) = (wanted, &device.state) {
            banner(ui, &format!("{kind:?} failed"), NoticeLevel::Error, reason, |ui| {
                if Button::text("Try again").height(30.0).tooltip("Open the device again").clicked(ui) {
                    pass.commands.push(Command::RetryDevice(kind));
                }
            });
        }
    }
}

fn joining(ui: &mut Ui, room: &RoomView, commands: &mut Vec<Command>) {
    dialog(ui, |ui| {
        let color = theme::palette(ui).text;
        ui.horizontal(|ui| {
            spinner(ui, 24.0);
            line(ui, &format!("Joining {}…", room.name), theme::title(), color);
        });
        hint(ui, "This takes a moment on a slow network.");
        if Button::text("Cancel").tooltip("Give up joining").clicked(ui) {
            commands.push(Command::Leave);
        }
    });
}

fn ended(ui: &mut Ui, room: &RoomView, why: &str, commands: &mut Vec<Command>) {
    dialog(ui, |ui| {
        let color = theme::palette(ui).text;
        line(ui, "The call has ended", theme::title(), color);
        message(ui, NoticeLevel::Info, why);
        ui.horizontal_wrapped(|ui| {
            if Button::text("Join again").tooltip("Back to the preview of this room").clicked(ui) {
                commands.push(Command::OpenPreview(room.id.clone()));
            }
            let back = Button::text("Back to the rooms").tone(Tone::Primary);
            if back.tooltip("Leave this room for good").clicked(ui) {
                commands.push(Command::BackToStart);
            }
        });
    });
}

/// A card in the middle of the screen.
fn dialog(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let width = (ui.available_width() - 48.0).clamp(0.0, 420.0);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).max(24.0));
        ui.allocate_ui_with_layout(egui::vec2(width, 0.0), Layout::top_down(Align::LEFT), |ui| {
            card(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 12.0;
                ui.set_width(ui.available_width());
                content(ui);
            });
        });
    });
}
