//! One side of a call, whichever program it is.

use anyhow::Result;
use bench::clip::Clips;
use e2e::network::Host;
use e2e::server::Server;

use crate::desktop::DesktopSide;
use crate::page::PageSide;
use crate::pair::{Client, Pair};
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
pub enum Ready<'a> {
    /// Not started yet: it joins as soon as it is.
    Desktop(Place<'a>),
    /// On the page's preview.
    Chromium(Place<'a>, Box<PageSide>),
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
        Ok(match client {
            Client::Desktop => Self::Desktop(place),
            Client::Chromium => {
                let url = server.room_url(ROOM);
                let page = PageSide::open(host, &server.url(), &url, clips).await?;
                Self::Chromium(place, Box::new(page))
            }
        })
    }

    /// Goes into the room, and waits until it is there.
    pub async fn join(self, other: Client) -> Result<Side> {
        match self {
            Self::Desktop(Place { host, server, clips, name }) => {
                let mut side = DesktopSide::join(host, &server.room_url(ROOM), name, clips, other)?;
                side.joined().await?;
                Ok(Side::Desktop(side))
            }
            Self::Chromium(place, page) => {
                page.join(place.name).await?;
                Ok(Side::Chromium(*page))
            }
        }
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
pub async fn records(pair: Pair, near: &Side, far: &Side) -> Result<[Record; 2]> {
    let (mut pages, mut records) = ([None, None], [Record::default(), Record::default()]);
    for (index, side) in [near, far].into_iter().enumerate() {
        match side {
            Side::Desktop(desktop) => records[index] = desktop.record()?,
            Side::Chromium(page) => pages[index] = Some(page.watched().await?),
        }
    }
    for (index, other) in [pair.far, pair.near].into_iter().enumerate() {
        if let Some(page) = &pages[index] {
            records[index] = page.record(other, pages[1 - index].as_ref());
        }
    }
    Ok(records)
}
