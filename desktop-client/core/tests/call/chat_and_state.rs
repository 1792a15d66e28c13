//! Chat lines, and what people see of each other's microphone and camera.

use call_core::command::{Command, DeviceKind};
use call_core::link::{Channel, LinkEvent};
use call_core::session::{Input, MediaFact};
use call_core::snapshot::NoticeLevel;

use crate::sim::World;

fn texts(world: &World, client: usize) -> Vec<String> {
    world
        .snapshot(client)
        .room
        .unwrap()
        .chat
        .into_iter()
        .map(|line| format!("{}: {}", line.name, line.text))
        .collect()
}

/// A message on a data channel from the first of the others.
fn message(world: &mut World, client: usize, channel: Channel, text: &str) {
    let link = world.clients[client].orders[0].0.clone();
    let event = LinkEvent::Message { channel, text: text.to_owned() };
    world.give(client, Input::Link { link, event });
}

#[test]
fn a_line_arrives_whole_at_everybody() {
    let mut world = World::call(1, &["Ada", "Bob", "Cleo"]);
    let line = "日本語 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 مرحبا\n<b>&amp;</b>";
    world.command(0, Command::SendChat(line.to_owned()));
    world.run(1_000);
    for client in 0..3 {
        assert_eq!(texts(&world, client), [format!("Ada: {line}")]);
    }
    assert_eq!(world.snapshot(0).room.unwrap().chat[0].undelivered, 0);
    assert_eq!(world.snapshot(0).room.unwrap().chat[0].from, None);
}

#[test]
fn people_whom_a_line_cannot_reach_are_counted() {
    let mut world = World::call(2, &["Ada", "Bob"]);
    world.cut.extend([(0, 2), (1, 2)]);
    world.join("Cleo");
    world.run(20_000);
    world.command(0, Command::SendChat("hello".into()));
    assert_eq!(world.snapshot(0).room.unwrap().chat[0].undelivered, 1);
}

#[test]
fn a_line_that_is_too_long_is_refused_with_a_reason() {
    let mut world = World::call(3, &["Ada", "Bob"]);
    world.command(0, Command::SendChat("ä".repeat(10_000)));
    world.command(0, Command::SendChat(" \n ".into()));
    assert!(texts(&world, 0).is_empty());
    let notices = world.snapshot(0).notices;
    assert!(notices.len() == 1 && notices[0].level == NoticeLevel::Warning, "{notices:?}");
    world.command(0, Command::DismissNotice(notices[0].id));
    assert!(world.snapshot(0).notices.is_empty());
}

#[test]
fn switches_are_seen_by_the_others() {
    let mut world = World::call(4, &["Ada", "Bob", "Cleo"]);
    assert!(world.participants(1).iter().all(|p| p.microphone == Some(true) && p.camera == Some(true)));
    world.command(0, Command::SetMicrophone(false));
    world.command(0, Command::SetCamera(false));
    world.run(1_000);
    for client in [1, 2] {
        let ada = world.participants(client).into_iter().find(|p| p.display_name == "Ada").unwrap();
        assert_eq!((ada.microphone, ada.camera), (Some(false), Some(false)));
    }
    // Who comes later is told as well.
    let late = world.join("Dora");
    world.run(20_000);
    let ada = world.participants(late).into_iter().find(|p| p.display_name == "Ada").unwrap();
    assert_eq!((ada.microphone, ada.camera), (Some(false), Some(false)));
}

#[test]
fn a_camera_that_fails_is_off_for_the_others_and_stays_wanted() {
    let mut world = World::call(5, &["Ada", "Bob"]);
    let message = "The camera “C920” was unplugged. Plug it in and press Retry.".to_owned();
    world.give(0, Input::Media(MediaFact::Lost { kind: DeviceKind::Camera, message }));
    world.run(1_000);
    assert_eq!(world.participants(1)[0].camera, Some(false));
    assert!(world.snapshot(0).devices.camera.enabled);
    world.command(0, Command::RetryDevice(DeviceKind::Camera));
    world.give(0, Input::Media(MediaFact::Opened(DeviceKind::Camera)));
    world.run(1_000);
    assert_eq!(world.participants(1)[0].camera, Some(true));
}

#[test]
fn malformed_control_messages_and_floods_of_chat_change_nothing_else() {
    let mut world = World::call(6, &["Ada", "Bob"]);
    let before = world.participants(0);
    let huge = "[".repeat(100_000);
    for text in
        ["", "null", "{}", r#"{"v":9,"kind":"state"}"#, r#"{"v":1,"kind":"state","microphone":0}"#, &huge]
    {
        message(&mut world, 0, Channel::Control, text);
    }
    assert_eq!(world.participants(0), before);
    for n in 0..5_000 {
        message(&mut world, 0, Channel::Chat, &format!("{n} \u{202E}{}", "x".repeat(2_000)));
    }
    let chat = world.snapshot(0).room.unwrap().chat;
    assert!(chat.iter().map(|line| line.text.len()).sum::<usize>() <= 256 * 1024);
    assert!(chat.last().unwrap().text.starts_with("4999 x"));
    let link = world.clients[0].orders[0].0.clone();
    for _ in 0..100 {
        let event = LinkEvent::MessageDropped { channel: Channel::Chat, bytes: 10_000_000 };
        world.give(0, Input::Link { link: link.clone(), event });
    }
    assert_eq!(world.snapshot(0).notices.len(), 1);
    world.run(30_000);
    world.assert_all_connected();
}
