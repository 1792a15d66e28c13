//! A guest's page of the simplest kind (`fixtures/guest.html`), served from an origin of its own.

use anyhow::{Context, Result};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::browser::Browser;
use crate::content::{self, Picture};
use crate::eventually;
use crate::server::Server;
use crate::tone::Tone;

const PAGE: &str = include_str!("../fixtures/guest.html");

/// A browser on the guest's page, in a room.
#[derive(Debug)]
pub struct Guest {
    browser: Browser,
    host: JoinHandle<()>,
}

/// Whose id shall be smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smaller {
    /// The guest's.
    Guest,
    /// The other person's.
    Other,
}

impl Guest {
    /// Opens the page, which joins the room.
    pub async fn join(browser: Browser, server: &Server, room: &str, name: &str) -> Result<Self> {
        Self::join_with(browser, server, room, name, &[]).await
    }

    /// The same, with more in the query: how the page disagrees (see there).
    pub async fn join_with(
        browser: Browser,
        server: &Server,
        room: &str,
        name: &str,
        quirks: &[(&str, &str)],
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut url = url::Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let query = [("server", server.url()), ("room", room.to_owned()), ("name", name.to_owned())];
        url.query_pairs_mut().extend_pairs(query).extend_pairs(quirks);
        let host = tokio::spawn(serve(listener));
        browser.client().goto(url.as_str()).await?;
        Ok(Self { browser, host })
    }

    /// Joins again, as somebody new, until its id compares as wanted with that of the only other person.
    pub async fn rejoin_until(&self, smaller: Smaller) -> Result<()> {
        // Over WebSocket a goodbye arrives before the page is gone; while it polls, its ghost would stay for a while.
        let ids = "const ready = socket?.io.engine?.transport.name === 'websocket' && Object.keys(peers).length === 1; \
                   return ready ? [socket.id, Object.keys(peers)[0]] : null";
        eventually(&format!("an id order with {smaller:?} as the smaller"), async || {
            let ids: Option<(String, String)> = self.browser.run(ids, vec![]).await?;
            let Some((own, other)) = ids else { return Ok(None) };
            if (own < other) == (smaller == Smaller::Guest) {
                return Ok(Some(()));
            }
            self.browser.client().execute("socket.disconnect()", vec![]).await?;
            self.browser.client().refresh().await?;
            Ok(None)
        })
        .await
    }

    /// The browser that shows it. Its scripts find `socket` (the Socket.IO client) and `peers` (by id: `{pc, chat}`).
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// How many people it shows.
    pub async fn count(&self) -> Result<usize> {
        self.browser.run("return document.querySelectorAll('video').length", vec![]).await
    }

    /// Waits until the picture of the only other person moves, and gives it.
    pub async fn sees(&self) -> Result<Picture> {
        let mut first = None;
        eventually("moving marks at the guest's", async || {
            let Some(picture) = content::picture(&self.browser, "video").await? else { return Ok(None) };
            let before = *first.get_or_insert(picture.mark);
            Ok((before != picture.mark).then_some(picture))
        })
        .await
    }

    /// Waits until the sound of the only other person is this tone.
    pub async fn hears(&self, frequency: u32, level: f64) -> Result<Tone> {
        eventually(&format!("{frequency} Hz at the guest's"), async || {
            let tone = content::tone(&self.browser, "video").await?.context("silence")?;
            tone.expect(f64::from(frequency), level)?;
            Ok(Some(tone))
        })
        .await
    }

    /// Waits until a channel to everybody is open, and sends a line to all.
    pub async fn say(&self, text: &str) -> Result<()> {
        let script = "const all = Object.values(peers); \
                      if (!all.length || !all.every((peer) => peer.chat?.readyState === 'open')) return false; \
                      all.forEach((peer) => peer.chat.send(arguments[0])); return true";
        eventually("the guest's open chat", async || {
            Ok(self.browser.run::<bool>(script, vec![json!(text)]).await?.then_some(()))
        })
        .await
    }

    /// Waits until it has received this line.
    pub async fn reads(&self, text: &str) -> Result<()> {
        let script = "return [...document.querySelectorAll('#chat li')].map((line) => line.textContent)";
        eventually(&format!("the line {text:?} at the guest's"), async || {
            let lines: Vec<String> = self.browser.run(script, vec![]).await?;
            anyhow::ensure!(lines.iter().any(|line| line == text), "the chat is {lines:?}");
            Ok(Some(()))
        })
        .await
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.host.abort();
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // A browser that went away in the middle of a request is none of our business.
        let _ = answer(stream).await;
    }
}

async fn answer(mut stream: TcpStream) -> Result<()> {
    let mut request = [0; 8_192];
    let _ = stream.read(&mut request).await?;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        PAGE.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(PAGE.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}
