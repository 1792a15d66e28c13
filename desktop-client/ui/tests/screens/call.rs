use call_core::command::{Command, DeviceKind};
use call_core::link::ConnectionState;
use call_core::snapshot::{DeviceState, Notice, NoticeLevel, RoomConnection, TrustPrompt};
use egui::{Key, Modifiers, OutputCommand};

use crate::fabricated;
use crate::stage::Stage;

#[test]
fn the_toolbar_switches_devices_and_leaves() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.click("Turn microphone off");
    stage.click("Turn camera off");
    stage.click("Leave");
    assert_eq!(stage.commands(), [Command::SetMicrophone(false), Command::SetCamera(false), Command::Leave]);
}

#[test]
fn shortcuts_do_the_same() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.press(Modifiers::COMMAND, Key::D);
    stage.press(Modifiers::COMMAND, Key::E);
    assert_eq!(stage.commands(), [Command::SetMicrophone(false), Command::SetCamera(false)]);
    stage.press(Modifiers::COMMAND, Key::T);
    assert!(stage.shows("Message"));
    stage.press(Modifiers::NONE, Key::Escape);
    assert!(!stage.shows("Message"));
    stage.press(Modifiers::COMMAND, Key::I);
    assert!(stage.shows("Available to send: 2200 kbit/s"));
    stage.press(Modifiers::COMMAND, Key::I);
    assert!(!stage.shows_part("Available to send"));
}

#[test]
fn the_link_is_copied_and_the_window_says_so_for_a_moment() {
    let mut stage = Stage::new(fabricated::call(&[]));
    stage.0.get_by_label_and_click("Copy link");
    let mut copied = None;
    for _ in 0..3 {
        stage.0.step();
        copied =
            copied.or(stage.0.output().platform_output.commands.iter().find_map(|command| match command {
                OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            }));
    }
    assert_eq!(copied.as_deref(), Some("https://meet.example.org/room.html?id=stand-up"));
    assert!(stage.shows("Copied"));
    // A step of the harness is a quarter of a second.
    stage.0.run_steps(12);
    assert!(!stage.shows("Copied"));
    assert!(stage.shows("Copy link"));
}

#[test]
fn tiles_tell_who_is_muted_and_how_links_stand() {
    let mut stage = Stage::new(fabricated::busy_call());
    assert!(stage.shows("Ada Lovelace"));
    assert!(stage.shows("Alan Turing, microphone off, camera off"));
    assert!(stage.shows("Katherine Johnson, Connecting…"));
    assert!(stage.shows_part("the Third, Connection failed"));
    assert!(stage.shows("You"));
    stage.say(|s| {
        s.devices.microphone.enabled = false;
        s.room.as_mut().unwrap().participants[0].connection = ConnectionState::Disconnected;
    });
    assert!(stage.shows("You, microphone off"));
    assert!(stage.shows("Ada Lovelace, Reconnecting…"));
}

#[test]
fn whoever_is_alone_is_told_how_to_invite() {
    let mut stage = Stage::new(fabricated::call(&[]));
    assert!(stage.shows("You are the only one here"));
    stage.say(|s| s.room.as_mut().unwrap().participants.push(fabricated::participant(0, "Ada")));
    assert!(!stage.shows("You are the only one here"));
}

#[test]
fn a_lost_server_is_said_while_the_call_goes_on() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.say(|s| s.room.as_mut().unwrap().connection = RoomConnection::Reconnecting { attempt: 2 });
    assert!(stage.shows_part("trying again (attempt 2)"));
    assert!(stage.shows("Ada"));
    assert!(stage.shows("Turn microphone off"));
}

#[test]
fn a_failed_device_is_said_and_can_be_tried_again() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.say(|s| {
        s.devices.camera.state = DeviceState::Failed("The camera is in use. Close the other program.".into());
    });
    assert!(stage.shows("The camera is in use. Close the other program."));
    stage.click("Try again");
    assert_eq!(stage.commands(), [Command::RetryDevice(DeviceKind::Camera)]);
    stage.say(|s| s.devices.camera.enabled = false);
    assert!(!stage.shows("Try again"), "nobody misses a camera that is off");
}

#[test]
fn devices_are_chosen_during_the_call() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.click("Devices…");
    assert_eq!(stage.commands(), [Command::RefreshDevices]);
    stage.click("Speaker");
    stage.click("Headphones");
    let choose = Command::ChooseDevice { kind: DeviceKind::Speaker, id: Some("out-1".into()) };
    assert_eq!(stage.commands(), [choose]);
}

#[test]
fn the_end_of_a_call_says_why_and_leads_on() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    let message = "The room was deleted.".to_owned();
    stage.say(|s| s.room.as_mut().unwrap().connection = RoomConnection::Ended { message });
    assert!(stage.shows("The room was deleted."));
    stage.click("Join again");
    stage.click("Back to the rooms");
    let room = shared::RoomId::parse("stand-up").unwrap();
    assert_eq!(stage.commands(), [Command::OpenPreview(room), Command::BackToStart]);
}

#[test]
fn notices_are_closed_one_by_one() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    let notice = |id| Notice { id, level: NoticeLevel::Info, text: format!("Notice {id}") };
    stage.say(|s| s.notices = (1..=5).map(notice).collect());
    assert!(stage.shows("Notice 3") && !stage.shows("Notice 4"));
    assert!(stage.shows("2 more"));
    stage.say(|s| s.notices = vec![notice(9)]);
    stage.click("Close message");
    assert_eq!(stage.commands(), [Command::DismissNotice(9)]);
}

#[test]
fn a_certificate_is_trusted_or_not_and_nothing_else_closes_the_question() {
    let mut snapshot = fabricated::rooms();
    snapshot.trust = Some(TrustPrompt { host: "h:3000".into(), fingerprint: "AA:BB".into(), changed: false });
    let mut stage = Stage::new(snapshot);
    stage.press(Modifiers::NONE, Key::Escape);
    assert_eq!(stage.commands(), []);
    assert!(stage.shows("AA:BB"));
    stage.click("Trust this server");
    stage.click("Do not connect");
    assert_eq!(stage.commands(), [Command::TrustCertificate, Command::RejectCertificate]);
    stage.say(|s| s.trust.as_mut().unwrap().changed = true);
    assert!(stage.shows_part("somebody is between you and it"));
}

trait Click {
    fn get_by_label_and_click(&self, label: &str);
}

impl Click for egui_kittest::Harness<'_, crate::stage::State> {
    fn get_by_label_and_click(&self, label: &str) {
        use egui_kittest::kittest::Queryable as _;
        self.get_by_label(label).click_accesskit();
    }
}
