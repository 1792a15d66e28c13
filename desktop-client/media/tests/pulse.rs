//! Real sound devices: a private PulseAudio with a null sink, whose monitor is the microphone.
//!
//! cpal finds the server by the environment, so each test runs itself again in a child process that has it, beside a daemon of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use call_media::codec::opus::{AudioDecoder, AudioEncoder, Form, SAMPLES_PER_PACKET};
use call_media::{
    DeviceError, DeviceKind, DeviceList, DeviceState, Media, MediaConfig, MediaEvent, MicrophoneSource,
    PeerPlayer, SpeakerSink, Subscription, VoiceProcessing,
};
use media_core::audio::encodings::SoundMode;
use media_core::audio::opus_packet;
use media_core::rtp::RtpPacket;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);
const CHILD: &str = "CALL_MEDIA_PULSE_DIR";

/// A daemon of our own, ended with the test.
struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> Self {
        let socket = socket(folder);
        let _ = std::fs::remove_file(&socket);
        let child = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"])
            .args(["-L", "module-null-sink sink_name=spk rate=48000 channels=2 sink_properties=device.description=TestSpeaker"])
            .args(["-L", "module-null-sink sink_name=surround rate=44100 channels=6 sink_properties=device.description=Surround"])
            // Last: who can connect finds all devices.
            .arg("-L")
            .arg(format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display()))
            .envs([("XDG_RUNTIME_DIR", folder), ("HOME", folder)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("pulseaudio is needed for this test: {error}"));
        let deadline = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "pulseaudio does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("pulse.sock")
}

/// Runs a test's body in a child whose sound server is a private one; the body is given the folder to start it in.
fn with_private_server(test: &str, body: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(CHILD) {
        return body(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, folder.path())
        .env("PULSE_SERVER", format!("unix:{}", socket(folder.path()).display()))
        .envs([("XDG_RUNTIME_DIR", folder.path()), ("HOME", folder.path())])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{}\n{text}", String::from_utf8_lossy(&child.stdout));
}

struct Bench {
    media: Media,
    events: mpsc::Receiver<MediaEvent>,
}

impl Bench {
    fn start(microphone: &str, speaker: &str) -> Self {
        let (sender, events) = mpsc::channel(64);
        let config = MediaConfig {
            microphone: Some(MicrophoneSource::Device(Some(microphone.to_owned()))),
            microphone_enabled: true,
            speaker: SpeakerSink::Device(Some(speaker.to_owned())),
            // A steady tone is noise to the noise suppression.
            voice: VoiceProcessing::OFF,
            ..MediaConfig::default()
        };
        Self { media: Media::start(config, sender).unwrap(), events }
    }

    /// Waits until the device is in a state.
    fn wait_for(&mut self, kind: DeviceKind, wanted: impl Fn(&DeviceState) -> bool) -> DeviceState {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "{kind:?} does not get there");
            let state = match self.events.try_recv() {
                Ok(MediaEvent::MicrophoneState(state)) if kind == DeviceKind::Microphone => state,
                Ok(MediaEvent::SpeakerState(state)) if kind == DeviceKind::Speaker => state,
                Ok(_) => continue,
                Err(_) => {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
            };
            if wanted(&state) {
                return state;
            }
        }
    }

    /// Why the microphone and the speaker failed, in whatever order they did.
    fn wait_until_failed(&mut self) -> (DeviceError, DeviceError) {
        let (mut microphone, mut speaker) = (None, None);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let (Some(microphone), Some(speaker)) = (&microphone, &speaker) {
                return (DeviceError::clone(microphone), DeviceError::clone(speaker));
            }
            assert!(Instant::now() < deadline, "microphone {microphone:?}, speaker {speaker:?}");
            match self.events.try_recv() {
                Ok(MediaEvent::MicrophoneState(DeviceState::Failed(error))) => {
                    microphone.get_or_insert(error);
                }
                Ok(MediaEvent::SpeakerState(DeviceState::Failed(error))) => {
                    speaker.get_or_insert(error);
                }
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn wait_until_running(&mut self) {
        // The two come in either order, so the speaker's is not to be lost while waiting for the microphone's.
        let (mut microphone, mut speaker) = (DeviceState::Idle, DeviceState::Idle);
        let running = |state: &DeviceState| matches!(state, DeviceState::Running { .. });
        let deadline = Instant::now() + PATIENCE;
        while !(running(&microphone) && running(&speaker)) {
            assert!(Instant::now() < deadline, "microphone {microphone:?}, speaker {speaker:?}");
            match self.events.try_recv() {
                Ok(MediaEvent::MicrophoneState(state)) => microphone = state,
                Ok(MediaEvent::SpeakerState(state)) => speaker = state,
                Ok(_) => {}
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

fn failed(state: &DeviceState) -> bool {
    matches!(state, DeviceState::Failed(_))
}

/// A peer that sends a tone in real time.
struct TonePeer {
    encoder: AudioEncoder,
    hz: f64,
    start: Instant,
    sent: usize,
}

impl TonePeer {
    fn new(hz: f64) -> Self {
        Self::with(hz, Form::Voice)
    }

    /// On the left side only.
    fn left(hz: f64) -> Self {
        Self::with(hz, Form::Music { channels: 2 })
    }

    fn with(hz: f64, form: Form) -> Self {
        Self {
            encoder: AudioEncoder::new(form, 64_000, 0, SAMPLES_PER_PACKET).unwrap(),
            hz,
            start: Instant::now(),
            sent: 0,
        }
    }

    fn send_due(&mut self, player: &mut PeerPlayer) {
        while self.start.elapsed() >= Duration::from_millis(20) * self.sent as u32 {
            let first = self.sent * SAMPLES_PER_PACKET;
            let tone = (first..first + SAMPLES_PER_PACKET)
                .map(|n| (0.25 * (TAU * self.hz * n as f64 / 48_000.0).sin()) as f32)
                .flat_map(|sample| [sample, 0.0].into_iter().take(self.encoder.channels()));
            let tone: Vec<f32> = tone.collect();
            let payload = self.encoder.encode(&tone).unwrap();
            player.push_audio(RtpPacket {
                ssrc: 1,
                sequence_number: self.sent as u16,
                timestamp: first as u32,
                marker: self.sent == 0,
                payload,
                arrival: Instant::now(),
            });
            self.sent += 1;
        }
    }
}

/// Plays a tone to the speaker and collects what the microphone sends, until there are so many pieces of 100 ms that are loud throughout (on a
/// busy machine there are gaps).
fn play_and_record(
    peer: &mut TonePeer,
    player: &mut PeerPlayer,
    out: &mut Subscription,
    pieces: usize,
) -> Vec<Vec<f32>> {
    let mut decoder = AudioDecoder::new(1).unwrap();
    let (mut whole, mut piece, mut packet_samples) = (Vec::new(), Vec::new(), Vec::new());
    let deadline = Instant::now() + PATIENCE;
    while whole.len() < pieces {
        assert!(Instant::now() < deadline, "heard only {} pieces", whole.len());
        peer.send_due(player);
        while let Ok(packet) = out.audio.try_recv() {
            decoder.decode(&packet.data, &mut packet_samples).unwrap();
            let loud = |part: &[f32]| part.iter().any(|sample| sample.abs() > 0.15);
            if packet_samples.chunks(240).all(loud) {
                piece.extend_from_slice(&packet_samples);
            } else {
                piece.clear();
            }
            if piece.len() >= 4_800 {
                whole.push(std::mem::take(&mut piece));
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    whole
}

fn amplitude(signal: &[f32], hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in signal.iter().enumerate() {
        let phase = TAU * hz * n as f64 / 48_000.0;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    2.0 * (re * re + im * im).sqrt() / signal.len() as f64
}

/// The strongest of the frequencies from 100 Hz to 2 kHz, to 10 Hz.
fn loudest_frequency(signal: &[f32]) -> f64 {
    let candidates = (10..200).map(|n| f64::from(n) * 10.0);
    candidates.max_by(|a, b| amplitude(signal, *a).total_cmp(&amplitude(signal, *b))).unwrap()
}

fn rms(signal: &[f32]) -> f64 {
    (signal.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / signal.len() as f64).sqrt()
}

#[test]
fn a_tone_comes_back_through_speaker_and_microphone_with_its_pitch_and_level() {
    with_private_server(
        "a_tone_comes_back_through_speaker_and_microphone_with_its_pitch_and_level",
        |folder| {
            let _daemon = Daemon::start(folder);
            for sink in ["spk", "surround"] {
                let mut bench = Bench::start(&format!("{sink}.monitor"), sink);
                bench.wait_until_running();
                let mut player = bench.media.add_peer();
                let mut out = bench.media.subscribe();
                let pieces = play_and_record(&mut TonePeer::new(650.0), &mut player, &mut out, 8);
                let hz = median(pieces.iter().map(|piece| loudest_frequency(piece)).collect());
                assert!((hz - 650.0).abs() <= 10.0, "{sink}: {hz} Hz");
                let level = median(pieces.iter().map(|piece| rms(piece)).collect());
                assert!((level / (0.25 / 2.0_f64.sqrt()) - 1.0).abs() < 0.2, "{sink}: {level}");
            }
        },
    );
}

#[test]
fn what_is_played_on_the_left_is_captured_on_the_left() {
    with_private_server("what_is_played_on_the_left_is_captured_on_the_left", |folder| {
        let _daemon = Daemon::start(folder);
        let mut bench = Bench::start("spk.monitor", "spk");
        bench.wait_until_running();
        bench.media.set_sound_mode(SoundMode::Music);
        let mut player = bench.media.add_peer();
        let mut out = bench.media.subscribe();
        let mut peer = TonePeer::left(650.0);
        let mut decoder = AudioDecoder::new(2).unwrap();
        let (mut sides, mut samples) = (Vec::new(), Vec::new());
        let deadline = Instant::now() + PATIENCE;
        while sides.len() < 50 {
            assert!(Instant::now() < deadline, "heard only {} packets", sides.len());
            peer.send_due(&mut player);
            while let Ok(packet) = out.audio.try_recv() {
                decoder.decode(&packet.data, &mut samples).unwrap();
                let side =
                    |side: usize| rms(&samples.iter().skip(side).step_by(2).copied().collect::<Vec<_>>());
                if opus_packet::is_stereo(&packet.data) && side(0) > 0.1 {
                    sides.push(side(1) / side(0));
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let aside = median(sides);
        assert!(aside < 0.01, "{aside}");
    });
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn devices_are_listed_with_id_name_and_default() {
    with_private_server("devices_are_listed_with_id_name_and_default", |folder| {
        let _daemon = Daemon::start(folder);
        let list = DeviceList::query();
        let names: Vec<&str> = list.speakers.iter().map(|device| device.name.as_str()).collect();
        assert!(names.contains(&"TestSpeaker") && names.contains(&"Surround"), "{list:?}");
        for devices in [&list.speakers, &list.microphones] {
            assert_eq!(devices.iter().filter(|device| device.is_default).count(), 1, "{list:?}");
            assert!(devices[0].is_default, "the default comes first");
        }
        // The id that the list gives opens the device, and so does its name.
        for wanted in [list.speakers[0].id.as_str(), "Surround"] {
            let mut bench = Bench::start(&list.microphones[0].id, wanted);
            bench.wait_until_running();
        }
    });
}

#[test]
fn a_device_that_does_not_exist_is_named_and_the_call_goes_on() {
    with_private_server("a_device_that_does_not_exist_is_named_and_the_call_goes_on", |folder| {
        let _daemon = Daemon::start(folder);
        let mut bench = Bench::start("spk.monitor", "no-such-speaker");
        let DeviceState::Failed(error) = bench.wait_for(DeviceKind::Speaker, failed) else { unreachable!() };
        assert_eq!(error.device, "no-such-speaker");
        let mut out = bench.media.subscribe();
        let deadline = Instant::now() + PATIENCE;
        let mut packets = 0;
        while packets < 10 {
            assert!(Instant::now() < deadline);
            packets += usize::from(out.audio.try_recv().is_ok());
            std::thread::sleep(Duration::from_millis(2));
        }
        bench.media.choose_speaker(SpeakerSink::Device(Some("spk".into())));
        bench.wait_for(DeviceKind::Speaker, |state| matches!(state, DeviceState::Running { .. }));
    });
}

#[test]
fn devices_that_die_are_told_and_come_back() {
    with_private_server("devices_that_die_are_told_and_come_back", |folder| {
        let daemon = Daemon::start(folder);
        let mut bench = Bench::start("spk.monitor", "spk");
        bench.wait_until_running();
        let mut player = bench.media.add_peer();
        let mut out = bench.media.subscribe();
        let mut peer = TonePeer::new(500.0);
        play_and_record(&mut peer, &mut player, &mut out, 1);
        drop(daemon);
        let (_, speaker) = bench.wait_until_failed();
        assert!(speaker.to_string().contains("TestSpeaker"));
        // Silence goes out meanwhile, and what the peer sends is still taken in.
        let deadline = Instant::now() + PATIENCE;
        let before = bench.media.stats().audio.packets_encoded;
        let received = player.stats().audio.total_samples_received;
        while bench.media.stats().audio.packets_encoded < before + 10
            || player.stats().audio.total_samples_received < received + 4_800
        {
            assert!(Instant::now() < deadline);
            peer.send_due(&mut player);
            while out.audio.try_recv().is_ok() {}
            std::thread::sleep(Duration::from_millis(5));
        }
        let _daemon = Daemon::start(folder);
        // The microphone by itself, the speaker because a person asks for it.
        bench.media.retry(DeviceKind::Speaker);
        bench.wait_until_running();
        play_and_record(&mut peer, &mut player, &mut out, 1);
    });
}

#[test]
fn a_speaker_that_is_unplugged_is_told() {
    with_private_server("a_speaker_that_is_unplugged_is_told", |folder| {
        let _daemon = Daemon::start(folder);
        let mut bench = Bench::start("surround.monitor", "spk");
        bench.wait_until_running();
        let unplugged = Command::new("pactl").args(["unload-module", "module-null-sink"]).status().unwrap();
        assert!(unplugged.success());
        bench.wait_for(DeviceKind::Speaker, failed);
    });
}

#[test]
fn without_a_sound_server_the_reason_is_said() {
    with_private_server("without_a_sound_server_the_reason_is_said", |_folder| {
        let mut bench = Bench::start("pulseaudio:spk.monitor", "pulseaudio:spk");
        let (microphone, speaker) = bench.wait_until_failed();
        for error in [microphone, speaker] {
            let sentence = error.to_string();
            assert!(sentence.contains("spk") && sentence.ends_with('.'), "{sentence}");
        }
    });
}
