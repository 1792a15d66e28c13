use call_core::command::{Command, DeviceKind};
use call_core::snapshot::{DeviceState, RoomConnection, SoundMode, VoiceProcessing};
use egui::{Key, Modifiers};

use crate::fabricated;
use crate::stage::Stage;

#[test]
fn the_screen_asks_for_the_devices_when_it_comes_up() {
    let mut snapshot = fabricated::rooms();
    let preview = fabricated::preview();
    snapshot.screen = call_core::snapshot::Screen::Start;
    let mut stage = Stage::new(snapshot);
    stage.say(|s| *s = preview);
    assert_eq!(stage.commands(), [Command::RefreshDevices]);
}

#[test]
fn joining_tells_a_changed_name_first() {
    let mut stage = Stage::new(fabricated::preview());
    stage.type_into("Your name", " the Admiral");
    stage.click("Join");
    let told = Command::SetDisplayName("Grace Hopper the Admiral".into());
    let commands = stage.commands();
    assert_eq!(commands.first(), Some(&told));
    assert_eq!(commands.last(), Some(&Command::Join { password: None }));
}

#[test]
fn enter_joins_and_an_unchanged_name_is_not_told() {
    let mut stage = Stage::new(fabricated::preview());
    stage.type_into("Your name", "");
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [Command::Join { password: None }]);
}

#[test]
fn a_wrong_password_is_said_beside_it_and_what_was_typed_stays() {
    let mut stage = Stage::new(fabricated::preview());
    assert!(!stage.shows("Password"));
    let refused =
        || RoomConnection::Refused { message: "The password is wrong.".into(), wants_password: true };
    stage.say(|s| s.room.as_mut().unwrap().connection = refused());
    stage.type_into("Password", "sesame");
    stage.click("Join");
    assert_eq!(stage.commands(), [Command::Join { password: Some("sesame".into()) }]);
    // The way into the call and back: the session shows the call's screen meanwhile.
    stage.say(|s| {
        s.screen = call_core::snapshot::Screen::Call;
        s.room.as_mut().unwrap().connection = RoomConnection::Joining;
    });
    stage.click("Cancel");
    assert_eq!(stage.commands(), [Command::Leave]);
    stage.say(|s| {
        s.screen = call_core::snapshot::Screen::Preview;
        s.room.as_mut().unwrap().connection = refused();
    });
    assert!(stage.shows("The password is wrong."));
    stage.commands();
    stage.click("Join");
    assert_eq!(stage.commands(), [Command::Join { password: Some("sesame".into()) }]);
}

#[test]
fn a_locked_room_of_the_list_asks_for_its_password_at_once() {
    let mut snapshot = fabricated::preview();
    snapshot.room.as_mut().unwrap().id = shared::RoomId::parse("board").unwrap();
    assert!(Stage::new(snapshot).shows("Password"));
}

#[test]
fn devices_are_switched_chosen_and_tried_again() {
    let mut stage = Stage::new(fabricated::preview());
    stage.click("Turn microphone off");
    stage.click("Turn camera off");
    assert_eq!(stage.commands(), [Command::SetMicrophone(false), Command::SetCamera(false)]);
    stage.say(|s| s.devices.camera.enabled = false);
    stage.click("Turn camera on");
    assert_eq!(stage.commands(), [Command::SetCamera(true)]);
    stage.click("Camera");
    stage.click("Desk camera 4K");
    let choose = Command::ChooseDevice { kind: DeviceKind::Camera, id: Some("cam-2".into()) };
    assert_eq!(stage.commands(), [choose]);
    stage.say(|s| {
        s.devices.microphone.state = DeviceState::Failed("The microphone is gone. Plug it in.".into());
    });
    assert!(stage.shows("The microphone is gone. Plug it in."));
    stage.click("Try again");
    assert_eq!(stage.commands(), [Command::RetryDevice(DeviceKind::Microphone)]);
    stage.click("Suppress noise");
    let voice = VoiceProcessing { noise_suppression: false, ..VoiceProcessing::default() };
    assert_eq!(stage.commands(), [Command::ProcessVoice(voice)]);
}

#[test]
fn music_is_chosen_and_is_not_processed() {
    let mut stage = Stage::new(fabricated::preview());
    stage.click("Music");
    let music = VoiceProcessing { mode: SoundMode::Music, ..VoiceProcessing::default() };
    assert_eq!(stage.commands(), [Command::ProcessVoice(music)]);
    stage.say(|s| s.devices.voice = music);
    stage.click("Suppress noise");
    assert_eq!(stage.commands(), [], "a switch that does not apply");
    stage.click("Voice");
    assert_eq!(stage.commands(), [Command::ProcessVoice(VoiceProcessing::default())]);
}

#[test]
fn there_is_a_way_back() {
    let mut stage = Stage::new(fabricated::preview());
    stage.click("Back to the rooms");
    assert_eq!(stage.commands(), [Command::BackToStart]);
}
