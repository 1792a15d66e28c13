use call_core::command::Command;
use call_core::volume::{Hearing, Volume};
use egui::{Key, Modifiers};

use crate::fabricated::{self, peer_id};
use crate::stage::Stage;

fn hear(hearing: Hearing) -> Command {
    Command::Hear { peer: peer_id("peer-0"), hearing }
}

fn percent(percent: f32) -> Volume {
    Volume::from_percent(percent).unwrap()
}

fn set(stage: &mut Stage, hearing: Hearing) {
    stage.say(|s| s.room.as_mut().unwrap().participants[0].hearing = hearing);
}

#[test]
fn a_person_is_made_louder_with_the_keyboard_alone() {
    let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
    for _ in 0..20 {
        if stage.focused().as_deref() == Some("Volume of Ada") {
            break;
        }
        stage.press(Modifiers::NONE, Key::Tab);
    }
    assert_eq!(stage.focused().as_deref(), Some("Volume of Ada"));
    stage.press(Modifiers::NONE, Key::Enter);
    assert!(stage.shows("Mute Ada for me"));
    stage.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(stage.commands(), [hear(Hearing::at(percent(105.0)))]);
    stage.press(Modifiers::NONE, Key::Escape);
    assert!(!stage.shows("Mute Ada for me"));
}

#[test]
fn the_popover_is_opened_and_closed_with_the_pointer() {
    let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
    stage.click("Volume of Ada");
    assert!(stage.shows("Mute Ada for me") && !stage.shows("Mute Alan for me"));
    stage.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(stage.commands(), [hear(Hearing::at(percent(95.0)))]);
    stage.click("Mute Ada for me");
    assert_eq!(stage.commands(), [hear(Hearing { silenced: true, ..Hearing::default() })]);
    stage.click("Volume of Ada");
    assert!(!stage.shows("Mute Ada for me"));
    stage.click_secondary("Alan");
    assert!(stage.shows("Mute Alan for me"));
}

#[test]
fn the_tile_shows_what_was_changed() {
    let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
    set(&mut stage, Hearing::at(percent(150.0)));
    assert!(stage.shows("Ada, volume 150 %") && stage.shows("Alan"));
    set(&mut stage, Hearing { silenced: true, ..Hearing::at(percent(150.0)) });
    assert!(stage.shows("Ada, muted for you"));
    stage.click("Volume of Ada");
    stage.click("Unmute Ada for me");
    assert_eq!(stage.commands(), [hear(Hearing::at(percent(150.0)))]);
    set(&mut stage, Hearing::default());
    assert!(stage.shows("Ada"));
}

#[test]
fn an_open_panel_stays_when_escape_closes_the_popover() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.click("Statistics");
    stage.click("Volume of Ada");
    stage.press(Modifiers::NONE, Key::Escape);
    assert!(!stage.shows("Mute Ada for me") && stage.shows("Close statistics"));
    stage.press(Modifiers::NONE, Key::Escape);
    assert!(!stage.shows("Close statistics"));
}
