//! The browser client's own change to its descriptions (`hearStereo`), in a browser.

use anyhow::Result;
use e2e::browser::{Browser, Devices};
use e2e::server::Server;
use serde_json::json;

/// Also applies it to its own result, which must stay as it is.
const HEAR: &str = "const { hearStereo } = await import('/js/sdp.js');
    return arguments[0].map(([ours, theirs]) => {
      const once = hearStereo(ours, theirs);
      return [once, hearStereo(once, theirs)];
    })";

/// A description of these sections.
fn sdp(sections: &[&str]) -> String {
    format!("v=0\r\ns=-\r\n{}", sections.concat())
}

const PLAIN: &str =
    "m=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=sendrecv\r\n";
const STEREO: &str = "m=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\na=sendrecv\r\n";
const OFFERED: &str =
    "m=audio 9 X 96\r\na=fmtp:96 useinbandfec=1; sprop-stereo=1\r\na=rtpmap:96 OPUS/48000/2\r\n";
const VIDEO: &str = "m=video 9 X 111 112\r\na=rtpmap:111 VP8/90000\r\na=fmtp:111 x=1;sprop-stereo=1\r\na=rtpmap:112 opus/48000/2\r\na=fmtp:112 sprop-stereo=1\r\n";

#[tokio::test]
async fn the_browser_client_asks_for_stereo_where_it_may_come() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::chromium(&Devices::default()).await?;
    browser.client().goto(&server.url()).await?;

    let bare = "m=audio 9 X 0 7\r\na=rtpmap:7 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n";
    let bare_stereo =
        "m=audio 9 X 0 7\r\na=rtpmap:7 opus/48000/2\r\na=fmtp:7 stereo=1\r\na=rtpmap:0 PCMU/8000\r\n";
    let red = "m=audio 9 X 63 111\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 \r\n";
    let red_stereo = red.replace("a=fmtp:111 ", "a=fmtp:111 stereo=1");
    let refused = PLAIN.replace("minptime=10", "stereo=0");
    let both = sdp(&[PLAIN, PLAIN, VIDEO]);
    let of_another_format = OFFERED.replace("fmtp:96", "fmtp:97");
    let broken = "m=audio\r\na=fmtp:\r\na=fmtp:111\r\na=rtpmap:\r\na=rtpmap:111\r\n";
    let cases = [
        ("plain", sdp(&[PLAIN]), sdp(&[OFFERED]), sdp(&[STEREO])),
        (
            "lines end in another way",
            sdp(&[PLAIN]).replace('\r', ""),
            sdp(&[OFFERED]).replace('\r', ""),
            sdp(&[STEREO]).replace('\r', ""),
        ),
        ("no parameters", sdp(&[bare]), sdp(&[OFFERED]), sdp(&[bare_stereo])),
        (
            "no parameters, other ends",
            sdp(&[bare]).replace('\r', ""),
            sdp(&[OFFERED]),
            sdp(&[bare_stereo]).replace('\r', ""),
        ),
        ("redundant, empty parameters", sdp(&[red]), sdp(&[OFFERED]), sdp(&[&red_stereo])),
        ("refused by ourselves", sdp(&[&refused]), sdp(&[OFFERED]), sdp(&[&refused])),
        ("the first of two", both.clone(), sdp(&[OFFERED, PLAIN, VIDEO]), sdp(&[STEREO, PLAIN, VIDEO])),
        ("the second of two", both.clone(), sdp(&[PLAIN, OFFERED, VIDEO]), sdp(&[PLAIN, STEREO, VIDEO])),
        ("more sections than theirs", both.clone(), sdp(&[OFFERED]), sdp(&[STEREO, PLAIN, VIDEO])),
        ("not said", sdp(&[PLAIN]), sdp(&[PLAIN]), sdp(&[PLAIN])),
        ("said to be mono", sdp(&[PLAIN]), sdp(&[OFFERED]).replace("stereo=1", "stereo=0"), sdp(&[PLAIN])),
        ("only wished for", sdp(&[PLAIN]), sdp(&[STEREO]), sdp(&[PLAIN])),
        ("said of another format", sdp(&[PLAIN]), sdp(&[&of_another_format]), sdp(&[PLAIN])),
        ("said of pictures", both.clone(), sdp(&[VIDEO, VIDEO, VIDEO]), both.clone()),
        ("broken", sdp(&[PLAIN]), sdp(&[broken]), sdp(&[PLAIN])),
        ("nothing", sdp(&[PLAIN]), String::new(), sdp(&[PLAIN])),
    ];
    let given: Vec<_> = cases.iter().map(|(_, ours, theirs, _)| (ours, theirs)).collect();
    let heard: Vec<(String, String)> = browser.run_async(HEAR, vec![json!(given)]).await?;
    assert_eq!(heard.len(), cases.len());
    for ((what, _, _, expected), (once, twice)) in cases.iter().zip(heard) {
        assert_eq!(&once, expected, "{what}");
        assert_eq!(twice, once, "{what}");
    }
    Ok(())
}
