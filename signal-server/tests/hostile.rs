//! Input that no honest client sends: each gets a clear error or a clean end, and nobody else in the room notices.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::Server;
use support::client::Client;
use support::http::{get, post, request};

/// A room with two honest people in it.
async fn room(server: &Server) -> (Client, Client) {
    let (mut ada, mut bo) = (Client::connect(server).await, Client::connect(server).await);
    ada.join("room").await;
    bo.join("room").await;
    assert_eq!(ada.event("peer-joined").await["peerId"], bo.id);
    (ada, bo)
}

async fn still_fine(ada: &mut Client, bo: &mut Client) {
    ada.nothing_came().await;
    bo.nothing_came().await;
    ada.emit("signal", json!({ "to": bo.id, "data": "still here" })).await;
    assert_eq!(bo.event("signal").await, json!({ "from": ada.id, "data": "still here" }));
}

#[tokio::test]
async fn unknown_events_are_named_to_their_sender() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let mut eve = Client::connect(&server).await;
    eve.join("room").await;
    for client in [&mut ada, &mut bo] {
        client.event("peer-joined").await;
    }
    eve.emit("peer-left", json!({ "peerId": ada.id })).await;
    assert_eq!(eve.event("event-error").await["event"], "peer-left");
    eve.emit(&"x".repeat(500_000), json!(1)).await;
    let error = eve.event("event-error").await;
    assert_eq!((error["event"].as_str().unwrap().len(), &error["code"]), (64, &json!("unknown-event")));
    eve.send("42[\"\"]").await;
    assert_eq!(eve.event("event-error").await["event"], "");
    eve.send("42[\"join-room\"]").await;
    assert!(eve.event("join-error").await["message"].as_str().unwrap().contains("missing"));
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn fields_of_a_wrong_type_are_named() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let mut eve = Client::connect(&server).await;
    for (argument, field) in [
        (json!(null), "object"),
        (json!("room"), "object"),
        (json!([{ "roomId": "room" }]), "object"),
        (json!({}), "roomId"),
        (json!({ "roomId": 1 }), "roomId"),
        (json!({ "roomId": "" }), "roomId"),
        (json!({ "roomId": "x".repeat(65) }), "roomId"),
        (json!({ "roomId": "x".repeat(900_000) }), "roomId"),
        (json!({ "roomId": "../room" }), "roomId"),
        (json!({ "roomId": "room", "displayName": ["x"] }), "displayName"),
        (json!({ "roomId": "room", "password": {} }), "password"),
        (json!({ "roomId": "room", "password": "p".repeat(900_000) }), "password"),
        (json!({ "roomId": "room", "caps": { "screen": true } }), "caps"),
    ] {
        let answer = eve.ask("join-room", argument.clone()).await;
        assert_eq!((&answer["ok"], &answer["error"]["code"]), (&json!(false), &json!("invalid-argument")));
        assert!(answer["error"]["message"].as_str().unwrap().contains(field), "{field}: {answer}");
        eve.emit("join-room", argument).await;
        assert_eq!(eve.event("join-error").await, answer["error"]);
    }
    for (argument, field) in [
        (json!({ "data": 1 }), "to"),
        (json!({ "to": 5, "data": 1 }), "to"),
        (json!({ "to": "x".repeat(900_000), "data": 1 }), "to"),
        (json!({ "to": ada.id }), "data"),
        (json!(7), "object"),
    ] {
        eve.emit("signal", argument).await;
        let error = eve.event("signal-error").await;
        assert_eq!(error["code"], "invalid-argument");
        assert!(error["message"].as_str().unwrap().contains(field), "{field}: {error}");
        assert!(error["to"].as_str().unwrap().len() <= 64);
    }
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn names_are_made_safe_for_everybody() {
    let server = Server::start();
    let mut ada = Client::connect(&server).await;
    ada.join("room").await;
    for (given, shown) in [
        ("\u{202e}nimdA\u{2066}\u{0007}\u{0}", "nimdA"),
        ("  two\r\n lines\t ", "two   lines"),
        ("\u{feff}\u{200b} \u{e0041}", "Guest"),
        ("", "Guest"),
        ("👩‍👩‍👧 ن", "👩‍👩‍👧 ن"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ] {
        let mut eve = Client::connect(&server).await;
        eve.ask("join-room", json!({ "roomId": "room", "displayName": given })).await;
        assert_eq!(ada.event("peer-joined").await["displayName"], shown, "{given:?}");
        eve.close().await;
        ada.event("peer-left").await;
    }
    let mut eve = Client::connect(&server).await;
    eve.ask("join-room", json!({ "roomId": "room", "displayName": "é".repeat(400_000) })).await;
    assert_eq!(ada.event("peer-joined").await["displayName"].as_str().unwrap().chars().count(), 64);
    // Half an emoji, as a JavaScript page leaves it when it cuts a name.
    let mut cut = Client::connect(&server).await;
    cut.send(r#"42["join-room",{"roomId":"room","displayName":"Bo\ud83d"}]"#).await;
    assert!(ada.event("peer-joined").await["displayName"].as_str().unwrap().starts_with("Bo"));
}

#[tokio::test]
async fn ten_thousand_candidates_at_once_arrive_in_order_or_are_refused() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let to = bo.id.clone();
    let candidate =
        "candidate:842163049 1 udp 1677729535 192.0.2.3 46154 typ srflx raddr 0.0.0.0 rport 0".repeat(2);
    let packet = |number| {
        format!("42{}", json!(["signal", { "to": to, "data": { "number": number, "candidate": candidate } }]))
    };
    let sender = async {
        ada.send_all((0..10_000).map(packet)).await;
        ada.nothing_came().await;
    };
    let receiver = async {
        for number in 0..10_000 {
            assert_eq!(bo.event("signal").await["data"]["number"], number);
        }
    };
    tokio::join!(sender, receiver);
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn flooding_somebody_who_does_not_read_is_refused_and_costs_them_nothing() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let data = "x".repeat(500_000);
    // Nobody reads at Bo's side; what the system's buffers do not take waits at the server, up to a limit.
    let mut refused = Value::Null;
    for _ in 0..200 {
        let answer = ada.ask("signal", json!({ "to": bo.id, "data": data })).await;
        if answer["ok"] == false {
            refused = answer;
            break;
        }
    }
    assert_eq!(refused["error"]["code"], "peer-busy");
    // Bo reads again, got everything that was accepted, and was never disconnected.
    while bo.ask("nothing", Value::Null).await["ok"] != false {}
    bo.ask("leave-room", Value::Null).await;
    assert_eq!(ada.event("peer-left").await, json!({ "peerId": bo.id, "reason": "left" }));
}

#[tokio::test]
async fn what_is_too_long_ends_its_own_connection_alone() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let mut eve = Client::connect(&server).await;
    eve.join("room").await;
    ada.event("peer-joined").await;
    bo.event("peer-joined").await;
    let packet = json!(["signal", { "to": ada.id, "data": "x".repeat(2_000_000) }]);
    eve.send_in_vain(&format!("42{packet}")).await;
    eve.closed().await;
    for client in [&mut ada, &mut bo] {
        assert_eq!(client.event("peer-left").await["peerId"], eve.id);
    }
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn binary_data_has_no_place_in_the_contract() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    bo.send(&format!(r#"451-["signal",{{"to":"{}","data":{placeholder}}}]"#, ada.id)).await;
    bo.send_binary(&[1, 2, 3]).await;
    let error = bo.event("signal-error").await;
    assert_eq!((&error["to"], &error["code"]), (&json!(ada.id), &json!("invalid-argument")));
    assert!(error["message"].as_str().unwrap().contains("binary"));
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn requests_in_an_odd_order_have_plain_answers() {
    let server = Server::start();
    let (mut ada, mut bo) = room(&server).await;
    let mut eve = Client::connect(&server).await;
    // Before joining.
    assert_eq!(eve.ask("signal", json!({ "to": ada.id, "data": 1 })).await["error"]["code"], "not-in-room");
    assert_eq!(eve.ask("leave-room", json!("x")).await, json!({ "ok": true }));
    // Twice, and twice at once.
    let join = r#"["join-room",{"roomId":"twice","displayName":"Eve"}]"#;
    eve.send_all((100..103).map(|ack| format!("42{ack}{join}"))).await;
    for ack in 100..103 {
        let empty = r#"{"peers":[],"participants":[]}"#;
        assert_eq!(eve.wire().await, format!(r#"42["peers",{empty}]"#));
        let expected = format!(r#"43{ack}[{{"ok":true,"peerId":"{}","peers":[],"#, eve.id);
        assert!(eve.wire().await.starts_with(&expected));
    }
    assert_eq!(get(server.address(), "/api/rooms/twice").await.json()["participants"], 1);
    still_fine(&mut ada, &mut bo).await;
}

#[tokio::test]
async fn signal_data_is_relayed_byte_for_byte() {
    let server = Server::start();
    let (ada, mut bo) = room(&server).await;
    let mut ada = ada;
    let data = r#"{ "b":1.0e5 ,"a":"\u00e9\/\ud83d" ,"big":123456789012345678901234567890, "a":null}"#;
    ada.send(&format!(r#"42["signal",{{"data":{data},"to":"{}","from":"forged"}}]"#, bo.id)).await;
    assert_eq!(bo.wire().await, format!(r#"42["signal",{{"from":"{}","data":{data}}}]"#, ada.id));
}

#[tokio::test]
async fn deleting_a_room_while_people_join_leaves_nobody_half_inside() {
    let server = Server::start();
    let at = server.address();
    for round in 0..20 {
        assert_eq!(post(at, "/api/rooms", r#"{"id":"brief"}"#).await.status, 201);
        let mut eve = Client::connect(&server).await;
        let (answer, deleted) = tokio::join!(
            eve.ask("join-room", json!({ "roomId": "brief" })),
            request(at, "DELETE", "/api/rooms/brief", &[], b"")
        );
        assert_eq!((&answer["ok"], deleted.status), (&json!(true), 204), "round {round}");
        eve.event("peers").await;
        // Either the room was deleted around her, or she came later and made it anew.
        let inside = get(at, "/api/rooms/brief").await.status == 200;
        if inside {
            eve.nothing_came().await;
        } else {
            assert_eq!(eve.event("room-closed").await, json!({ "roomId": "brief", "reason": "deleted" }));
        }
        let answer = eve.ask("signal", json!({ "to": eve.id, "data": 1 })).await;
        assert_eq!(answer["ok"], inside, "{answer}");
        eve.close().await;
        while get(at, "/api/rooms/brief").await.status == 200 {}
    }
}

#[tokio::test]
async fn unknown_rooms_are_refused_where_the_host_says_so() {
    let server = Server::with(&["--listen", "127.0.0.1:0", "--no-ephemeral-rooms"]);
    let mut ada = Client::connect(&server).await;
    let answer = ada.ask("join-room", json!({ "roomId": "unknown" })).await;
    assert_eq!(answer["error"]["code"], "room-not-found");
    post(server.address(), "/api/rooms", r#"{"id":"known"}"#).await;
    ada.join("known").await;
}
