//! How each screen looks, in dark and light, in a wide and a narrow window.
//!
//! Drawn by wgpu on Mesa's software Vulkan. After a wanted change: `UPDATE_SNAPSHOTS=1 cargo nextest run -p call-ui --test pictures`, and look at them.

mod fabricated;

use call_core::snapshot::{
    DeviceState, Notice, NoticeLevel, RoomConnection, RoomsState, Snapshot, TrustPrompt,
};
use call_core::volume::{Hearing, Volume};
use call_ui::{Initial, Renderer, VideoFrames, Window};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use fabricated::{Curves, NoPictures, Pictures};

const WIDE: (f32, f32) = (1280.0, 800.0);
const NARROW: (f32, f32) = (420.0, 700.0);

/// Takes pictures of a snapshot in both themes, after `steps` with the harness.
fn pictures(
    results: &mut SnapshotResults,
    name: &str,
    size: (f32, f32),
    snapshot: &Snapshot,
    video: bool,
    steps: impl Fn(&mut Harness<'_>),
) {
    for (theme, suffix) in [(egui::Theme::Dark, "dark"), (egui::Theme::Light, "light")] {
        let preference = if theme == egui::Theme::Dark {
            egui::ThemePreference::Dark
        } else {
            egui::ThemePreference::Light
        };
        let mut window: Option<Window> = None;
        let frames: Box<dyn VideoFrames> =
            if video { Box::new(Pictures::new(320, 180)) } else { Box::new(NoPictures) };
        let mut harness = Harness::builder().with_size(size).with_theme(theme).wgpu().build_ui(|ui| {
            // The fonts hold from the next pass on.
            let ctx = ui.ctx().clone();
            let Some(window) = &mut window else {
                let initial = Initial { theme: preference, ..Default::default() };
                window = Some(Window::new(&ctx, Renderer::Rgba, initial));
                ctx.request_repaint();
                return;
            };
            // As in the program, without the margin that the harness puts around.
            let whole = egui::UiBuilder::new().max_rect(ctx.content_rect());
            ui.scope_builder(whole, |ui| {
                window.show(ui, snapshot, frames.as_ref(), &Curves, &fabricated::speaking())
            });
        });
        harness.run_steps(4);
        steps(&mut harness);
        harness.run_steps(4);
        // Another processor rounds a few edge pixels of another shade: a glyph that moved is hundreds of pixels.
        let options = SnapshotOptions::new().threshold(1.5).max_failed_pixels(20);
        results.add(harness.try_snapshot_options(format!("{name}_{suffix}"), &options));
    }
}

fn click(label: &'static str) -> impl Fn(&mut Harness<'_>) {
    move |harness| {
        harness.get_by_label(label).click_accesskit();
        harness.run_steps(2);
    }
}

fn nothing(_: &mut Harness<'_>) {}

#[test]
fn start_before_a_server_is_chosen() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "start_empty", WIDE, &fabricated::start(), false, nothing);
}

#[test]
fn start_with_rooms() {
    let mut results = SnapshotResults::new();
    // Names in bundled letters only: which system fonts there are must not matter.
    let mut snapshot = fabricated::rooms();
    if let RoomsState::Loaded(rooms) = &mut snapshot.server.rooms {
        rooms[1] = fabricated::room("design", "Design review", 2, 2, false, &["Zoë", "Łukasz"]);
    }
    pictures(&mut results, "start_rooms", WIDE, &snapshot, false, nothing);
    pictures(&mut results, "start_rooms_narrow", NARROW, &snapshot, false, nothing);
    pictures(&mut results, "start_delete", WIDE, &snapshot, false, click("Delete Morning stand-up…"));
}

#[test]
fn start_when_the_server_does_not_answer() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::rooms();
    let text = "The server does not answer (connection refused). Check the address and your connection, then try again.";
    snapshot.server.rooms = RoomsState::Failed(text.into());
    pictures(&mut results, "start_failed", WIDE, &snapshot, false, nothing);
}

#[test]
fn start_with_the_form_for_a_room() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::rooms();
    snapshot.server.rooms = RoomsState::Loaded(Vec::new());
    snapshot.server.form_error = Some("A room with this id exists already. Choose another id.".into());
    pictures(&mut results, "start_create", WIDE, &snapshot, false, click("New room…"));
    pictures(&mut results, "start_create_narrow", NARROW, &snapshot, false, click("New room…"));
}

#[test]
fn preview() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "preview", WIDE, &fabricated::preview(), true, nothing);
    pictures(&mut results, "preview_narrow", NARROW, &fabricated::preview(), true, nothing);
}

#[test]
fn preview_with_everything_wrong() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::preview();
    let message = "The password is wrong. Type it again, or ask the person who made the room.".into();
    snapshot.room.as_mut().unwrap().connection = RoomConnection::Refused { message, wants_password: true };
    snapshot.devices.microphone.enabled = false;
    snapshot.devices.camera.state = DeviceState::Failed(
        "The camera “Integrated camera” is in use by another program. Close it and press Try again.".into(),
    );
    pictures(&mut results, "preview_refused", WIDE, &snapshot, false, nothing);
}

#[test]
fn call() {
    let mut results = SnapshotResults::new();
    pictures(&mut results, "call", WIDE, &fabricated::busy_call(), true, nothing);
    pictures(&mut results, "call_narrow", NARROW, &fabricated::busy_call(), true, nothing);
    pictures(&mut results, "call_alone", WIDE, &fabricated::call(&[]), true, nothing);
    pictures(&mut results, "call_pair", WIDE, &fabricated::call(&["Ada Lovelace"]), true, nothing);
    pictures(&mut results, "call_pair_narrow", NARROW, &fabricated::call(&["Ada Lovelace"]), true, nothing);
}

#[test]
fn call_with_its_panels() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::busy_call();
    pictures(&mut results, "call_chat", WIDE, &snapshot, true, click("Chat, 3 unread"));
    pictures(&mut results, "call_chat_narrow", NARROW, &snapshot, true, click("Chat, 3 unread"));
    snapshot.room.as_mut().unwrap().participants.truncate(3);
    pictures(&mut results, "call_devices", WIDE, &snapshot, true, click("Devices…"));
    snapshot.room.as_mut().unwrap().participants.truncate(1);
    pictures(&mut results, "call_statistics", WIDE, &snapshot, true, click("Statistics"));
    pictures(&mut results, "call_statistics_narrow", NARROW, &snapshot, true, click("Statistics"));
}

#[test]
fn call_with_volumes_of_people() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::busy_call();
    let people = &mut snapshot.room.as_mut().unwrap().participants;
    people[0].hearing = Hearing::at(Volume::from_percent(150.0).unwrap());
    people[1].hearing.silenced = true;
    people[2].hearing = Hearing::at(Volume::from_percent(40.0).unwrap());
    pictures(&mut results, "call_volume", WIDE, &snapshot, true, click("Volume of Ada Lovelace"));
    pictures(&mut results, "call_volume_narrow", NARROW, &snapshot, true, click("Volume of Alan Turing"));
}

#[test]
fn call_while_a_key_is_held() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::call(&["Ada Lovelace", "Alan Turing"]);
    snapshot.devices.microphone.enabled = false;
    snapshot.devices.talking = true;
    pictures(&mut results, "call_talking", WIDE, &snapshot, true, nothing);
    pictures(&mut results, "call_talking_narrow", NARROW, &snapshot, true, nothing);
    (snapshot.devices.talking, snapshot.devices.push_to_talk) = (false, true);
    pictures(&mut results, "call_push_to_talk", WIDE, &snapshot, true, nothing);
    pictures(&mut results, "call_push_to_talk_narrow", NARROW, &snapshot, true, nothing);
}

#[test]
fn call_in_the_speaker_view() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::busy_call();
    snapshot.speaker_view = true;
    pictures(&mut results, "speaker", WIDE, &snapshot, true, nothing);
    pictures(&mut results, "speaker_narrow", NARROW, &snapshot, true, nothing);
    let room = snapshot.room.as_mut().unwrap();
    room.pinned = Some(room.participants[0].peer_id.clone());
    pictures(&mut results, "speaker_pinned_chat", WIDE, &snapshot, true, click("Chat, 3 unread"));
    let names = [
        "Ada",
        "Alan",
        "Grace",
        "Katherine",
        "Dorothy",
        "Mary",
        "Annie",
        "Hedy",
        "Radia",
        "Barbara",
        "Frances",
        "Jean",
    ];
    snapshot = fabricated::call(&names);
    snapshot.speaker_view = true;
    pictures(&mut results, "speaker_many", WIDE, &snapshot, true, nothing);
    pictures(&mut results, "speaker_many_narrow", NARROW, &snapshot, true, nothing);
}

#[test]
fn call_in_trouble() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::busy_call();
    let notice = |id, level, text: &str| Notice { id, level, text: text.into() };
    snapshot.notices = vec![
        notice(
            1,
            NoticeLevel::Warning,
            "Your network is slow: others get no picture of you for the moment, but they hear you.",
        ),
        notice(2, NoticeLevel::Info, "Alan Turing has joined."),
    ];
    snapshot.room.as_mut().unwrap().connection = RoomConnection::Reconnecting { attempt: 3 };
    snapshot.devices.camera.enabled = false;
    snapshot.devices.microphone.state =
        DeviceState::Failed("The microphone was unplugged. Plug it in again or choose another one.".into());
    pictures(&mut results, "call_trouble", WIDE, &snapshot, true, nothing);
    pictures(&mut results, "call_trouble_narrow", NARROW, &snapshot, true, nothing);
}

#[test]
fn way_in_and_out() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::call(&[]);
    snapshot.room.as_mut().unwrap().connection = RoomConnection::Joining;
    pictures(&mut results, "call_joining", WIDE, &snapshot, true, nothing);
    let message = "The room was deleted.".into();
    snapshot.room.as_mut().unwrap().connection = RoomConnection::Ended { message };
    pictures(&mut results, "call_ended", WIDE, &snapshot, true, nothing);
}

#[test]
fn trust() {
    let mut results = SnapshotResults::new();
    let mut snapshot = fabricated::rooms();
    snapshot.server.rooms = RoomsState::Loading;
    let fingerprint = (0..32_u8).map(|b| format!("{:02X}", b.wrapping_mul(37))).collect::<Vec<_>>().join(":");
    let prompt = TrustPrompt { host: "10.0.0.2:3000".into(), fingerprint, changed: false };
    snapshot.trust = Some(prompt.clone());
    pictures(&mut results, "trust", WIDE, &snapshot, false, nothing);
    snapshot.trust = Some(TrustPrompt { changed: true, ..prompt });
    pictures(&mut results, "trust_changed_narrow", NARROW, &snapshot, false, nothing);
}
