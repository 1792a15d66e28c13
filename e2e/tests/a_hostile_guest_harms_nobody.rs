//! A peer that sends nonsense, floods the chat and wears a name made to deceive: the page stays as it was for everybody else.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, Devices};
use e2e::eventually;
use e2e::guest::Guest;
use e2e::persona::{ADA, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;
use serde_json::json;

const NAME: &str = "<img src=x onerror=alert(1)>\u{202e}adA\u{200b}\u{0007}";
const SHOWN: &str = "<img src=x onerror=alert(1)>adA";

/// To everybody in the room: data that is no signal, descriptions that do not parse, and candidates that lead nowhere.
const NONSENSE: &str = r"
const nonsense = [
  null, 7, 'x', [], {}, { description: null }, { description: { type: 'offer' } }, { description: { type: 'offer', sdp: 'v=0' } },
  { description: { type: 'answer', sdp: 'm='.repeat(5000) } }, { description: { type: 'rollback' } }, { type: 'offer', sdp: 5 },
  { sdp: { type: 'pranswer', sdp: '' } }, { candidate: {} }, { candidate: 'x' }, { candidate: { candidate: 'candidate:x', sdpMid: 'y' } },
  { candidate: null, link: -1 }, { description: { type: 'answer', sdp: '' }, link: 1e300 },
];
for (let i = 0; i < 100; i += 1) nonsense.push({ candidate: { candidate: `candidate:${i} 1 udp 1 192.0.2.1 ${i + 1} typ host`, sdpMid: '0' } });
for (const to of Object.keys(peers)) for (const data of nonsense) socket.emit('signal', { to, data });
";

const FLOOD: &str = r"
const all = Object.values(peers);
if (!all.length || !all.every((peer) => peer.chat?.readyState === 'open')) return false;
for (const { chat } of all) for (let i = 0; i < 3000; i += 1) chat.send(`<script>alert(${i})</script>`);
return true;
";

#[tokio::test]
async fn a_hostile_guest_harms_nobody() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("hostile");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;
    let guest = Guest::join(Browser::chromium(&Devices::default()).await?, &server, "hostile", NAME).await?;
    ada.connected(SHOWN).await?;
    maya.connected(SHOWN).await?;

    eventually("the flood", async || Ok(guest.browser().run::<bool>(FLOOD, vec![]).await?.then_some(())))
        .await?;
    guest.browser().client().execute(NONSENSE, vec![]).await?;
    maya.open_chat().await?;
    maya.say("Still here").await?;
    ada.reads(MAYA.name, "Still here").await?;
    for (page, other) in [(&ada, &MAYA), (&maya, &ADA)] {
        page.sees(other.name).await?.expect_age(other.age)?;
        let script = "return [document.querySelectorAll('#chat-log > *').length, document.querySelectorAll('main img, main script').length]";
        let (lines, elements): (usize, usize) = page.browser().run(script, vec![]).await?;
        ensure!(lines <= 500 && elements == 0, "{lines} lines, {elements} foreign elements");
    }
    // Reported once, not three thousand times.
    let notes = "return [...document.querySelectorAll('#chat-log .note')].filter((note) => note.textContent.includes('left out')).length";
    assert_eq!(ada.browser().run::<usize>(notes, vec![json!(null)]).await?, 1);
    Ok(())
}
