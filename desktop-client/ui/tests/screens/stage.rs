//! A window over a snapshot that the test changes, with the commands that came out of it.

use call_core::command::Command;
use call_core::control::ShownTile;
use call_core::snapshot::Snapshot;
use call_ui::{Initial, Renderer, Speaking, VideoFrames, Window};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::fabricated::{Curves, NoPictures};

/// What the harness owns.
pub struct State {
    window: Option<Window>,
    initial: Initial,
    pub snapshot: Snapshot,
    pub video: Box<dyn VideoFrames>,
    speaking: Speaking,
    commands: Vec<Command>,
}

/// The window on a stage.
pub struct Stage(pub Harness<'static, State>);

impl Stage {
    /// A window of 1200 × 800 over this snapshot.
    pub fn new(snapshot: Snapshot) -> Self {
        Self::with(snapshot, Initial::default(), (1200.0, 800.0))
    }

    /// The same with more said.
    pub fn with(snapshot: Snapshot, initial: Initial, size: (f32, f32)) -> Self {
        let state = State {
            window: None,
            initial,
            snapshot,
            video: Box::new(NoPictures),
            speaking: Speaking::default(),
            commands: Vec::new(),
        };
        // Which fonts this machine has does not matter here.
        let harness = Harness::builder().with_size(size).allow_missing_glyphs().build_ui_state(pass, state);
        let mut stage = Self(harness);
        stage.settle();
        // What a screen asks for by itself when it comes up.
        stage.commands();
        stage
    }

    /// Lets the views come to rest; spinners never do.
    pub fn settle(&mut self) {
        self.0.run_steps(4);
    }

    /// What the person asked for since the last call.
    pub fn commands(&mut self) -> Vec<Command> {
        let (asked, _) = self.take();
        asked
    }

    /// Whose picture has had another size since the last call, and which.
    pub fn shown(&mut self) -> Vec<(String, ShownTile)> {
        let (_, shown) = self.take();
        shown
    }

    fn take(&mut self) -> (Vec<Command>, Vec<(String, ShownTile)>) {
        let (mut asked, mut shown) = (Vec::new(), Vec::new());
        for command in std::mem::take(&mut self.0.state_mut().commands) {
            match command {
                Command::ShowTile { peer, tile } => shown.push((peer.to_string(), tile)),
                command => asked.push(command),
            }
        }
        (asked, shown)
    }

    /// Lets people speak.
    pub fn hear(&mut self, speaking: Speaking) {
        self.0.state_mut().speaking = speaking;
        self.settle();
    }

    /// Changes the snapshot.
    pub fn say(&mut self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.0.state_mut().snapshot);
        self.settle();
    }

    /// Clicks with the pointer on what has this label.
    pub fn click(&mut self, label: &str) {
        self.0.get_by_label(label).scroll_to_me();
        self.settle();
        self.0.get_by_label(label).click();
        self.settle();
    }

    /// Clicks with the pointer's second button on what has this label.
    pub fn click_secondary(&mut self, label: &str) {
        self.0.get_by_label(label).click_secondary();
        self.settle();
    }

    /// The label of what has the keyboard's focus.
    pub fn focused(&self) -> Option<String> {
        use egui_kittest::kittest::NodeT as _;
        let focused = self.0.root().children_recursive().find(egui_kittest::Node::is_focused);
        focused.and_then(|node| node.accesskit_node().label())
    }

    /// Types into the field with this label.
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.field(label).focus();
        self.settle();
        self.field(label).type_text(text);
        self.settle();
    }

    /// What stands in the field with this label.
    pub fn typed(&self, label: &str) -> String {
        self.field(label).value().unwrap_or_default()
    }

    fn field<'a>(&'a self, label: &'a str) -> egui_kittest::Node<'a> {
        use egui::accesskit::Role;
        self.0
            .query_all_by_label(label)
            .find(|node| {
                let role = node.accesskit_node_role();
                matches!(role, Role::TextInput | Role::PasswordInput | Role::MultilineTextInput)
            })
            .unwrap_or_else(|| panic!("no field {label}"))
    }

    /// Whether something with this label is there.
    pub fn shows(&self, label: &str) -> bool {
        self.0.query_all_by_label(label).next().is_some()
    }

    /// Whether something whose label contains this is there.
    pub fn shows_part(&self, part: &str) -> bool {
        self.0.query_all_by_label_contains(part).next().is_some()
    }

    /// Whether the control with this label can be used.
    pub fn enabled(&self, label: &str) -> bool {
        use egui_kittest::kittest::NodeT as _;
        !self.0.get_by_label(label).accesskit_node().is_disabled()
    }

    /// Presses a key.
    pub fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.0.key_press_modifiers(modifiers, key);
        self.settle();
    }
}

trait RoleOf {
    fn accesskit_node_role(&self) -> egui::accesskit::Role;
}

impl RoleOf for egui_kittest::Node<'_> {
    fn accesskit_node_role(&self) -> egui::accesskit::Role {
        use egui_kittest::kittest::NodeT as _;
        self.accesskit_node().role()
    }
}

fn pass(ui: &mut egui::Ui, state: &mut State) {
    let Some(window) = &mut state.window else {
        state.window = Some(Window::new(ui.ctx(), Renderer::Rgba, state.initial.clone()));
        return ui.ctx().request_repaint();
    };
    let whole = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
    let commands = ui
        .scope_builder(whole, |ui| {
            window.show(ui, &state.snapshot, state.video.as_ref(), &Curves, &state.speaking)
        })
        .inner;
    state.commands.extend(commands);
}
