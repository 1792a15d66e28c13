use call_core::command::Command;
use egui::{Event, Key, Modifiers};

use crate::fabricated;
use crate::stage::Stage;

/// A call in which our microphone is off.
fn muted() -> Stage {
    let mut snapshot = fabricated::call(&["Ada"]);
    snapshot.devices.microphone.enabled = false;
    Stage::new(snapshot)
}

fn hold(stage: &mut Stage) {
    stage.0.key_down(Key::Space);
    stage.settle();
    // What the system repeats while a key is held.
    for _ in 0..5 {
        stage.0.key_down(Key::Space);
        stage.settle();
    }
}

fn release(stage: &mut Stage) {
    stage.0.key_up(Key::Space);
    stage.settle();
}

#[test]
fn holding_space_talks_once_until_it_is_let_go() {
    let mut stage = muted();
    hold(&mut stage);
    assert_eq!(stage.commands(), [Command::Talk(true)]);
    release(&mut stage);
    assert_eq!(stage.commands(), [Command::Talk(false)]);
    stage.say(|s| s.devices.microphone.enabled = true);
    hold(&mut stage);
    release(&mut stage);
    assert_eq!(stage.commands(), [], "it is on already");
}

#[test]
fn a_text_field_keeps_its_spaces_and_ends_the_talking() {
    let mut stage = muted();
    stage.press(Modifiers::COMMAND, Key::T);
    stage.type_into("Message", "a");
    hold(&mut stage);
    release(&mut stage);
    assert_eq!(stage.commands(), []);
    stage.press(Modifiers::COMMAND, Key::T);
    hold(&mut stage);
    assert_eq!(stage.commands(), [Command::Talk(true)]);
    stage.press(Modifiers::COMMAND, Key::T);
    stage.type_into("Message", "b");
    assert_eq!(stage.commands(), [Command::Talk(false)]);
}

#[test]
fn a_window_that_loses_the_focus_ends_it_and_does_not_begin_again_by_itself() {
    let mut stage = muted();
    hold(&mut stage);
    stage.0.input_mut().focused = false;
    stage.0.event(Event::WindowFocused(false));
    stage.settle();
    assert_eq!(stage.commands(), [Command::Talk(true), Command::Talk(false)]);
    stage.0.input_mut().focused = true;
    stage.0.event(Event::WindowFocused(true));
    // The key is still down: the system goes on repeating it.
    hold(&mut stage);
    assert_eq!(stage.commands(), []);
    release(&mut stage);
    hold(&mut stage);
    assert_eq!(stage.commands(), [Command::Talk(true)]);
}

#[test]
fn with_the_focus_on_the_microphone_space_talks_and_on_other_buttons_it_clicks_once() {
    let mut stage = muted();
    stage.press(Modifiers::NONE, Key::Tab);
    assert_eq!(stage.focused().as_deref(), Some("Turn microphone on"));
    hold(&mut stage);
    release(&mut stage);
    assert_eq!(stage.commands(), [Command::Talk(true), Command::Talk(false)]);
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [Command::SetMicrophone(true)]);
    stage.press(Modifiers::NONE, Key::Tab);
    hold(&mut stage);
    release(&mut stage);
    assert_eq!(stage.commands(), [Command::SetCamera(false)]);
}

#[test]
fn a_shortcut_that_is_held_down_switches_once() {
    let mut stage = muted();
    for _ in 0..5 {
        stage.0.key_down_modifiers(Modifiers::COMMAND, Key::E);
        stage.settle();
    }
    stage.0.key_up_modifiers(Modifiers::COMMAND, Key::E);
    stage.settle();
    assert_eq!(stage.commands(), [Command::SetCamera(false)]);
}

#[test]
fn the_window_says_that_one_talks_and_how_to() {
    for size in [(1200.0, 800.0), (420.0, 700.0)] {
        let mut snapshot = fabricated::call(&["Ada"]);
        snapshot.devices.microphone.enabled = false;
        let mut stage = Stage::with(snapshot, Default::default(), size);
        assert!(!stage.shows("Hold Space to talk"));
        stage.say(|s| s.devices.talking = true);
        assert!(stage.shows("Talking while you hold Space") && stage.shows("You"), "{size:?}");
        stage.say(|s| (s.devices.talking, s.devices.push_to_talk) = (false, true));
        assert!(stage.shows("Hold Space to talk") && stage.shows("You, microphone off"), "{size:?}");
        stage.say(|s| s.devices.microphone.enabled = true);
        assert!(!stage.shows("Hold Space to talk"));
    }
}

#[test]
fn push_to_talk_is_chosen_beside_the_devices() {
    let mut stage = Stage::new(fabricated::preview());
    stage.click("Push to talk");
    assert_eq!(stage.commands(), [Command::SetPushToTalk(true)]);
}
