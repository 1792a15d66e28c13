use call_core::command::Command;
use call_core::snapshot::RoomConnection;
use egui::{Key, Modifiers};

use crate::fabricated::{self, peer_id};
use crate::stage::Stage;

fn open_chat() -> Stage {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.press(Modifiers::COMMAND, Key::T);
    stage
}

#[test]
fn enter_sends_and_shift_enter_makes_a_new_line() {
    let mut stage = open_chat();
    assert!(!stage.enabled("Send"));
    stage.type_into("Message", "Grüße 🎉");
    stage.press(Modifiers::SHIFT, Key::Enter);
    stage.type_into("Message", "second");
    assert_eq!(stage.commands(), []);
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [Command::SendChat("Grüße 🎉\nsecond".into())]);
    assert_eq!(stage.typed("Message"), "");
    stage.press(Modifiers::NONE, Key::Enter);
    assert_eq!(stage.commands(), [], "nothing is not sent");
}

#[test]
fn the_button_sends_too_and_the_field_keeps_the_focus() {
    let mut stage = open_chat();
    stage.type_into("Message", "one");
    stage.click("Send");
    assert_eq!(stage.commands(), [Command::SendChat("one".into())]);
    stage.0.event(egui::Event::Text("two".into()));
    stage.settle();
    assert_eq!(stage.typed("Message"), "two");
}

#[test]
fn typed_text_survives_a_closed_panel_and_a_lost_server() {
    let mut stage = open_chat();
    stage.type_into("Message", "not sent yet");
    stage.click("Close chat");
    stage.say(|s| s.room.as_mut().unwrap().connection = RoomConnection::Reconnecting { attempt: 1 });
    stage.press(Modifiers::COMMAND, Key::T);
    assert_eq!(stage.typed("Message"), "not sent yet");
    stage.click("Send");
    assert_eq!(stage.commands(), [Command::SendChat("not sent yet".into())], "lines need no server");
}

#[test]
fn unread_lines_are_counted_until_the_chat_is_opened() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    let ada = peer_id("peer-0");
    stage.say(|s| {
        let chat = &mut s.room.as_mut().unwrap().chat;
        chat.push(fabricated::chat(Some(&ada), "Ada", "one"));
        chat.push(fabricated::chat(None, "Grace", "mine"));
        chat.push(fabricated::chat(Some(&ada), "Ada", "two"));
    });
    stage.click("Chat, 2 unread");
    assert!(stage.shows("one") && stage.shows("two"));
    stage.click("Close chat");
    assert!(stage.shows("Chat"));
}

#[test]
fn a_line_that_did_not_reach_everybody_says_so() {
    let mut stage = Stage::new(fabricated::busy_call());
    stage.click("Chat, 3 unread");
    assert!(stage.shows("One person did not get this."));
}

#[test]
fn the_newest_line_is_in_sight() {
    let mut stage = open_chat();
    let ada = peer_id("peer-0");
    stage.say(|s| {
        let line = |n: usize| fabricated::chat(Some(&ada), "Ada", &format!("line {n}"));
        s.room.as_mut().unwrap().chat = (0..500).map(line).collect();
    });
    stage.settle();
    use egui_kittest::kittest::Queryable as _;
    let newest = stage.0.get_by_label("line 499").rect();
    assert!(newest.bottom() < 800.0 && newest.top() > 100.0, "{newest}");
}
