//! What bounds the cost of one connection and of all together.

#![cfg(test)]

mod support;

use std::time::Duration;

use shared::codes;
use shared::events::ClientEventError;
use signal_core::{Input, LobbyConfig, Rate, RateLimits};
use support::{World, id};

fn limited(limits: RateLimits) -> LobbyConfig {
    LobbyConfig { limits, ..LobbyConfig::default() }
}

#[test]
fn ten_thousand_candidates_in_a_burst_all_pass() {
    let mut world = World::with_peers(LobbyConfig::default(), &["ada", "bo"]);
    world.join("ada", "r", None, None);
    world.join("bo", "r", None, None);
    for number in 0..10_000 {
        let lines = world.signal("ada", "bo", &number.to_string(), None);
        assert_eq!(lines, [format!(r#"bo < signal {{"from":"ada","data":{number}}}"#)]);
    }
}

#[test]
fn a_flood_is_refused_to_its_sender_alone_and_ends_when_it_slows_down() {
    let limits = RateLimits { events: Rate::new(5, 1), ..RateLimits::default() };
    let mut world = World::with_peers(limited(limits), &["ada", "bo"]);
    world.join("ada", "r", None, None);
    world.join("bo", "r", None, None);
    for _ in 0..4 {
        assert!(world.signal("ada", "bo", "1", None)[0].starts_with("bo < signal"));
    }
    let refused = world.signal("ada", "bo", "1", None);
    assert_eq!(refused.len(), 1);
    assert!(refused[0].starts_with(r#"ada < signal-error {"to":"bo","code":"rate-limited""#), "{refused:?}");
    assert!(world.signal("bo", "ada", "1", None)[0].starts_with("ada < signal"));
    world.advance(Duration::from_secs(1));
    assert!(world.signal("ada", "bo", "1", None)[0].starts_with("bo < signal"));
}

#[test]
fn large_signals_count_by_their_size() {
    let limits = RateLimits { signal_kib: Rate::new(1_000, 1), ..RateLimits::default() };
    let mut world = World::with_peers(limited(limits), &["ada", "bo"]);
    world.join("ada", "r", None, None);
    world.join("bo", "r", None, None);
    let data = format!("{:?}", "x".repeat(600 * 1024));
    assert!(world.signal("ada", "bo", &data, None)[0].starts_with("bo < signal"));
    assert!(world.signal("ada", "bo", &data, None)[0].contains(codes::RATE_LIMITED));
    assert!(world.signal("ada", "bo", "1", None)[0].starts_with("bo < signal"));
}

#[test]
fn hopping_between_rooms_is_limited() {
    let limits = RateLimits { joins: Rate::new(2, 1), ..RateLimits::default() };
    let mut world = World::with_peers(limited(limits), &["ada"]);
    world.join("ada", "r1", None, Some(1));
    world.join("ada", "r2", None, Some(2));
    assert_eq!(world.join("ada", "r3", None, Some(3)), ["ada # 3 refused rate-limited"]);
    assert_eq!(world.lobby.rooms()[0].id.as_str(), "r2");
    world.advance(Duration::from_secs(1));
    assert!(world.join("ada", "r3", None, Some(4)).last().unwrap().starts_with("ada # 4 {\"ok\":true"));
}

#[test]
fn guessing_a_password_ends_early_even_for_the_right_guess() {
    let mut world = World::with_peers(LobbyConfig::default(), &["ada", "bo"]);
    world.create(Some("r"), None, Some("secret")).unwrap();
    for _ in 0..10 {
        assert_eq!(world.join("ada", "r", Some("guess"), Some(1)), ["ada # 1 refused wrong-password"]);
    }
    assert_eq!(world.join("ada", "r", Some("guess"), Some(1)), ["ada # 1 refused rate-limited"]);
    assert_eq!(world.join("ada", "r", Some("secret"), Some(1)), ["ada # 1 refused rate-limited"]);
    assert_eq!(world.join("bo", "r", Some("secret"), None).len(), 1, "others are not held up");
    world.advance(Duration::from_secs(5));
    assert!(world.join("ada", "r", Some("secret"), Some(2)).last().unwrap().starts_with("ada # 2 {"));
}

#[test]
fn endless_nonsense_costs_the_connection() {
    let limits = RateLimits { refusals: Rate::new(3, 1), ..RateLimits::default() };
    let mut world = World::with_peers(limited(limits), &["ada", "bo"]);
    world.join("ada", "r", None, None);
    world.join("bo", "r", None, None);
    let nonsense = |world: &mut World| {
        let error = ClientEventError::UnknownEvent("shout".into());
        world.handle(Input::Invalid { peer: id("ada"), error, ack: None })
    };
    for _ in 0..3 {
        assert_eq!(nonsense(&mut world), ["ada < error shout unknown-event"]);
    }
    let last = nonsense(&mut world);
    assert_eq!(last, [r#"bo < peer-left {"peerId":"ada","reason":"disconnected"}"#, "ada disconnect"]);
    assert_eq!(nonsense(&mut world), Vec::<String>::new());
    assert_eq!(world.disconnect("ada"), Vec::<String>::new());
}

#[test]
fn a_full_queue_is_reported_to_the_sender_alone() {
    let mut world = World::with_peers(LobbyConfig::default(), &["ada", "bo"]);
    world.join("ada", "r", None, None);
    world.join("bo", "r", None, None);
    let full = |ack| Input::Undeliverable { peer: id("ada"), to: id("bo"), ack };
    assert_eq!(world.handle(full(Some(9))), ["ada # 9 refused peer-busy"]);
    let event = world.handle(full(None));
    assert!(event[0].starts_with(r#"ada < signal-error {"to":"bo","code":"peer-busy""#), "{event:?}");
    world.disconnect("ada");
    assert_eq!(world.handle(full(None)), Vec::<String>::new());
}

#[test]
fn a_connection_above_the_limit_is_closed_and_disturbs_nobody() {
    let config = LobbyConfig { max_peers: 1, ..LobbyConfig::default() };
    let mut world = World::with_peers(config, &["ada"]);
    assert_eq!(world.handle(Input::Connected { peer: id("bo") }), ["bo disconnect"]);
    assert_eq!(world.join("bo", "r", None, Some(1)), Vec::<String>::new());
    world.disconnect("bo");
    world.disconnect("ada");
    assert_eq!(world.handle(Input::Connected { peer: id("bo") }), Vec::<String>::new());
}

#[test]
fn made_ids_are_valid_readable_and_never_the_same() {
    let mut world = World::new(LobbyConfig::default());
    let mut ids: Vec<String> = (0..200).map(|_| world.create(None, None, None).unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 14 && id.matches('-').count() == 2), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
}
