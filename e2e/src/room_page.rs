//! The browser client's page of a room, used as a person uses it.

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use fantoccini::elements::Element;
use serde::Deserialize;
use serde_json::json;

use crate::browser::Browser;
use crate::content::{self, Picture};
use crate::eventually;
use crate::tone::{self, Tone};

/// A browser on a room's page.
#[derive(Debug)]
pub struct RoomPage {
    browser: Browser,
}

/// A tile as the page describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tile {
    /// Whose it is.
    pub peer_id: String,
    /// The name that it shows.
    pub name: String,
    /// Our own.
    pub own: bool,
    /// `RTCPeerConnectionState`.
    pub connection: String,
    /// `on`, `off` or `unknown`.
    pub microphone: String,
    /// `on`, `off` or `unknown`.
    pub camera: String,
    /// `on` or `off`: whether a picture is shown.
    pub picture: String,
    /// `on` or `off`: whether they are marked as speaking.
    pub speaking: String,
}

impl Tile {
    /// The selector of its video element.
    pub fn video(&self) -> String {
        format!(".tile[data-peer-id={:?}][data-source=camera] video", self.peer_id)
    }
}

const TILES: &str = r"
return [...document.querySelectorAll('.tile')].map((tile) => ({
  ...tile.dataset, own: 'own' in tile.dataset, name: tile.querySelector('.tile-name').textContent,
}));
";

const CHAT: &str = r"
return [...document.querySelectorAll('#chat-log .line')].map((line) => [
  line.querySelector('.from').textContent, line.querySelector('.text').textContent,
]);
";

impl RoomPage {
    /// Opens a room's page without waiting for devices.
    pub async fn open_without_devices(browser: Browser, url: &str) -> Result<Self> {
        browser.client().goto(url).await?;
        Ok(Self { browser })
    }

    /// Opens a room's page and waits for the preview's devices.
    pub async fn open(browser: Browser, url: &str) -> Result<Self> {
        let page = Self::open_without_devices(browser, url).await?;
        let ready = "return document.querySelector('#preview')?.hasAttribute('data-picture') && \
                     document.querySelector('[data-toggle=audio]').getAttribute('aria-pressed') === 'true'";
        eventually("the preview", async || Ok(page.browser.run::<bool>(ready, vec![]).await?.then_some(())))
            .await?;
        Ok(page)
    }

    /// Opens a room's page and joins: what the microphone hears is sent as it is.
    pub async fn join(browser: Browser, url: &str, name: &str) -> Result<Self> {
        let page = Self::open(browser, url).await?;
        page.ask_for_original_sound().await?;
        page.enter(name).await?;
        Ok(page)
    }

    /// Switches the browser's sound processing off: it would take a steady tone for noise.
    pub async fn ask_for_original_sound(&self) -> Result<()> {
        self.find("#join summary").await?.click().await?;
        self.find("#join [data-original-sound]").await?.click().await?;
        let on =
            "return document.querySelector('[data-toggle=audio]').getAttribute('aria-pressed') === 'true'";
        eventually("the microphone", async || Ok(self.browser.run::<bool>(on, vec![]).await?.then_some(())))
            .await
    }

    /// Types a name, presses Join, and waits until the page shows the call.
    pub async fn enter(&self, name: &str) -> Result<()> {
        self.find("#display-name").await?.send_keys(name).await?;
        self.find("#join-button").await?.click().await?;
        eventually("the call", async || Ok((self.phase().await? == "call").then_some(()))).await
    }

    /// `preview`, `call` or `ended`.
    pub async fn phase(&self) -> Result<String> {
        self.browser.run("return document.body.dataset.phase", vec![]).await
    }

    /// The browser that shows it.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// All tiles, in the order in which they are shown.
    pub async fn tiles(&self) -> Result<Vec<Tile>> {
        self.browser.run(TILES, vec![]).await
    }

    /// Waits until there is exactly one tile of this name, and it satisfies `condition`.
    pub async fn tile(&self, name: &str, what: &str, condition: impl Fn(&Tile) -> bool) -> Result<Tile> {
        eventually(&format!("{name}: {what}"), async || {
            let tiles = self.tiles().await?;
            let mut named = tiles.iter().filter(|tile| tile.name == name && !tile.own);
            match (named.next(), named.next()) {
                (Some(tile), None) if condition(tile) => Ok(Some(tile.clone())),
                _ => anyhow::bail!("the tiles are {tiles:#?}"),
            }
        })
        .await
    }

    /// Our own id.
    pub async fn peer_id(&self) -> Result<String> {
        let tiles = self.tiles().await?;
        Ok(tiles.into_iter().find(|tile| tile.own).context("no tile of our own")?.peer_id)
    }

    /// Waits until this person's link is connected.
    pub async fn connected(&self, name: &str) -> Result<Tile> {
        self.tile(name, "connected", |tile| tile.connection == "connected").await
    }

    /// Waits until nobody else is there.
    pub async fn alone(&self) -> Result<()> {
        eventually("being alone", async || {
            let tiles = self.tiles().await?;
            ensure!(tiles.len() == 1 && tiles[0].own, "the tiles are {tiles:#?}");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until this person's tile shows two different marked pictures, and gives the later one.
    pub async fn sees(&self, name: &str) -> Result<Picture> {
        let tile = self.tile(name, "shows a picture", |tile| tile.picture == "on").await?;
        let selector = tile.video();
        let mut first = None;
        eventually(&format!("moving marks of {name}"), async || {
            let Some(picture) = content::picture(&self.browser, &selector).await? else { return Ok(None) };
            let before = *first.get_or_insert(picture.mark);
            Ok((before != picture.mark).then_some(picture))
        })
        .await
    }

    /// Waits until this person's sound is the tone of this frequency and level.
    pub async fn hears(&self, name: &str, frequency: u32, level: f64) -> Result<Tone> {
        let tile = self.connected(name).await?;
        let selector = tile.video();
        eventually(&format!("{frequency} Hz of {name}"), async || {
            let tone = content::tone(&self.browser, &selector).await?.context("silence")?;
            tone.expect(f64::from(frequency), level)?;
            Ok(Some(tone))
        })
        .await
    }

    /// Waits until this person's sound has a tone of this frequency at these levels (at most, for those of −40 dB and less) on the left and on the right.
    pub async fn hears_on_sides(&self, name: &str, frequency: u32, expected: [f64; 2]) -> Result<()> {
        let tile = self.connected(name).await?;
        let selector = tile.video();
        eventually(&format!("{frequency} Hz of {name} at {expected:?} dB"), async || {
            let sides = content::sides(&self.browser, &selector, frequency).await?.context("silence")?;
            tone::expect_sides(sides, expected).map(Some)
        })
        .await
    }

    /// Waits until this person's sound is silence.
    pub async fn hears_nothing_of(&self, name: &str) -> Result<()> {
        let tile = self.connected(name).await?;
        let selector = tile.video();
        eventually(&format!("silence of {name}"), async || {
            match content::tone(&self.browser, &selector).await? {
                Some(tone) if tone.level > -60.0 => anyhow::bail!("{tone:?}"),
                Some(_) | None => Ok(Some(())),
            }
        })
        .await
    }

    /// Presses the microphone's (`audio`) or the camera's (`video`) button, and waits until it shows the new state.
    pub async fn toggle(&self, kind: &str) -> Result<()> {
        let selector = format!(".toolbar [data-toggle={kind}]");
        let pressed =
            async || Ok::<_, anyhow::Error>(self.find(&selector).await?.attr("aria-pressed").await?);
        let before = pressed().await?;
        self.find(&selector).await?.click().await?;
        eventually(&format!("a switched {kind}"), async || Ok((pressed().await? != before).then_some(())))
            .await
    }

    /// Whether the microphone's (`audio`) or the camera's (`video`) button shows it on.
    pub async fn is_on(&self, kind: &str) -> Result<bool> {
        let pressed =
            self.find(&format!(".toolbar [data-toggle={kind}]")).await?.attr("aria-pressed").await?;
        Ok(pressed.as_deref() == Some("true"))
    }

    /// Opens the chat.
    pub async fn open_chat(&self) -> Result<()> {
        Ok(self.find("#chat-toggle").await?.click().await?)
    }

    /// Types a line into the open chat and sends it.
    pub async fn say(&self, text: &str) -> Result<()> {
        // Not by keys: WebDriver types no characters outside the basic multilingual plane in some browsers.
        let script = "document.querySelector('#chat-text').value = arguments[0]";
        self.browser.client().execute(script, vec![json!(text)]).await?;
        Ok(self.find("#chat-form button").await?.click().await?)
    }

    /// Waits until the chat has this line of this person's.
    pub async fn reads(&self, name: &str, text: &str) -> Result<()> {
        eventually(&format!("the line {text:?}"), async || {
            let lines: Vec<(String, String)> = self.browser.run(CHAT, vec![]).await?;
            let found = lines.iter().any(|(from, line)| from == name && line == text);
            ensure!(found, "the chat is {lines:?}");
            Ok(Some(()))
        })
        .await
    }

    /// The text of the banner; empty when there is none.
    pub async fn banner(&self) -> Result<String> {
        self.browser
            .run("const b = document.querySelector('#banner'); return b.hidden ? '' : b.textContent", vec![])
            .await
    }

    /// Presses Leave.
    pub async fn leave(&self) -> Result<()> {
        Ok(self.find("#leave").await?.click().await?)
    }

    /// The one element of this selector.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        self.browser.client().find(Locator::Css(selector)).await.with_context(|| format!("no {selector}"))
    }
}
