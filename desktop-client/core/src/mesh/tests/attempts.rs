//! Who begins, which attempt a message belongs to, and what follows when one fails.

use super::*;

#[test]
fn ids_are_compared_by_code_unit() {
    // "Z" is smaller than "m", which is smaller than "z"; digits and "-" come before letters, "_" between the cases.
    for (peer, initiator) in
        [("Z", false), ("z", true), ("9", false), ("-", false), ("_", false), ("m0", true)]
    {
        assert_eq!(Rig::new(peer).1[0], Did::Open { initiator }, "{peer}");
    }
}

#[test]
fn late_messages_of_an_older_attempt_are_told_apart_by_number() {
    let mut rig = Rig::polite();
    rig.hear_numbered(Some(4), description(SdpType::Offer, &sdp("four", "BB")));
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    let answer = SignalData { link: Some(4), payload: description(SdpType::Answer, &sdp("ours", "AA")) };
    assert_eq!(did, [Did::Said(answer)], "the number is echoed");
    assert_eq!(rig.hear_numbered(Some(3), SignalPayload::Candidate(Some(candidate("old", None)))), []);
    // A new attempt of the peer's: a new peer connection takes it.
    rig.now += SECOND;
    let five = sdp("five", "CC");
    let did = rig.hear_numbered(Some(5), description(SdpType::Offer, &five));
    assert_eq!(did, [Did::Order(LinkOrder::Close), Did::Open { initiator: false }, accept_offer(&five)]);
    assert_eq!(rig.hear_numbered(Some(4), description(SdpType::Answer, "x")), []);
}

#[test]
fn the_counting_side_ignores_every_other_number() {
    let mut rig = Rig::impolite();
    let number = rig.number().unwrap();
    let answer = sdp("theirs", "BB");
    for late in [0, number + 1, number + 7] {
        assert_eq!(rig.hear_numbered(Some(late), description(SdpType::Answer, &answer)), []);
        assert_eq!(rig.hear_numbered(Some(late), description(SdpType::Offer, &answer)), []);
    }
    assert_eq!(
        rig.hear_numbered(Some(number), description(SdpType::Answer, &answer)),
        [accept_answer(&answer)]
    );
}

#[test]
fn a_new_certificate_is_a_new_attempt_of_a_peer_without_numbers() {
    let mut rig = Rig::impolite().connected();
    rig.now += SECOND;
    let fresh = sdp("fresh", "CC");
    let did = rig.hear(description(SdpType::Offer, &fresh));
    assert_eq!(did, [Did::Order(LinkOrder::Close), Did::Open { initiator: false }, accept_offer(&fresh)]);
}

#[test]
fn new_certificates_by_the_hundred_cost_one_peer_connection_a_second() {
    let mut rig = Rig::polite().connected();
    let mut opened = 0;
    for n in 0..1000 {
        let did = rig.hear(description(SdpType::Offer, &sdp("x", &format!("C{n}"))));
        opened += opens(&did) + opens(&rig.wait(Duration::from_millis(10)));
        if did.iter().any(|did| matches!(did, Did::Order(LinkOrder::AcceptOffer { .. }))) {
            rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
        }
    }
    assert!((1..=11).contains(&opened), "{opened}");
}

#[test]
fn an_answer_that_does_not_parse_is_met_with_a_new_attempt_ever_more_slowly() {
    let mut rig = Rig::impolite();
    let mut waits = Vec::new();
    for _ in 0..6 {
        rig.hear(description(SdpType::Answer, "garbage"));
        let failed = LinkEvent::Failed { operation: Operation::AcceptAnswer, message: "syntax".into() };
        assert_eq!(rig.link(failed), [Did::Order(LinkOrder::Close)]);
        let before = rig.now;
        let at = rig.mesh.poll_timeout().unwrap();
        waits.push((at - before).as_secs());
        let did = rig.wait(at - before);
        assert_eq!(opens(&did), 1);
        rig.link(LinkEvent::OfferCreated { sdp: sdp("again", "AA") });
    }
    assert!(waits[0] <= 2 && waits[5] >= 16, "{waits:?}");
}

#[test]
fn a_rollback_that_fails_is_replaced_by_a_new_peer_connection_for_their_offer() {
    let mut rig = Rig::polite().connected();
    rig.link(LinkEvent::NegotiationNeeded);
    rig.link(LinkEvent::OfferCreated { sdp: sdp("ours2", "AA") });
    let theirs = format!("{}s=2\r\n", sdp("theirs", "BB"));
    rig.hear(description(SdpType::Offer, &theirs));
    let failed = LinkEvent::Failed { operation: Operation::Rollback, message: "no".into() };
    assert_eq!(rig.link(failed), [Did::Order(LinkOrder::Close)]);
    assert_eq!(rig.wait(2 * SECOND), [Did::Open { initiator: false }, accept_offer(&theirs)]);
}

#[test]
fn a_peer_that_never_offers_is_offered_to() {
    let mut rig = Rig::polite();
    let did = rig.wait(8 * SECOND);
    assert_eq!(did[..2], [Did::Order(LinkOrder::Close), Did::Open { initiator: true }]);
    assert_eq!(did[2], Did::Order(LinkOrder::CreateOffer { ice_restart: false }));
    // It offers after all: we are still the polite side.
    rig.link(LinkEvent::OfferCreated { sdp: sdp("ours", "AA") });
    assert_eq!(
        rig.hear(description(SdpType::Offer, &sdp("theirs", "BB"))),
        [Did::Order(LinkOrder::Rollback)]
    );
}

#[test]
fn the_chat_is_opened_by_us_when_the_guest_opens_none() {
    let mut rig = Rig::polite();
    rig.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
    rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    rig.link(LinkEvent::Connection(ConnectionState::Connected));
    assert_eq!(rig.wait(2 * SECOND), [Did::Order(LinkOrder::EnsureChat)]);
    let mut rig = Rig::polite().connected();
    assert_eq!(rig.wait(2 * SECOND), []);
}

#[test]
fn ice_is_restarted_after_failed_then_the_link_is_made_anew() {
    let mut rig = Rig::impolite().connected();
    let number = rig.number();
    rig.link(LinkEvent::Connection(ConnectionState::Failed));
    assert_eq!(rig.wait(SECOND), [Did::Order(LinkOrder::CreateOffer { ice_restart: true })]);
    rig.link(LinkEvent::OfferCreated { sdp: sdp("ours2", "AA") });
    let did = rig.wait(40 * SECOND);
    assert_eq!(opens(&did), 1);
    assert!(rig.number() > number, "a new attempt has a new number");
}

#[test]
fn a_peer_that_leaves_in_the_middle_is_forgotten() {
    let mut rig = Rig::polite();
    let link = rig.id();
    rig.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
    assert_eq!(rig.give(MeshInput::PeerLeft(rig.peer.clone())), [Did::Order(LinkOrder::Close)]);
    let late = MeshInput::Link { link, event: LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") } };
    assert_eq!(rig.give(late), []);
    assert_eq!(rig.mesh.poll_timeout(), None);
}

#[test]
fn signals_of_unknown_peers_make_a_bounded_number_of_links() {
    let mut rig = Rig::polite();
    let data = SignalData { link: None, payload: description(SdpType::Offer, &sdp("x", "BB")) }.to_raw();
    let mut opened = 0;
    for n in 0..10_000 {
        let from = PeerId::parse(&format!("stranger{n}")).unwrap();
        opened += opens(&rig.give(MeshInput::Signal { from, data: data.clone() }));
    }
    assert_eq!(opened, STRANGERS_MAX);
    let garbage = RawValue::from_string("[1]".into()).unwrap();
    assert_eq!(rig.give(MeshInput::Signal { from: PeerId::parse("other").unwrap(), data: garbage }), []);
}

#[test]
fn links_to_people_who_are_still_there_are_made_anew_under_a_new_id_of_ours() {
    let mut rig = Rig::impolite().connected();
    rig.give(MeshInput::Offline);
    assert_eq!(rig.mesh.poll_timeout(), None, "nothing is tried while the server is away");
    let participant =
        Participant { peer_id: rig.peer.clone(), display_name: DisplayName::default(), caps: vec![] };
    let (own_id, ice_servers) = (PeerId::parse("zz").unwrap(), vec![]);
    let did = rig.give(MeshInput::Entered { own_id, participants: vec![participant], ice_servers });
    assert_eq!(did, [Did::Order(LinkOrder::Close), Did::Open { initiator: false }]);
}

#[test]
fn a_peer_task_that_does_not_answer_is_replaced() {
    let mut rig = Rig::polite();
    rig.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
    let did = rig.wait(20 * SECOND);
    assert_eq!(did, [Did::Order(LinkOrder::Close), Did::Open { initiator: false }]);
    let again = sdp("again", "BB");
    assert_eq!(rig.hear(description(SdpType::Offer, &again)), [accept_offer(&again)]);
}

#[test]
fn a_peer_that_makes_all_its_connections_with_one_certificate_can_begin_anew() {
    let mut rig = Rig::polite();
    let offer = |session: u32, name: &str| format!("o=- {session} 1 IN IP4 0.0.0.0\r\n{}", sdp(name, "BB"));
    rig.hear(description(SdpType::Offer, &offer(1, "one")));
    rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(
        rig.hear(description(SdpType::Offer, &offer(1, "restart"))),
        [accept_offer(&offer(1, "restart"))]
    );
    rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours2", "AA") });
    rig.now += SECOND;
    let did = rig.hear(description(SdpType::Offer, &offer(2, "two")));
    assert_eq!(did[1..], [Did::Open { initiator: false }, accept_offer(&offer(2, "two"))]);
}
