//! Opens the real window over made-up snapshots, to look at it and to profile it.
//!
//! `cargo run -p call-ui --example gallery -- SCREEN [light|dark] [WIDTHxHEIGHT] [FPS] [gl|rgba] [SECONDS]`, where SCREEN is one of start, rooms,
//! create, preview, password, call, alone, pair, grid, speaker, chat, devices, joining, ended, trust, notices, world. After SECONDS it prints its CPU time and ends.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a program for developers"
)]

#[path = "../tests/fabricated/mod.rs"]
mod fabricated;

use std::time::{Duration, Instant};

use call_core::snapshot::{Notice, NoticeLevel, RoomConnection, Snapshot, TrustPrompt};
use call_ui::{Initial, Renderer, Window};
use eframe::egui;
use fabricated::Pictures;

struct Gallery {
    window: Window,
    snapshot: Snapshot,
    pictures: Pictures,
    pace: Duration,
    next: Instant,
    started: Instant,
    seconds: Option<f64>,
    passes: u32,
}

impl eframe::App for Gallery {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let now = Instant::now();
        if self.pace > Duration::ZERO && now >= self.next {
            self.next = (self.next + self.pace).max(now);
            self.pictures.advance();
        }
        let speaking = fabricated::speaking();
        for command in self.window.show(ui, &self.snapshot, &self.pictures, &fabricated::Curves, &speaking) {
            println!("{command:?}");
        }
        if self.pace > Duration::ZERO {
            ui.ctx().request_repaint_after(self.next.saturating_duration_since(now));
        }
        self.passes += 1;
        if let Some(seconds) = self.seconds {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(seconds + 0.1));
        }
        if self.seconds.is_some_and(|s| self.started.elapsed().as_secs_f64() > s) {
            let seconds = self.started.elapsed().as_secs_f64();
            println!("{} passes in {seconds:.1} s; CPU time: {:.2} s", self.passes, cpu_seconds());
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn on_exit(&mut self, gl: Option<&eframe::glow::Context>) {
        if let Some(gl) = gl {
            self.window.release(gl);
        }
    }
}

/// User and system time of this process so far, from the kernel's own count (Linux; 0 elsewhere).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn snapshot(screen: &str) -> Snapshot {
    let mut call = fabricated::busy_call();
    let connect =
        |snapshot: &mut Snapshot, connection| snapshot.room.as_mut().unwrap().connection = connection;
    match screen {
        "start" => fabricated::start(),
        "rooms" | "create" => fabricated::rooms(),
        "preview" => fabricated::preview(),
        "password" => {
            let mut preview = fabricated::preview();
            let message = "The password is wrong. Type it again, or ask the person who made the room.".into();
            connect(&mut preview, RoomConnection::Refused { message, wants_password: true });
            preview
        }
        "alone" => fabricated::call(&[]),
        "pair" => fabricated::call(&["Ada Lovelace"]),
        "grid" => fabricated::call(&["Ada", "Alan", "Katherine"]),
        "speaker" => Snapshot { speaker_view: true, ..call },
        "joining" => {
            connect(&mut call, RoomConnection::Joining);
            call
        }
        "ended" => {
            connect(&mut call, RoomConnection::Ended { message: "The room was deleted.".into() });
            call
        }
        "world" => world(),
        "trust" => {
            let fingerprint =
                (0..32_u8).map(|b| format!("{:02X}", b.wrapping_mul(37))).collect::<Vec<_>>().join(":");
            call.trust = Some(TrustPrompt { host: "10.0.0.2:3000".into(), fingerprint, changed: false });
            call
        }
        "notices" => {
            let text = "The camera is in use by another program. Close it and press Try again.".into();
            call.notices = vec![Notice { id: 1, level: NoticeLevel::Error, text }];
            connect(&mut call, RoomConnection::Reconnecting { attempt: 3 });
            call
        }
        _ => call,
    }
}

/// Names and lines in scripts of every kind.
fn world() -> Snapshot {
    let names = [
        "דנה כהן-לוי (צוות 3)",
        "عبد الرحمن الخوارزمي",
        "王小明",
        "はるか 한국어",
        "Зоя Łukasz हिन्दी ไทย 🎉",
    ];
    let mut snapshot = fabricated::call(&names);
    let room = snapshot.room.as_mut().unwrap();
    for participant in &mut room.participants {
        participant.video_flowing = false;
        participant.camera = Some(false);
    }
    let lines = [
        "שלום לכולם! הפגישה מתחילה בשעה 10:30, נא להצטרף בזמן (הקישור: https://meet.example.org) תודה.",
        "مرحبا بكم جميعا، سنبدأ الاجتماع الساعة ١٠:٣٠ صباحا. لا تتأخروا! (رقم 42)",
        "大家好，会议十点半开始。我们今天讨论新版本的发布计划，请提前阅读文档。",
        "Hello דנה, is 42 right? 👍 — yes 🎉",
        "नमस्ते, สวัสดี, 안녕하세요, γειά",
    ];
    let speaker = room.participants.iter().map(|p| (p.peer_id.clone(), p.display_name.clone())).cycle();
    let chat = speaker.zip(lines).map(|((id, name), text)| fabricated::chat(Some(&id), &name, text));
    room.chat = chat.collect();
    snapshot
}

fn main() -> eframe::Result {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |at: usize, default: &str| args.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let (width, height) =
        arg(2, "1280x800").split_once('x').map(|(w, h)| (w.parse().unwrap(), h.parse().unwrap())).unwrap();
    let fps: f64 = arg(3, "30").parse().unwrap();
    let theme =
        if arg(1, "dark") == "light" { egui::ThemePreference::Light } else { egui::ThemePreference::Dark };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([width, height]),
        renderer: eframe::Renderer::Glow,
        ..Default::default()
    };
    let start = Instant::now();
    let (screen, path) = (arg(0, "call"), arg(4, "gl"));
    let seconds = args.get(5).and_then(|s| s.parse().ok());
    eframe::run_native(
        "Roundtable",
        options,
        Box::new(move |cc| {
            let renderer = if path == "rgba" { Renderer::Rgba } else { Renderer::pick(cc.gl.as_deref()) };
            println!("renderer: {}", if matches!(renderer, Renderer::Rgba) { "RGBA" } else { "GL shader" });
            let initial = Initial { theme, ..Default::default() };
            Ok(Box::new(Gallery {
                window: Window::new(&cc.egui_ctx, renderer, initial),
                snapshot: snapshot(&screen),
                pictures: Pictures::new(1280, 720),
                pace: if fps > 0.0 { Duration::from_secs_f64(1.0 / fps) } else { Duration::ZERO },
                next: start,
                started: start,
                seconds,
                passes: 0,
            }))
        }),
    )
}
