//! The window as a whole: which screen is up, what lies over every screen, and the shortcuts.

use call_core::command::Command;
use call_core::snapshot::{Screen, Snapshot};
use egui::{ThemePreference, Ui, UiBuilder};
use egui_glow::glow;

use crate::figures::CallFigures;
use crate::speaking::Speaking;
use crate::tiles::ShownTiles;
use crate::video::{Pictures, Renderer, VideoFrames};
use crate::views::{CallView, Pass, PreviewView, StartView, notices, shortcuts, trust};
use crate::{text, theme};

/// What the start screen is filled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Initial {
    /// The server's URL, as remembered or as the command line names it.
    pub server: String,
    /// The person's name, as remembered.
    pub display_name: String,
    /// The room to join: an id or a link.
    pub room: String,
    /// Dark, light, or as the system has it.
    pub theme: ThemePreference,
}

/// The window. It keeps only what the session does not care about: typed text, open panels.
pub struct Window {
    pictures: Pictures,
    tiles: ShownTiles,
    start: StartView,
    preview: PreviewView,
    call: CallView,
    shown: Option<Screen>,
}

impl Window {
    /// A window in this context, which gets our fonts and both themes.
    pub fn new(ctx: &egui::Context, renderer: Renderer, initial: Initial) -> Self {
        text::install(ctx);
        theme::apply(ctx);
        ctx.options_mut(|options| options.theme_preference = initial.theme);
        Self {
            pictures: Pictures::new(renderer),
            tiles: ShownTiles::default(),
            start: StartView::new(initial.server, initial.display_name, initial.room),
            preview: PreviewView::default(),
            call: CallView::default(),
            shown: None,
        }
    }

    /// Shows the snapshot in all of `ui`, and gives back what the person asks for.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        video: &dyn VideoFrames,
        figures: &dyn CallFigures,
        speaking: &Speaking,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.shown != Some(snapshot.screen) {
            self.enter(snapshot, &mut commands);
        }
        shortcuts::click_once(ui);
        let area = ui.max_rect();
        ui.painter().rect_filled(area, 0.0, theme::palette(ui).background);
        let (pictures, tiles) = (&mut self.pictures, &mut self.tiles);
        let mut pass = Pass { snapshot, video, speaking, figures, pictures, tiles, commands: &mut commands };
        ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
            notices::show(ui, &mut pass);
            match snapshot.screen {
                Screen::Start => self.start.show(ui, &mut pass),
                Screen::Preview => self.preview.show(ui, &mut pass),
                Screen::Call => self.call.show(ui, &mut pass),
            }
        });
        if let Some(prompt) = &snapshot.trust {
            trust::show(ui, prompt, &mut commands);
        }
        self.pictures.end_pass(ui);
        self.tiles.end_pass(ui, snapshot, &mut commands);
        commands
    }

    /// Dark, light, or as the system has it: what the person chose, to be remembered.
    pub fn theme(&self, ctx: &egui::Context) -> ThemePreference {
        ctx.options(|options| options.theme_preference)
    }

    /// Frees what the GL context holds for the pictures. Call it before the context goes (eframe's `on_exit`).
    pub fn release(&mut self, context: &glow::Context) {
        self.pictures.release(context);
    }

    /// A screen comes up: what was typed on the last visit of a room does not belong to the next.
    fn enter(&mut self, snapshot: &Snapshot, commands: &mut Vec<Command>) {
        match snapshot.screen {
            Screen::Start => {}
            Screen::Preview => {
                self.preview.enter(snapshot);
                commands.push(Command::RefreshDevices);
            }
            Screen::Call => self.call = CallView::default(),
        }
        self.shown = Some(snapshot.screen);
    }
}
