//! Made-up snapshots and moving pictures, for tests and for the gallery.

#![allow(dead_code, clippy::unwrap_used, reason = "made for tests, each of which uses a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use call_core::link::ConnectionState;
use call_core::snapshot::{
    ChatLine, DeviceInfo, DeviceState, DeviceView, DevicesView, ParticipantView, RoomConnection, RoomView,
    RoomsState, Screen, ServerView, Snapshot, VoiceProcessing,
};
use call_core::volume::Hearing;
use call_ui::{CallFigures, Figure, SECONDS, Speaking, VideoFrames};
use media_core::frame::I420Frame;
use shared::rest::{Room, RoomPeer};
use shared::{DisplayName, PeerId, RoomId};

/// An id.
pub fn peer_id(text: &str) -> PeerId {
    PeerId::parse(text).unwrap()
}

/// The start screen with nothing remembered.
pub fn start() -> Snapshot {
    Snapshot {
        screen: Screen::Start,
        display_name: String::new(),
        server: ServerView { url: String::new(), rooms: RoomsState::Unknown, busy: false, form_error: None },
        room: None,
        speaker_view: false,
        devices: devices(),
        notices: Vec::new(),
        trust: None,
    }
}

/// The start screen of Grace with a few rooms.
pub fn rooms() -> Snapshot {
    let mut snapshot = start();
    snapshot.display_name = "Grace Hopper".into();
    snapshot.server.url = "https://meet.example.org".into();
    snapshot.server.rooms = RoomsState::Loaded(vec![
        room(
            "stand-up",
            "Morning stand-up",
            3,
            8,
            false,
            &["Ada Lovelace", "Alan Turing", "Katherine Johnson"],
        ),
        room("design", "Design review", 2, 2, false, &["王小明", "דנה כהן"]),
        room("board", "Board meeting", 4, 12, true, &[]),
        room("lobby", "", 0, 8, false, &[]),
    ]);
    snapshot
}

/// A room of the list.
pub fn room(id: &str, name: &str, participants: u32, capacity: u32, locked: bool, peers: &[&str]) -> Room {
    let peer = |(i, name): (usize, &&str)| RoomPeer {
        peer_id: peer_id(&format!("{id}-{i}")),
        display_name: DisplayName::sanitize(name),
    };
    Room {
        id: RoomId::parse(id).unwrap(),
        name: name.into(),
        created_at: "2026-11-23T09:00:00Z".into(),
        participants,
        capacity,
        locked,
        peers: peers.iter().enumerate().map(peer).collect(),
    }
}

/// The preview of the stand-up.
pub fn preview() -> Snapshot {
    let mut snapshot = rooms();
    snapshot.screen = Screen::Preview;
    snapshot.room = Some(room_view(RoomConnection::Idle, &[]));
    snapshot
}

/// A call with these people.
pub fn call(names: &[&str]) -> Snapshot {
    let mut snapshot = rooms();
    snapshot.screen = Screen::Call;
    snapshot.room = Some(room_view(RoomConnection::Joined, names));
    snapshot
}

/// A call in which everything is going on at once: muted, camera off, connecting, failed, names of several scripts, chat.
pub fn busy_call() -> Snapshot {
    let names = [
        "Ada Lovelace",
        "Alan Turing",
        "Katherine Johnson",
        "Zoë van der Wijngaart-Konstantinopoulos the Third",
    ];
    let mut snapshot = call(&names);
    let room = snapshot.room.as_mut().unwrap();
    room.participants[0].rtt_ms = Some(23);
    room.participants[1].microphone = Some(false);
    room.participants[1].camera = Some(false);
    room.participants[2].connection = ConnectionState::Connecting;
    room.participants[2].video_flowing = false;
    room.participants[3].connection = ConnectionState::Failed;
    room.participants[3].video_flowing = false;
    let ada = room.participants[0].peer_id.clone();
    let alan = room.participants[1].peer_id.clone();
    room.chat = vec![
        chat(Some(&ada), "Ada Lovelace", "Good morning! Shall we start?"),
        chat(Some(&alan), "Alan Turing", "Yes. I am on the train, so my camera stays off."),
        chat(Some(&alan), "Alan Turing", "The notes are at https://notes.example.org/stand-up"),
        chat(None, "Grace Hopper", "Thanks — the compiler work is done, I am looking at the tests now."),
        ChatLine { undelivered: 1, ..chat(None, "Grace Hopper", "Two are still red.") },
    ];
    snapshot
}

/// A chat line.
pub fn chat(from: Option<&PeerId>, name: &str, text: &str) -> ChatLine {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed) + 1;
    ChatLine { number, from: from.cloned(), name: name.into(), text: text.into(), undelivered: 0 }
}

fn room_view(connection: RoomConnection, names: &[&str]) -> RoomView {
    RoomView {
        id: RoomId::parse("stand-up").unwrap(),
        name: "Morning stand-up".into(),
        link: "https://meet.example.org/room.html?id=stand-up".into(),
        connection,
        own_id: Some(peer_id("own")),
        participants: names.iter().enumerate().map(|(i, name)| participant(i, name)).collect(),
        pinned: None,
        chat: Vec::new(),
    }
}

/// Somebody who is connected, with picture and sound.
pub fn participant(index: usize, name: &str) -> ParticipantView {
    ParticipantView {
        peer_id: peer_id(&format!("peer-{index}")),
        display_name: name.into(),
        connection: ConnectionState::Connected,
        microphone: Some(true),
        camera: Some(true),
        video_flowing: true,
        sends_sound_only: false,
        gets_sound_only: false,
        rtt_ms: None,
        hearing: Hearing::default(),
    }
}

fn devices() -> DevicesView {
    let info = |id: &str, name: &str| DeviceInfo { id: id.into(), name: name.into() };
    let view = |available: Vec<DeviceInfo>| DeviceView {
        enabled: true,
        state: DeviceState::Running,
        available,
        chosen: None,
    };
    DevicesView {
        camera: view(vec![info("cam-1", "Integrated camera"), info("cam-2", "Desk camera 4K")]),
        microphone: view(vec![info("mic-1", "Built-in microphone")]),
        speaker: view(vec![info("out-1", "Headphones"), info("out-2", "Built-in speakers")]),
        voice: VoiceProcessing::default(),
        push_to_talk: false,
        talking: false,
    }
}

/// Pictures that look alike enough to people in rooms: a coloured background, a head and shoulders that move.
pub struct Pictures {
    size: (u32, u32),
    step: u32,
    epoch: Instant,
    made: std::cell::RefCell<std::collections::HashMap<String, (u32, Arc<I420Frame>)>>,
}

impl Pictures {
    /// Pictures of this size, at rest.
    pub fn new(width: u32, height: u32) -> Self {
        Self { size: (width, height), step: 0, epoch: Instant::now(), made: Default::default() }
    }

    /// Moves everybody on by a frame.
    pub fn advance(&mut self) {
        self.step += 1;
    }

    fn frame(&self, key: &str) -> Option<Arc<I420Frame>> {
        let mut made = self.made.borrow_mut();
        if let Some((step, frame)) = made.get(key)
            && *step == self.step
        {
            return Some(Arc::clone(frame));
        }
        let seed = key.bytes().map(u32::from).sum::<u32>();
        let frame = match made.get(key) {
            Some((_, before)) => Arc::new(moved(before, self.step, self.epoch)),
            None => Arc::new(person(self.size, seed, self.epoch)),
        };
        made.insert(key.to_owned(), (self.step, Arc::clone(&frame)));
        Some(frame)
    }
}

impl VideoFrames for Pictures {
    fn local(&self) -> Option<Arc<I420Frame>> {
        self.frame("own")
    }

    fn peer(&self, id: &PeerId) -> Option<Arc<I420Frame>> {
        self.frame(id.as_str())
    }
}

/// No pictures at all.
pub struct NoPictures;

impl VideoFrames for NoPictures {
    fn local(&self) -> Option<Arc<I420Frame>> {
        None
    }

    fn peer(&self, _: &PeerId) -> Option<Arc<I420Frame>> {
        None
    }
}

/// The first of the others speaks.
pub fn speaking() -> Speaking {
    Speaking { own: false, peers: [peer_id("peer-0")].into(), floor: Some(peer_id("peer-0")) }
}

/// Figures of a call over a network that dips once.
pub struct Curves;

impl Curves {
    fn figure(
        name: &'static str,
        unit: &'static str,
        digits: usize,
        value: impl Fn(f32) -> Option<f32>,
    ) -> Figure {
        Figure { name, unit, digits, values: (0..SECONDS).map(|second| value(second as f32)).collect() }
    }
}

impl CallFigures for Curves {
    fn own(&self) -> Vec<Figure> {
        vec![Self::figure("Processor", "%", 0, |t| Some(22.0 + (t * 0.7).sin() * 3.0))]
    }

    fn peer(&self, _: &PeerId) -> Vec<Figure> {
        let dip = |t: f32| if (20.0..35.0).contains(&t) { 0.2 } else { 1.0 };
        vec![
            Self::figure("Received video", "kbit/s", 0, move |t| {
                Some(1500.0 * dip(t) + (t * 1.3).sin() * 40.0)
            }),
            Self::figure("Pictures received", "per second", 0, move |t| (t > 3.0).then_some(30.0)),
            Self::figure("Round trip", "ms", 0, move |t| Some(24.0 / dip(t))),
            Self::figure("Available to send", "kbit/s", 0, move |t| Some(2200.0 * dip(t))),
        ]
    }
}

/// The same picture with a bright block that goes round in the upper part: cheap, so that a profile shows the window and not this.
fn moved(before: &I420Frame, step: u32, epoch: Instant) -> I420Frame {
    let (w, h) = (before.width() as usize, before.height() as usize);
    let side = h / 10;
    let mut data = before.data().to_vec();
    let at = |step: u32| (step as usize * 7) % (w - side);
    for (x, luma) in [(at(step.wrapping_sub(1)), 110), (at(step), 220)] {
        for row in side..2 * side {
            data[row * w + x..row * w + x + side].fill(luma);
        }
    }
    let time = epoch + Duration::from_millis(u64::from(step) * 33);
    I420Frame::from_vec(before.width(), before.height(), data, time).unwrap()
}

fn person((w, h): (u32, u32), seed: u32, epoch: Instant) -> I420Frame {
    let walls = [(150, 120, 130), (120, 140, 118), (165, 116, 140), (110, 132, 126), (140, 122, 122)];
    let wall = walls[seed as usize % walls.len()];
    let sway = (seed as f32 * 0.56).sin() * w as f32 * 0.03;
    let inside = |x: f32, y: f32, cx: f32, cy: f32, rx: f32, ry: f32| {
        let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
        dx * dx + dy * dy < 1.0
    };
    let (fw, fh) = (w as f32, h as f32);
    let color = |x: u32, y: u32| -> (u8, u8, u8) {
        let (x, y) = (x as f32, y as f32);
        if inside(x, y, fw * 0.47 + sway, fh * 0.42, fh * 0.17, fh * 0.22) {
            (170, 110, 150)
        } else if inside(x, y, fw * 0.47 + sway * 0.5, fh * 1.05, fh * 0.42, fh * 0.42) {
            (70 + (seed % 60) as u8, 140, 110)
        } else {
            (wall.0 - (y / fh * 40.0) as u8 + if x > fw * 0.75 { 25 } else { 0 }, wall.1, wall.2)
        }
    };
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut data = Vec::with_capacity(I420Frame::byte_len(w, h));
    data.extend((0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| color(x, y).0));
    data.extend((0..ch).flat_map(|y| (0..cw).map(move |x| (x, y))).map(|(x, y)| color(x * 2, y * 2).1));
    data.extend((0..ch).flat_map(|y| (0..cw).map(move |x| (x, y))).map(|(x, y)| color(x * 2, y * 2).2));
    I420Frame::from_vec(w, h, data, epoch).unwrap()
}
