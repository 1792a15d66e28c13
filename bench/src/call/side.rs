//! One side of a call, whichever program it is.

use anyhow::Result;
use e2e::network::Host;
use e2e::server::Server;

use super::desktop::DesktopSide;
use super::page::PageSide;
use super::pair::{Client, Pair};
use super::quality::Originals;
use super::record::Record;
use crate::clip::Clips;

/// The room's name.
const ROOM: &str = "call";

/// Where a side is, and what it does there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The host.
    pub host: &'a Host,
    /// The server.
    pub server: &'a Server,
    /// What it plays.
    pub clips: &'a Clips,
    /// The name that it shows.
    pub name: &'a str,
    /// What it keeps of the other.
    pub kept: Kept,
}

/// What a side keeps of what it gets, to be judged after the call. To keep both would cost more than a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A picture each second.
    Pictures,
    /// All that is heard.
    Sound,
}

/// A side that is ready to join.
#[derive(Debug)]
pub struct Ready<'a> {
    place: Place<'a>,
    /// The page, on its preview. A desktop client is not started yet: it joins as soon as it is.
    page: Option<PageSide>,
}

/// A side in the room.
#[derive(Debug)]
pub enum Side {
    /// A desktop client.
    Desktop(DesktopSide),
    /// Chromium.
    Chromium(PageSide),
}

impl<'a> Ready<'a> {
    /// Prepares a side, on a network that is still perfect: loading a page is not what is measured.
    pub async fn prepare(client: Client, place: Place<'a>) -> Result<Self> {
        let page = match client {
            Client::Desktop => None,
            Client::Chromium => Some(PageSide::open(place, &place.server.room_url(ROOM)).await?),
        };
        Ok(Self { place, page })
    }

    /// Goes into the room, and waits until it is there.
    pub async fn join(self, other: Client) -> Result<Side> {
        let Place { server, name, .. } = self.place;
        if let Some(page) = self.page {
            page.join(name).await?;
            return Ok(Side::Chromium(page));
        }
        let mut side = DesktopSide::join(self.place, &server.room_url(ROOM), other)?;
        side.joined().await?;
        Ok(Side::Desktop(side))
    }
}

impl Side {
    /// Whether there is a connection.
    pub async fn is_connected(&mut self) -> Result<bool> {
        match self {
            Self::Desktop(desktop) => desktop.is_connected(),
            Self::Chromium(page) => page.is_connected().await,
        }
    }
}

/// What both have noticed, the near one first.
pub async fn records(pair: Pair, near: &Side, far: &Side, originals: &Originals) -> Result<[Record; 2]> {
    let (mut pages, mut records) = ([None, None], [Record::default(), Record::default()]);
    for (index, side) in [near, far].into_iter().enumerate() {
        match side {
            Side::Desktop(desktop) => records[index] = desktop.record(originals)?,
            Side::Chromium(page) => pages[index] = Some(page.watched().await?),
        }
    }
    for (index, other) in [pair.far, pair.near].into_iter().enumerate() {
        if let Some(page) = &pages[index] {
            records[index] = page.record(other, pages[1 - index].as_ref(), originals);
        }
    }
    Ok(records)
}
