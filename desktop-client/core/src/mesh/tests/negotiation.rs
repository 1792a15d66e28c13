//! Offers, answers and candidates of one attempt.

use super::*;

#[test]
fn impolite_ignores_a_colliding_offer_and_takes_the_answer() {
    let mut rig = Rig::impolite();
    assert_eq!(rig.hear(description(SdpType::Offer, &sdp("theirs", "BB"))), []);
    let answer = sdp("theirs2", "BB");
    assert_eq!(rig.hear(description(SdpType::Answer, &answer)), [accept_answer(&answer)]);
    assert_eq!(rig.link(LinkEvent::AnswerAccepted), []);
    rig.link(LinkEvent::Connection(ConnectionState::Connected));
    assert_eq!(rig.wait(60 * SECOND), [], "the ignored offer is forgotten");
}

#[test]
fn an_offer_that_both_sides_ignored_is_taken_after_three_seconds() {
    let mut rig = Rig::impolite();
    let theirs = sdp("theirs", "BB");
    rig.hear(description(SdpType::Offer, &theirs));
    let early = candidate("1", Some("theirs"));
    assert_eq!(rig.hear(SignalPayload::Candidate(Some(early.clone()))), []);
    assert_eq!(rig.wait(Duration::from_millis(2_999)), []);
    assert_eq!(rig.wait(Duration::from_millis(1)), [Did::Order(LinkOrder::Rollback)]);
    assert_eq!(rig.link(LinkEvent::RolledBack), [accept_offer(&theirs)]);
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    let answer = rig.said(description(SdpType::Answer, &sdp("ours", "AA")));
    assert_eq!(did, [answer, Did::Order(LinkOrder::AddCandidate(early))]);
    // Their answer to our offer comes too late.
    assert_eq!(rig.hear(description(SdpType::Answer, &theirs)), []);
}

#[test]
fn polite_rolls_back_and_offers_again_later() {
    let mut rig = Rig::polite().connected();
    let create = Did::Order(LinkOrder::CreateOffer { ice_restart: false });
    assert_eq!(rig.link(LinkEvent::NegotiationNeeded), std::slice::from_ref(&create));
    rig.link(LinkEvent::OfferCreated { sdp: sdp("ours2", "AA") });
    let theirs = format!("{}s=2\r\n", sdp("theirs", "BB"));
    assert_eq!(rig.hear(description(SdpType::Offer, &theirs)), [Did::Order(LinkOrder::Rollback)]);
    assert_eq!(rig.hear(description(SdpType::Answer, "late")), [], "an answer to what is being taken back");
    assert_eq!(rig.link(LinkEvent::RolledBack), [accept_offer(&theirs)]);
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(did[1..], [create]);
}

#[test]
fn an_offer_that_is_overtaken_while_being_made_is_never_sent() {
    let mut rig = Rig::polite().connected();
    rig.link(LinkEvent::NegotiationNeeded);
    let theirs = format!("{}s=2\r\n", sdp("theirs", "BB"));
    assert_eq!(rig.hear(description(SdpType::Offer, &theirs)), []);
    let did = rig.link(LinkEvent::OfferCreated { sdp: sdp("ours2", "AA") });
    assert_eq!(did, [Did::Order(LinkOrder::Rollback)]);
}

#[test]
fn a_late_answer_is_ignored_in_stable() {
    let mut rig = Rig::impolite().connected();
    assert_eq!(rig.hear(description(SdpType::Answer, &sdp("late", "BB"))), []);
    let mut rig = Rig::polite();
    assert_eq!(rig.hear(description(SdpType::Answer, &sdp("odd", "BB"))), []);
}

#[test]
fn only_the_newest_of_many_offers_is_taken_and_never_two_at_once() {
    let mut rig = Rig::polite();
    let first = sdp("first", "BB");
    assert_eq!(rig.hear(description(SdpType::Offer, &first)), [accept_offer(&first)]);
    for n in 0..1000 {
        assert_eq!(rig.hear(description(SdpType::Offer, &sdp(&format!("n{n}"), "BB"))), []);
    }
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(did[1..], [accept_offer(&sdp("n999", "BB"))]);
}

#[test]
fn an_offer_that_comes_twice_gets_the_same_answer_again() {
    let mut rig = Rig::polite();
    let offer = description(SdpType::Offer, &sdp("theirs", "BB"));
    rig.hear(offer.clone());
    assert_eq!(rig.hear(offer.clone()), [], "it is in the works");
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(rig.hear(offer), did);
}

#[test]
fn an_unanswered_offer_is_sent_again() {
    let mut rig = Rig::impolite();
    let offer = rig.said(description(SdpType::Offer, &sdp("ours", "AA")));
    assert_eq!(rig.wait(6 * SECOND), std::slice::from_ref(&offer));
    assert_eq!(rig.wait(12 * SECOND), std::slice::from_ref(&offer));
    let minutes = rig.wait(600 * SECOND);
    assert!((15..25).contains(&minutes.len()) && minutes.iter().all(|did| *did == offer));
}

#[test]
fn candidates_wait_for_the_description_and_cost_a_bound() {
    let mut rig = Rig::polite();
    for n in 0..10_000 {
        assert_eq!(rig.hear(SignalPayload::Candidate(Some(candidate(&n.to_string(), Some("theirs"))))), []);
    }
    rig.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(did.len(), 1 + candidates::CANDIDATES_MAX);
    let more: usize = (0..10_000)
        .map(|n| rig.hear(SignalPayload::Candidate(Some(candidate(&n.to_string(), Some("theirs"))))).len())
        .sum();
    assert_eq!(more, 0);
}

#[test]
fn an_offer_that_does_not_parse_leaves_the_link_usable() {
    let mut rig = Rig::polite();
    rig.hear(description(SdpType::Offer, "garbage"));
    let failed = LinkEvent::Failed { operation: Operation::AcceptOffer, message: "syntax".into() };
    assert_eq!(rig.link(failed), []);
    let good = sdp("theirs", "BB");
    assert_eq!(rig.hear(description(SdpType::Offer, &good)), [accept_offer(&good)]);
}

#[test]
fn candidates_of_ours_wait_for_our_description() {
    let (mut rig, _) = Rig::new("z");
    let early = candidate("1", Some("ours"));
    assert_eq!(rig.link(LinkEvent::LocalCandidate(Some(early.clone()))), []);
    let did = rig.link(LinkEvent::OfferCreated { sdp: sdp("ours", "AA") });
    let candidate = rig.said(SignalPayload::Candidate(Some(early)));
    assert_eq!(did[1..], [candidate]);
    assert_eq!(rig.link(LinkEvent::LocalCandidate(None)), [rig.said(SignalPayload::Candidate(None))]);
}

#[test]
fn a_description_that_is_too_long_is_dropped() {
    let mut rig = Rig::polite();
    assert_eq!(rig.hear(description(SdpType::Offer, &"x".repeat(300_000))), []);
    for kind in [SdpType::Pranswer, SdpType::Rollback] {
        assert_eq!(rig.hear(description(kind, "v=0")), []);
    }
}

#[test]
fn a_need_that_the_first_offer_did_not_cover_is_met_after_it() {
    let mut rig = Rig::polite();
    assert_eq!(rig.link(LinkEvent::NegotiationNeeded), []);
    rig.hear(description(SdpType::Offer, &sdp("theirs", "BB")));
    assert_eq!(rig.link(LinkEvent::NegotiationNeeded), []);
    let did = rig.link(LinkEvent::AnswerCreated { sdp: sdp("ours", "AA") });
    assert_eq!(did[1..], [Did::Order(LinkOrder::CreateOffer { ice_restart: false })]);
}
