//! Names and lines that other people's programs can send.

use call_core::snapshot::Snapshot;
use egui::{Key, Modifiers};

use crate::fabricated::{self, peer_id};
use crate::stage::Stage;

const STRANGE: [&str; 14] = [
    "",
    "\u{202E}gnp.exe\u{202C}",
    "a\u{0}b\u{7}c\r\u{1b}[31m",
    "Z\u{0335}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}",
    "דנה כהן-לוי (צוות 3)",
    "عبد الرحمن لا إله إلّا",
    "می\u{200C}خواهم",
    "Ada דנה عبد 王 한국어 ไทย हिन्दी",
    "王小明はるかぜ한국어이름",
    "👩\u{200D}👩\u{200D}👧\u{200D}👦🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}🇩🇪",
    "\u{10FFFF}\u{E000}\u{FDD0}\u{1F9FF}\u{FFFD}",
    "\u{FDFA}\u{FDFA}\u{FDFA}",
    "ﬃ ŉ ǆ İ ß",
    "\u{0301}\u{200D}\u{05B0}",
];

fn with_names(names: &[&str]) -> Snapshot {
    let mut snapshot = fabricated::call(names);
    let room = snapshot.room.as_mut().unwrap();
    let from = peer_id("peer-0");
    room.chat = names.iter().map(|name| fabricated::chat(Some(&from), name, name)).collect();
    room.chat.extend(names.iter().map(|name| fabricated::chat(Some(&from), "x", &name.repeat(60))));
    snapshot
}

/// Fonts for private and unassigned characters do not exist: boxes are right there.
fn stage(snapshot: Snapshot, size: (f32, f32)) -> Stage {
    let stage = Stage::with(snapshot, Default::default(), size);
    stage.0.root();
    stage
}

#[test]
fn overrides_and_controls_are_gone_from_what_is_shown_and_read_out() {
    let stage = stage(with_names(&["\u{202E}ecilA\u{7}"]), (1200.0, 800.0));
    assert!(stage.shows("ecilA"));
    assert!(!stage.shows_part("\u{202E}"));
}

#[test]
fn every_script_is_laid_out_in_every_width() {
    for size in [(1200.0, 800.0), (420.0, 700.0), (300.0, 300.0)] {
        let mut stage = stage(with_names(&STRANGE), size);
        stage.press(Modifiers::COMMAND, Key::T);
        stage.settle();
    }
}

#[test]
fn a_hebrew_name_is_read_out_in_its_logical_order() {
    let stage = stage(with_names(&["דנה כהן"]), (1200.0, 800.0));
    assert!(stage.shows("דנה כהן"));
}

#[test]
fn huge_names_and_lines_cost_no_more_than_large_ones() {
    let huge = "W\u{05D0} ".repeat(100_000);
    let mut snapshot = with_names(&["x"]);
    let room = snapshot.room.as_mut().unwrap();
    room.participants[0].display_name.clone_from(&huge);
    room.chat.push(fabricated::chat(Some(&peer_id("peer-0")), &huge, &huge));
    let mut stage = stage(snapshot, (1200.0, 800.0));
    stage.press(Modifiers::COMMAND, Key::T);
    stage.settle();
}

#[test]
fn right_to_left_text_can_be_typed_edited_and_sent() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.press(Modifiers::COMMAND, Key::T);
    for text in STRANGE {
        stage.type_into("Message", text);
        for key in [
            Key::ArrowLeft,
            Key::ArrowLeft,
            Key::Home,
            Key::ArrowRight,
            Key::Backspace,
            Key::End,
            Key::Backspace,
        ] {
            stage.press(Modifiers::NONE, key);
        }
        stage.press(Modifiers::SHIFT, Key::Home);
        stage.press(Modifiers::NONE, Key::Delete);
    }
}
