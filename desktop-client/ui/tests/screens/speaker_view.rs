use call_core::command::Command;
use call_core::control::ShownTile;
use call_ui::Speaking;
use egui::{Key, Modifiers, Rect};

use crate::fabricated::{self, peer_id};
use crate::stage::Stage;

const NAMES: [&str; 4] = ["Ada", "Alan", "Grace", "Katherine"];

/// The speaker view of a call with these people, in a window of this size.
fn stage_of(names: &[&str], size: (f32, f32)) -> Stage {
    let mut snapshot = fabricated::call(names);
    snapshot.speaker_view = true;
    Stage::with(snapshot, Default::default(), size)
}

fn stage() -> Stage {
    stage_of(&NAMES, (1200.0, 800.0))
}

fn floor(stage: &mut Stage, index: Option<usize>) {
    let floor = index.map(|index| peer_id(&format!("peer-{index}")));
    stage.hear(Speaking { floor, ..Speaking::default() });
}

fn rect(stage: &Stage, label: &str) -> Rect {
    use egui_kittest::kittest::Queryable as _;
    stage.0.get_by_label(label).rect()
}

/// The name of the one whose tile is by far the largest.
fn large(stage: &Stage) -> &'static str {
    let mut by_size = NAMES.map(|name| (rect(stage, name).area(), name));
    by_size.sort_by(|a, b| b.0.total_cmp(&a.0));
    assert!(by_size[0].0 > 4.0 * by_size[1].0, "{by_size:?}");
    by_size[0].1
}

#[test]
fn who_has_the_floor_is_large_and_stays_so_while_nobody_speaks() {
    let mut stage = stage();
    assert_eq!(large(&stage), "Ada");
    floor(&mut stage, Some(2));
    assert_eq!(large(&stage), "Grace");
    floor(&mut stage, None);
    assert_eq!(large(&stage), "Grace");
    stage.say(|s| {
        s.room.as_mut().unwrap().participants.remove(2);
    });
    assert!(stage.shows("You") && !stage.shows("Grace"));
    assert!(rect(&stage, "Ada").area() > 4.0 * rect(&stage, "You").area());
}

#[test]
fn a_click_pins_and_another_one_unpins() {
    let mut stage = stage();
    stage.click("Alan");
    assert_eq!(stage.commands(), [Command::Pin(Some(peer_id("peer-1")))]);
    stage.say(|s| s.room.as_mut().unwrap().pinned = Some(peer_id("peer-1")));
    floor(&mut stage, Some(3));
    assert_eq!(large(&stage), "Alan");
    stage.click("Alan");
    assert_eq!(stage.commands(), [Command::Pin(None)]);
    stage.say(|s| s.room.as_mut().unwrap().pinned = None);
    assert_eq!(large(&stage), "Katherine");
}

#[test]
fn the_keyboard_pins_too() {
    let mut stage = stage();
    for _ in 0..30 {
        if stage.focused().as_deref() == Some("Grace") {
            break;
        }
        stage.press(Modifiers::NONE, Key::Tab);
    }
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [Command::Pin(Some(peer_id("peer-2")))]);
}

#[test]
fn the_view_is_switched_in_the_toolbar_and_by_its_shortcut() {
    let mut stage = Stage::new(fabricated::call(&NAMES));
    stage.click("Speaker view");
    stage.press(Modifiers::COMMAND, Key::G);
    stage.say(|s| s.speaker_view = true);
    stage.press(Modifiers::COMMAND, Key::G);
    assert_eq!(stage.commands(), [true, true, false].map(Command::ShowSpeaker));
    stage.say(|s| s.speaker_view = false);
    stage.click("Alan");
    assert_eq!(stage.commands(), [], "in the grid nobody is pinned");
}

#[test]
fn everybody_is_told_how_large_they_are_shown() {
    let mut stage = stage();
    floor(&mut stage, Some(1));
    stage.shown();
    floor(&mut stage, Some(3));
    let shown = stage.shown();
    let of = |peer: &str| shown.iter().find(|(who, _)| who == peer).map(|(_, tile)| *tile);
    let (alan, katherine) = (of("peer-1").unwrap(), of("peer-3").unwrap());
    assert!(alan.visible && alan.width < 300 && katherine.visible && katherine.width > 800, "{shown:?}");
    assert_eq!((of("peer-0"), of("peer-2")), (None, None), "theirs are as large as before");
}

#[test]
fn who_is_scrolled_out_of_the_strip_is_told_that_nobody_sees_them() {
    let names: Vec<String> = (0..20).map(|n| format!("Person {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut snapshot = fabricated::call(&names);
    snapshot.speaker_view = true;
    let mut stage = Stage::with(fabricated::call(&["Ada"]), Default::default(), (420.0, 700.0));
    stage.say(|s| *s = snapshot);
    let shown = stage.shown();
    let visible =
        |peer: &str| shown.iter().rfind(|(who, _)| who == peer).is_some_and(|(_, tile)| tile.visible);
    assert!(visible("peer-0") && visible("peer-1"), "{shown:?}");
    let hidden = ShownTile { width: 0, height: 0, visible: false };
    assert!(shown.contains(&("peer-19".to_owned(), hidden)), "{shown:?}");
    assert!((0..20).filter(|n| visible(&format!("peer-{n}"))).count() < 6, "{shown:?}");
    // With the keyboard everybody can be reached, and is seen then.
    for _ in 0..80 {
        if stage.focused().as_deref() == Some("Person 19") {
            break;
        }
        stage.press(Modifiers::NONE, Key::Tab);
    }
    stage.settle();
    let shown = stage.shown();
    assert!(shown.iter().any(|(who, tile)| who == "peer-19" && tile.visible), "{shown:?}");
}

#[test]
fn with_one_other_we_are_in_the_corner_in_a_high_window_too() {
    let stage = stage_of(&["Ada"], (420.0, 700.0));
    assert!(rect(&stage, "Ada").contains_rect(rect(&stage, "You")));
}
