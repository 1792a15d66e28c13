use shared::events::{JoinRoom, Joined};
use shared::{DisplayName, RoomId};

use super::*;

/// A core and its virtual clock.
struct Rig {
    core: Signaling,
    now: Instant,
}

const OPEN: &str =
    r#"0{"sid":"secret","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

fn join_room(name: &str) -> SignalingInput {
    SignalingInput::Emit(ClientEvent::JoinRoom(JoinRoom {
        room_id: RoomId::parse("daily").unwrap(),
        display_name: DisplayName::sanitize(name),
        password: Some("pw".into()),
        caps: vec!["control".into()],
    }))
}

fn signal(to: &str) -> SignalingInput {
    let data = RawValue::from_string(r#"{ "x": 1 }"#.into()).unwrap();
    SignalingInput::Emit(ClientEvent::Signal { to: PeerId::parse(to).unwrap(), data })
}

impl Rig {
    fn new(seed: u64) -> Self {
        Self { core: Signaling::new(seed), now: crate::test_time::start() }
    }

    fn give(&mut self, input: SignalingInput) -> Vec<SignalingOutput> {
        self.core.handle(input, self.now);
        self.drain()
    }

    fn text(&mut self, text: &str) -> Vec<SignalingOutput> {
        self.give(SignalingInput::Text(text.into()))
    }

    fn drain(&mut self) -> Vec<SignalingOutput> {
        std::iter::from_fn(|| self.core.poll_output()).collect()
    }

    /// Jumps to the next timer.
    fn wait(&mut self) -> (Duration, Vec<SignalingOutput>) {
        let at = self.core.poll_timeout().expect("a timer");
        let waited = at - self.now;
        self.now = at;
        self.core.handle_timeout(at);
        (waited, self.drain())
    }

    /// From the dial to CONNECT being confirmed.
    fn connect(&mut self, id: &str) -> Vec<SignalingOutput> {
        assert!(self.give(SignalingInput::Opened).is_empty());
        assert_eq!(sent(&self.text(OPEN)), ["40"]);
        self.text(&format!(r#"40{{"sid":"{id}"}}"#))
    }

    /// In the room.
    fn joined(seed: u64) -> Self {
        let mut rig = Self::new(seed);
        rig.give(SignalingInput::Start("http://h:3000".into()));
        rig.give(join_room("Ada"));
        rig.connect("me");
        let news = rig.text(r#"431[{"ok":true,"peerId":"me","peers":[]}]"#);
        assert!(matches!(
            &news[..],
            [SignalingOutput::Event(SignalingEvent::JoinAnswered(JoinAnswer::Joined(_)))]
        ));
        rig
    }

    fn lose(&mut self) -> (Duration, u32) {
        let out = self.give(SignalingInput::TransportClosed { reason: "reset".into() });
        lost(&out, self.now).expect("lost")
    }
}

fn sent(out: &[SignalingOutput]) -> Vec<&str> {
    out.iter()
        .filter_map(
            |output| if let SignalingOutput::Send(text) = output { Some(text.as_str()) } else { None },
        )
        .collect()
}

fn lost(out: &[SignalingOutput], now: Instant) -> Option<(Duration, u32)> {
    out.iter().find_map(|output| match output {
        SignalingOutput::Event(SignalingEvent::Lost { attempt, retry_at, .. }) => {
            Some((*retry_at - now, *attempt))
        }
        _ => None,
    })
}

fn dialed(out: &[SignalingOutput]) -> bool {
    out.iter().any(|output| matches!(output, SignalingOutput::Dial { .. }))
}

#[test]
fn joins_once_connected_and_hears_events_in_order() {
    let mut rig = Rig::new(1);
    let out = rig.give(SignalingInput::Start("https://h".into()));
    assert!(
        matches!(&out[..], [SignalingOutput::Dial { url }] if url == "wss://h/socket.io/?EIO=4&transport=websocket")
    );
    assert!(rig.give(join_room("Ada")).is_empty());
    let out = rig.connect("me");
    assert!(
        matches!(&out[0], SignalingOutput::Event(SignalingEvent::Connected { peer_id }) if peer_id.as_str() == "me")
    );
    assert_eq!(
        sent(&out),
        [r#"421["join-room",{"roomId":"daily","displayName":"Ada","password":"pw","caps":["control"]}]"#]
    );
    let out = rig.text(r#"42["peers",{"peers":["a"]}]"#);
    assert!(matches!(&out[..], [SignalingOutput::Event(SignalingEvent::Event(ServerEvent::Peers { .. }))]));
    let out = rig.text(r#"431[{"ok":true,"peerId":"me","peers":["a"]}]"#);
    let [SignalingOutput::Event(SignalingEvent::JoinAnswered(JoinAnswer::Joined(Joined { peers, .. })))] =
        &out[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!(peers[0].as_str(), "a");
    assert_eq!(sent(&rig.give(signal("a"))), [r#"42["signal",{"to":"a","data":{ "x": 1 }}]"#]);
}

#[test]
fn pings_are_answered_and_silence_ends_the_connection() {
    let mut rig = Rig::joined(1);
    rig.wait(); // The connection counts as good.
    rig.now += Duration::from_secs(22);
    assert_eq!(sent(&rig.text("2")), ["3"]);
    assert_eq!(sent(&rig.text("2probe")), ["3probe"]);
    let (waited, out) = rig.wait();
    assert_eq!(waited, Duration::from_secs(45));
    assert!(matches!(out[0], SignalingOutput::CloseTransport));
    assert!(lost(&out, rig.now).is_some());
}

#[test]
fn comes_back_fast_then_slower_and_never_gives_up() {
    let mut rig = Rig::joined(3);
    rig.wait();
    let (wait, attempt) = rig.lose();
    assert_eq!(attempt, 1);
    assert!((300..800).contains(&wait.as_millis()), "{wait:?}");
    for expected in 2..50 {
        assert!(dialed(&rig.wait().1));
        let (wait, attempt) = rig.lose();
        assert_eq!(attempt, expected);
        assert!(wait < Duration::from_secs(10));
        assert!(expected < 6 || wait > Duration::from_secs(4), "{wait:?}");
    }
}

#[test]
fn a_server_that_drops_everybody_at_once_is_not_hammered() {
    let mut rig = Rig::joined(3);
    let mut total = Duration::ZERO;
    for n in 0..10 {
        total += rig.lose().0;
        rig.wait();
        rig.connect(&format!("me{n}"));
    }
    assert!(total > Duration::from_secs(30), "{total:?}");
}

#[test]
fn joins_again_with_the_same_name_and_password_under_a_new_id() {
    let mut rig = Rig::joined(5);
    rig.lose();
    assert!(sent(&rig.give(signal("a"))).is_empty(), "a signal for a link that will be gone is dropped");
    rig.wait();
    let out = rig.connect("me2");
    assert_eq!(
        sent(&out),
        [r#"422["join-room",{"roomId":"daily","displayName":"Ada","password":"pw","caps":["control"]}]"#]
    );
}

#[test]
fn the_seat_that_our_ghost_holds_is_waited_for() {
    let mut rig = Rig::joined(5);
    rig.lose();
    rig.wait();
    rig.connect("me2");
    let full = r#"[{"ok":false,"error":{"code":"room-full","message":"Full."}}]"#;
    let mut ack = 2;
    let until = rig.now + Duration::from_secs(80);
    while rig.now < until {
        assert!(rig.text(&format!("43{ack}{full}")).is_empty());
        rig.text("2");
        while sent(&rig.wait().1).is_empty() {}
        ack += 1;
    }
    rig.now += Duration::from_secs(15);
    let out = rig.text(&format!("43{ack}{full}"));
    assert!(matches!(
        &out[..],
        [SignalingOutput::Event(SignalingEvent::JoinAnswered(JoinAnswer::Refused(_)))]
    ));
}

#[test]
fn a_first_refusal_is_final() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    rig.give(join_room("Ada"));
    rig.connect("me");
    let out = rig.text(r#"431[{"ok":false,"error":{"code":"room-full","message":"Full."}}]"#);
    assert!(matches!(
        &out[..],
        [SignalingOutput::Event(SignalingEvent::JoinAnswered(JoinAnswer::Refused(_)))]
    ));
}

#[test]
fn a_join_without_an_answer_is_repeated_then_the_connection_is_replaced() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    rig.give(join_room("Ada"));
    rig.connect("me");
    let (mut asks, mut replaced) = (1, false);
    while !replaced {
        rig.text("2");
        let (_, out) = rig.wait();
        asks += sent(&out).len();
        replaced = lost(&out, rig.now).is_some();
    }
    assert_eq!(asks, 3);
}

#[test]
fn a_late_answer_to_an_earlier_ask_counts_once() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    rig.give(join_room("Ada"));
    rig.connect("me");
    while sent(&rig.wait().1).is_empty() {}
    assert_eq!(rig.text(r#"431[{"ok":true,"peerId":"me","peers":[]}]"#).len(), 1);
    assert_eq!(rig.text(r#"432[{"ok":true,"peerId":"me","peers":[]}]"#).len(), 0);
}

#[test]
fn a_refused_connection_is_not_tried_again() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    rig.give(SignalingInput::Opened);
    rig.text(OPEN);
    let out = rig.text(r#"44{"message":"Not\ntoday"}"#);
    assert!(matches!(&out[0], SignalingOutput::CloseTransport));
    assert!(
        matches!(&out[1], SignalingOutput::Event(SignalingEvent::Refused { message }) if message.ends_with("Not today"))
    );
    assert_eq!(rig.core.poll_timeout(), None);
}

#[test]
fn stopping_says_goodbye_and_nothing_follows() {
    let mut rig = Rig::joined(1);
    let out = rig.give(SignalingInput::Stop);
    assert_eq!(sent(&out), ["41"]);
    assert!(matches!(
        &out[1..],
        [SignalingOutput::CloseTransport, SignalingOutput::Event(SignalingEvent::Closed)]
    ));
    assert!(rig.give(SignalingInput::TransportClosed { reason: "late".into() }).is_empty());
    assert!(rig.text("2").is_empty());
    assert_eq!(rig.core.poll_timeout(), None);
}

#[test]
fn starting_again_while_waiting_dials_at_once_and_keeps_the_join() {
    let mut rig = Rig::joined(1);
    rig.lose();
    assert!(dialed(&rig.give(SignalingInput::Start("http://h:3000".into()))));
    assert!(rig.give(SignalingInput::Start("http://h:3000".into())).is_empty());
    assert_eq!(sent(&rig.connect("me2")).len(), 1);
}

#[test]
fn nonsense_ends_the_connection_and_is_not_believed() {
    for nonsense in [
        "",
        "x",
        "4",
        "49",
        "42[",
        "42[1]",
        "43[]",
        "4351-",
        "0{}",
        "1",
        "41",
        "42[\"a\"]\u{0}",
        "451-[\"a\",{}]",
    ] {
        let mut rig = Rig::joined(9);
        let mut out = rig.text(nonsense);
        // Half a binary event waits for its attachment; text in its place is the error.
        out.extend(rig.text("42[\"peer-left\",{\"peerId\":7}]"));
        let ended = lost(&out, rig.now).is_some();
        assert_eq!(ended, !matches!(nonsense, "0{}" | "42[1]"), "{nonsense:?}: {out:?}");
        assert!(
            !out.iter().any(|o| matches!(o, SignalingOutput::Event(SignalingEvent::Event(_)))),
            "{nonsense:?}"
        );
    }
    let mut rig = Rig::joined(9);
    assert!(rig.text("42/admin,[\"peer-left\",{\"peerId\":\"a\"}]").is_empty());
    assert!(lost(&rig.give(SignalingInput::Binary(vec![1, 2, 3])), rig.now).is_some());
}

#[test]
fn nothing_is_believed_before_connect_is_confirmed() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    assert!(rig.text("42[\"peers\",{\"peers\":[]}]").is_empty());
    rig.give(SignalingInput::Opened);
    rig.text(OPEN);
    assert!(rig.text("42[\"peers\",{\"peers\":[]}]").is_empty());
    assert!(rig.text("430[{\"ok\":true,\"peerId\":\"me\",\"peers\":[]}]").is_empty());
    assert!(lost(&rig.text("40{\"sid\":\"a b\"}"), rig.now).is_some());
}

#[test]
fn a_server_that_does_not_answer_is_left() {
    let mut rig = Rig::new(1);
    rig.give(SignalingInput::Start("http://h".into()));
    let (waited, out) = rig.wait();
    assert_eq!(waited, STEP_TIMEOUT);
    assert!(matches!(out[0], SignalingOutput::CloseTransport));
    rig.wait();
    rig.give(SignalingInput::Opened);
    assert!(lost(&rig.wait().1, rig.now).is_some());
}
