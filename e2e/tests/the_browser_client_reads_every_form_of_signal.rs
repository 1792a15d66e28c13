//! The browser client's own parser of what peers put into `signal`, in a browser.

use anyhow::Result;
use e2e::browser::{Browser, Devices};
use e2e::server::Server;
use serde_json::{Value, json};

const PARSE: &str =
    "const { parse } = await import('/js/signal-data.js'); return arguments[0].map((data) => parse(data))";

#[tokio::test]
async fn the_browser_client_reads_every_form_of_signal() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::chromium(&Devices::default()).await?;
    browser.client().goto(&server.url()).await?;

    let description = json!({ "description": { "type": "offer", "sdp": "v=0" }, "link": null });
    let candidate = json!({ "candidate": { "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 }, "link": null });
    let end = json!({ "candidate": null, "link": null });
    let cases = [
        (json!({ "description": { "type": "offer", "sdp": "v=0" } }), description.clone()),
        (json!({ "type": "offer", "sdp": "v=0" }), description.clone()),
        (json!({ "sdp": { "type": "offer", "sdp": "v=0" } }), description.clone()),
        (json!({ "candidate": null, "description": { "type": "offer", "sdp": "v=0", "x": 1 } }), description),
        (
            json!({ "candidate": { "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 } }),
            candidate.clone(),
        ),
        (json!({ "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 }), candidate.clone()),
        (
            json!({ "type": "candidate", "candidate": { "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 } }),
            candidate,
        ),
        (json!({ "candidate": null }), end),
        (json!({ "candidate": null, "link": 3 }), json!({ "candidate": null, "link": 3 })),
        (json!({ "description": { "type": "dance", "sdp": "v=0" } }), Value::Null),
        (json!({ "description": { "type": "offer", "sdp": 7 } }), Value::Null),
        (json!({ "candidate": { "sdpMid": "0" } }), Value::Null),
        (json!([]), Value::Null),
        (json!("offer"), Value::Null),
        (Value::Null, Value::Null),
    ];
    let (data, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let parsed: Vec<Value> = browser.run_async(PARSE, vec![json!(data)]).await?;
    for ((data, parsed), expected) in data.iter().zip(parsed).zip(expected) {
        assert_eq!(parsed, expected, "{data}");
    }
    Ok(())
}
