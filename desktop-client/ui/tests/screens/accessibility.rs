//! The harness itself panics on an input without a name, each time the views come to rest; here every screen gets its turn, and the rest is checked.

use std::collections::BTreeMap;

use call_core::snapshot::{RoomConnection, Snapshot};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::fabricated;
use crate::stage::Stage;

fn screens() -> BTreeMap<&'static str, Snapshot> {
    let connection = |connection| {
        let mut snapshot = fabricated::busy_call();
        snapshot.room.as_mut().unwrap().connection = connection;
        snapshot
    };
    BTreeMap::from([
        ("start", fabricated::start()),
        ("rooms", fabricated::rooms()),
        ("preview", fabricated::preview()),
        ("call", fabricated::busy_call()),
        ("speaker", Snapshot { speaker_view: true, ..fabricated::busy_call() }),
        ("joining", connection(RoomConnection::Joining)),
        ("ended", connection(RoomConnection::Ended { message: "Over.".into() })),
        ("refused", connection(RoomConnection::Refused { message: "No.".into(), wants_password: true })),
    ])
}

#[test]
fn every_control_has_a_name_of_its_own() {
    for (name, snapshot) in screens() {
        let mut stage = Stage::new(snapshot);
        for open in ["New room…", "Devices…"] {
            if stage.shows(open) && stage.enabled(open) {
                stage.click(open);
            }
        }
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let controls =
            [Role::Button, Role::TextInput, Role::PasswordInput, Role::MultilineTextInput, Role::ComboBox];
        for node in stage.0.root().children_recursive() {
            let node = node.accesskit_node();
            if controls.contains(&node.role()) {
                let label = node.label().unwrap_or_default();
                assert!(!label.trim().is_empty(), "{name}: a {:?} without a name", node.role());
                *seen.entry(label).or_default() += 1;
            }
        }
        assert!(!seen.is_empty(), "{name}");
        seen.retain(|_, count| *count > 1);
        assert!(seen.is_empty(), "{name}: {seen:?}");
    }
}

#[test]
fn everything_can_be_reached_and_used_with_the_keyboard() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    let mut reached = Vec::new();
    for _ in 0..8 {
        stage.press(egui::Modifiers::NONE, egui::Key::Tab);
        let focused = stage.0.root().children_recursive().find(egui_kittest::Node::is_focused);
        reached.extend(focused.and_then(|node| node.accesskit_node().label()));
    }
    let bar = [
        "Turn microphone off",
        "Turn camera off",
        "Devices…",
        "Speaker view",
        "Chat",
        "Statistics",
        "Copy link",
        "Leave",
    ];
    assert_eq!(reached, bar);
    stage.commands();
    stage.press(egui::Modifiers::NONE, egui::Key::Space);
    assert_eq!(stage.commands(), [call_core::command::Command::Leave]);
}

#[test]
fn switches_tell_their_state() {
    let mut stage = Stage::new(fabricated::busy_call());
    let chat = || "Chat, 3 unread";
    let toggled = stage.0.get_by_label(chat()).accesskit_node().toggled();
    assert_eq!(toggled, Some(egui::accesskit::Toggled::False));
    stage.click(chat());
    let toggled = stage.0.query_all_by_label("Chat").find_map(|node| node.accesskit_node().toggled());
    assert_eq!(toggled, Some(egui::accesskit::Toggled::True));
}

#[test]
fn narrow_and_tiny_windows_still_have_every_button() {
    for size in [(420.0, 700.0), (360.0, 480.0), (1920.0, 1080.0)] {
        let stage = Stage::with(fabricated::busy_call(), Default::default(), size);
        for label in [
            "Turn microphone off",
            "Turn camera off",
            "Devices…",
            "Speaker view",
            "Chat, 3 unread",
            "Statistics",
            "Copy link",
            "Leave",
        ] {
            let rect = stage.0.get_by_label(label).rect();
            let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size.into());
            assert!(window.contains_rect(rect), "{label} in {size:?}: {rect}");
        }
    }
}

#[test]
fn a_window_without_room_does_no_harm() {
    for size in [(1.0, 1.0), (40.0, 30.0), (200.0, 60.0)] {
        for snapshot in screens().into_values() {
            Stage::with(snapshot, Default::default(), size);
        }
    }
}
