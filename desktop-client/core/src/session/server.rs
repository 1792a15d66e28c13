//! The server of the start screen: its address, its rooms, and the requests about them.

use std::collections::VecDeque;

use shared::RoomId;
use shared::rest::{CreateRoom, Room};

use super::seam::{RestAnswer, RestCall, RestEvent, RestFailure, RestOrder};
use crate::room_url::ServerUrl;
use crate::snapshot::{RoomsState, ServerView};
use crate::text::{prefix, single_line};

/// Longest address that is kept as typed, in bytes.
const TYPED_MAX_BYTES: usize = 2048;

/// Most rooms that are listed.
const ROOMS_MAX: usize = 1000;

/// Longest room name that is shown, in characters.
const ROOM_NAME_MAX_CHARS: usize = 128;

#[derive(Debug)]
pub(super) struct Server {
    view: ServerView,
    base: Option<ServerUrl>,
    last_request: u64,
    /// The newest list request, while it is under way.
    listing: Option<u64>,
    /// The create or delete request that is under way.
    changing: Option<u64>,
    orders: VecDeque<RestOrder>,
}

impl Server {
    /// Loads the rooms of the server that is remembered, if there is one.
    pub(super) fn new(typed: &str) -> Self {
        let view =
            ServerView { url: String::new(), rooms: RoomsState::Unknown, busy: false, form_error: None };
        let mut server = Self {
            view,
            base: None,
            last_request: 0,
            listing: None,
            changing: None,
            orders: VecDeque::new(),
        };
        if !typed.trim().is_empty() {
            server.set(typed);
        }
        server
    }

    pub(super) fn view(&self) -> &ServerView {
        &self.view
    }

    pub(super) fn base(&self) -> Option<&ServerUrl> {
        self.base.as_ref()
    }

    pub(super) fn poll_order(&mut self) -> Option<RestOrder> {
        self.orders.pop_front()
    }

    /// Takes what was typed. True if it is the address of a server.
    pub(super) fn set(&mut self, typed: &str) -> bool {
        self.view.url = prefix(typed.trim(), TYPED_MAX_BYTES).to_owned();
        self.view.form_error = None;
        self.view.busy = false;
        self.changing = None;
        self.listing = None;
        match ServerUrl::parse(typed) {
            Ok(base) => {
                self.base = Some(base);
                self.view.rooms = RoomsState::Unknown;
                self.refresh();
                true
            }
            Err(error) => {
                self.base = None;
                self.view.rooms = RoomsState::Failed(error.to_string());
                false
            }
        }
    }

    pub(super) fn refresh(&mut self) {
        if let Some(request) = self.order(RestCall::List) {
            self.listing = Some(request);
            // Rooms that are shown stay until there are newer ones.
            if !matches!(self.view.rooms, RoomsState::Loaded(_)) {
                self.view.rooms = RoomsState::Loading;
            }
        }
    }

    pub(super) fn create(&mut self, room: CreateRoom) {
        self.change(RestCall::Create(room));
    }

    pub(super) fn delete(&mut self, room: RoomId) {
        self.change(RestCall::Delete(room));
    }

    /// A sentence in place of the list of rooms.
    pub(super) fn fail(&mut self, message: String) {
        self.listing = None;
        self.view.rooms = RoomsState::Failed(message);
    }

    /// The room's name for people, as far as it is known.
    pub(super) fn name_of(&self, id: &RoomId) -> String {
        let RoomsState::Loaded(rooms) = &self.view.rooms else { return id.to_string() };
        let known = rooms.iter().find(|room| room.id == *id);
        known.map(|room| room.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_string())
    }

    pub(super) fn handle(&mut self, event: RestEvent) {
        if self.listing == Some(event.request) {
            self.listing = None;
            self.view.rooms = match event.result {
                Ok(RestAnswer::Rooms(rooms)) => RoomsState::Loaded(presentable(rooms)),
                Ok(RestAnswer::Created(_) | RestAnswer::Deleted) => {
                    RoomsState::Failed(RestFailure::Malformed.to_string())
                }
                Err(failure) => RoomsState::Failed(self.explain(&failure)),
            };
        } else if self.changing == Some(event.request) {
            self.changing = None;
            self.view.busy = false;
            self.view.form_error = event.result.err().map(|failure| self.explain(&failure));
            self.refresh();
        }
    }

    fn change(&mut self, call: RestCall) {
        if self.changing.is_some() {
            return;
        }
        self.changing = self.order(call);
        self.view.busy = self.changing.is_some();
        let missing = || "Type the address of a server first.".to_owned();
        self.view.form_error = self.changing.is_none().then(missing);
    }

    fn order(&mut self, call: RestCall) -> Option<u64> {
        let server = self.base.as_ref()?.to_string();
        self.last_request += 1;
        self.orders.push_back(RestOrder { request: self.last_request, server, call });
        Some(self.last_request)
    }

    /// The failure's sentence; with the likely cause, when it was us who chose https.
    fn explain(&self, failure: &RestFailure) -> String {
        let guessed = !self.view.url.contains("://")
            && self.base.as_ref().is_some_and(|base| base.as_str().starts_with("https:"));
        match failure {
            RestFailure::Unreachable(_) if guessed => {
                format!("{failure} If the server has no certificate, put http:// before its address.")
            }
            RestFailure::Unreachable(_) | RestFailure::Refused { .. } | RestFailure::Malformed => {
                failure.to_string()
            }
        }
    }
}

/// Bounded, and with names that are safe to show.
fn presentable(mut rooms: Vec<Room>) -> Vec<Room> {
    rooms.truncate(ROOMS_MAX);
    for room in &mut rooms {
        room.name = single_line(&room.name, ROOM_NAME_MAX_CHARS);
    }
    rooms
}
