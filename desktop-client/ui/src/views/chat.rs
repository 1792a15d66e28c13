//! The chat beside the tiles.

use std::collections::HashMap;

use call_core::command::Command;
use call_core::snapshot::{ChatLine, NoticeLevel, RoomConnection, RoomView};
use egui::{Align, Key, Layout, ScrollArea, Sense, TextEdit, Ui};

use crate::text::safe;
use crate::theme;
use crate::widgets::{Button, Icon, Tone, hint, line, message, paragraph};

/// Most characters of a line that can be typed; more belongs into a document.
const TYPED_MAX: usize = 4_000;

/// The typed text, and how far the person has read.
#[derive(Debug, Default)]
pub struct ChatView {
    typed: String,
    /// The number of the last line that was read.
    read: u64,
    unread: u32,
    heights: Heights,
}

impl ChatView {
    /// Takes note of new lines; all are read while the chat is open.
    pub fn follow(&mut self, chat: &[ChatLine], open: bool) {
        if open {
            self.read = chat.last().map_or(self.read, |line| line.number);
            self.unread = 0;
            return;
        }
        let unread = chat.iter().filter(|line| line.number > self.read && line.from.is_some()).count();
        self.unread = u32::try_from(unread).unwrap_or(u32::MAX);
    }

    /// How many lines of others were not read.
    pub fn unread(&self) -> u32 {
        self.unread
    }

    /// Shows the lines and the field below them.
    pub fn show(&mut self, ui: &mut Ui, room: &RoomView, commands: &mut Vec<Command>) {
        // Lines go from person to person: while only the server is gone, they still arrive.
        let in_call = matches!(room.connection, RoomConnection::Joined | RoomConnection::Reconnecting { .. });
        ui.with_layout(Layout::bottom_up(Align::LEFT), |ui| {
            ui.set_width(ui.available_width());
            self.entry(ui, in_call, commands);
            ui.add_space(4.0);
            ui.with_layout(Layout::top_down(Align::LEFT), |ui| lines(ui, &room.chat, &mut self.heights));
        });
    }

    fn entry(&mut self, ui: &mut Ui, in_call: bool, commands: &mut Vec<Command>) {
        ui.horizontal(|ui| {
            let width = (ui.available_width() - theme::CONTROL_HEIGHT - theme::GAP).max(0.0);
            let edit = TextEdit::multiline(&mut self.typed)
                .id_salt("chat entry")
                .hint_text("Write to everybody")
                .desired_rows(1)
                .desired_width(width)
                .char_limit(TYPED_MAX)
                .margin(egui::Margin::symmetric(10, 9))
                // Shift+Enter makes a new line, Enter sends.
                .return_key(egui::KeyboardShortcut::new(egui::Modifiers::SHIFT, Key::Enter));
            let entry = ui.add(edit);
            entry.widget_info(|| egui::WidgetInfo::labeled(egui::Role::MultilineTextInput, true, "Message"));
            let enter = entry.has_focus() && ui.input(|i| i.key_pressed(Key::Enter) && !i.modifiers.shift);
            let ready = in_call && !self.typed.trim().is_empty();
            let send = Button::icon(Icon::Send, "Send").tone(Tone::Primary).enabled(ready);
            let clicked = send.tooltip("Send (Enter)").clicked(ui);
            if ready && (enter || clicked) {
                commands.push(Command::SendChat(std::mem::take(&mut self.typed).trim().to_owned()));
                entry.request_focus();
            }
        });
    }
}

/// The lines that can be seen, and room for the others: a full chat costs no more than a short one.
fn lines(ui: &mut Ui, chat: &[ChatLine], heights: &mut Heights) {
    if chat.is_empty() {
        hint(
            ui,
            "No messages yet. Everybody in the room sees what you write; it is gone when the call ends.",
        );
        return;
    }
    heights.forget_if_many(chat.len());
    ScrollArea::vertical().stick_to_bottom(true).auto_shrink([false, false]).show_viewport(ui, |ui, seen| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let top = ui.cursor().top();
        let mut before: Option<&ChatLine> = None;
        for chat_line in chat {
            let same = before.is_some_and(|b| b.from == chat_line.from && b.name == chat_line.name);
            before = Some(chat_line);
            let key = Heights::key(chat_line, same, ui.available_width());
            let at = ui.cursor().top() - top;
            match heights.0.get(&key) {
                Some(height) if at + height < seen.top() || at > seen.bottom() => ui.add_space(*height),
                Some(_) | None => {
                    chat_line_view(ui, chat_line, same);
                    heights.0.insert(key, ui.cursor().top() - top - at);
                }
            }
        }
    });
}

/// How high lines are at the width that they were shown in.
#[derive(Debug, Default)]
struct Heights(HashMap<u64, f32>);

impl Heights {
    fn key(line: &ChatLine, same_sender: bool, width: f32) -> u64 {
        egui::util::hash((&line.name, &line.text, line.undelivered, same_sender, width.to_bits()))
    }

    /// Widths change and lines go: what is not needed any more is thrown out with all the others now and then.
    fn forget_if_many(&mut self, lines: usize) {
        if self.0.len() > 4 * lines + 64 {
            self.0.clear();
        }
    }
}

fn chat_line_view(ui: &mut Ui, chat_line: &ChatLine, same_sender: bool) {
    let colors = theme::palette(ui);
    if !same_sender {
        ui.add_space(10.0);
        let (name, color) = match chat_line.from {
            None => ("You", colors.weak),
            Some(_) => (chat_line.name.as_str(), colors.text),
        };
        line(ui, name, theme::strong(), color);
        ui.add_space(2.0);
    }
    let text = paragraph(ui, &chat_line.text, theme::body(), colors.text);
    ui.add_space(4.0);
    text.interact(Sense::CLICK).context_menu(|ui| line_menu(ui, &chat_line.text));
    match chat_line.undelivered {
        0 => {}
        1 => message(ui, NoticeLevel::Warning, "One person did not get this."),
        count => message(ui, NoticeLevel::Warning, &format!("{count} people did not get this.")),
    }
}

/// Most links of a line that its menu offers.
const LINKS_MAX: usize = 3;

fn line_menu(ui: &mut Ui, text: &str) {
    let text = safe(text);
    if ui.button("Copy text").clicked() {
        ui.copy_text(text.to_string());
    }
    let is_link = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
    for link in text.split_whitespace().filter(is_link).take(LINKS_MAX) {
        // The whole address, so that nobody opens one unseen.
        if ui.button(format!("Open {link}")).clicked() {
            ui.open_url(egui::OpenUrl::new_tab(link));
        }
    }
}

#[cfg(test)]
mod tests {
    use call_core::snapshot::ChatLine;
    use shared::PeerId;

    use super::ChatView;

    fn from_ada(number: u64) -> ChatLine {
        let from = Some(PeerId::parse("ada").unwrap());
        ChatLine { number, from, name: "Ada".into(), text: "hello".into(), undelivered: 0 }
    }

    #[test]
    fn lines_of_others_count_until_the_chat_is_opened() {
        let mut view = ChatView::default();
        let own = ChatLine { from: None, ..from_ada(2) };
        view.follow(&[from_ada(1), own, from_ada(3)], false);
        assert_eq!(view.unread(), 2);
        view.follow(&[from_ada(1), from_ada(3)], true);
        assert_eq!(view.unread(), 0);
        view.follow(&[from_ada(1), from_ada(3), from_ada(4)], false);
        assert_eq!(view.unread(), 1);
    }

    #[test]
    fn a_full_chat_that_drops_its_oldest_lines_still_counts() {
        let mut view = ChatView::default();
        view.follow(&[from_ada(1), from_ada(2), from_ada(3)], true);
        view.follow(&[from_ada(2), from_ada(3), from_ada(4)], false);
        assert_eq!(view.unread(), 1);
        view.follow(&[from_ada(7), from_ada(8), from_ada(9)], false);
        assert_eq!(view.unread(), 3);
    }
}
