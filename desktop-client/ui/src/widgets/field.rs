//! A text field with its label above and a hint or an error below.

use call_core::snapshot::NoticeLevel;
use egui::{Response, TextEdit, Ui};

use super::card::message;
use super::label::{hint, line};
use crate::theme::{self, CONTROL_HEIGHT};

/// A labelled text field.
#[must_use = "it is shown by `show`"]
pub struct Field<'a> {
    label: &'a str,
    example: &'a str,
    note: Option<&'a str>,
    error: Option<&'a str>,
    password: bool,
    limit: usize,
    enabled: bool,
}

impl<'a> Field<'a> {
    /// A field with this label.
    pub fn new(label: &'a str) -> Self {
        Self { label, example: "", note: None, error: None, password: false, limit: 2_000, enabled: true }
    }

    /// Shown while it is empty.
    pub fn example(mut self, example: &'a str) -> Self {
        self.example = example;
        self
    }

    /// Shown below it.
    pub fn note(mut self, note: &'a str) -> Self {
        self.note = Some(note);
        self
    }

    /// Shown below it in place of the note.
    pub fn error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// Its content is not shown.
    pub fn password(mut self) -> Self {
        self.password = true;
        self
    }

    /// Most characters.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Whether it can be used now.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Shows it.
    pub fn show(self, ui: &mut Ui, text: &mut String) -> Response {
        let colors = theme::palette(ui);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let label = line(ui, self.label, theme::strong(), colors.text);
            let width = ui.available_width();
            let response = ui.add_enabled(self.enabled, self.edit(text, width)).labelled_by(label.id);
            match (self.error, self.note) {
                (Some(error), _) => message(ui, NoticeLevel::Error, error),
                (None, Some(note)) => {
                    hint(ui, note);
                }
                (None, None) => {}
            }
            response
        })
        .inner
    }

    fn edit<'t>(&self, text: &'t mut String, width: f32) -> TextEdit<'t> {
        TextEdit::singleline(text)
            .id_salt(self.label)
            .hint_text(self.example.to_owned())
            .password(self.password)
            .char_limit(self.limit)
            .align(egui::Align2::LEFT_CENTER)
            .margin(egui::Margin::symmetric(10, 0))
            .min_size(egui::vec2(0.0, CONTROL_HEIGHT))
            .desired_width(width)
    }
}
