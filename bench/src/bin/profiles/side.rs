//! One side of a call, whichever program it is.

use anyhow::Result;
use bench::clip::Clips;
use e2e::network::Host;
use e2e::server::Server;

use crate::desktop::DesktopSide;
use crate::page::PageSide;
use crate::pair::{Client, Pair};
use crate::quality::Originals;
use crate::record::Record;

/// The room's name.
const ROOM: &str = "profiles";

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
        let Place { host, server, clips, .. } = place;
        let page = match client {
            Client::Desktop => None,
            Client::Chromium => {
                Some(PageSide::open(host, &server.url(), &server.room_url(ROOM), clips).await?)
            }
        };
        Ok(Self { place, page })
    }

    /// Goes into the room, and waits until it is there.
    pub async fn join(self, other: Client) -> Result<Side> {
        let Place { host, server, clips, name } = self.place;
        if let Some(page) = self.page {
            page.join(name).await?;
            return Ok(Side::Chromium(page));
        }
        let mut side = DesktopSide::join(host, &server.room_url(ROOM), name, clips, other)?;
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
