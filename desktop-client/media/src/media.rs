//! The media side of a call: owner of the threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use media_core::audio::encodings::{Encodings, SoundMode};
use media_core::frame::I420Frame;
use media_core::slot::Slot;
use tokio::sync::mpsc;

use crate::audio::engine::{AudioHandle, AudioOrder, AudioSetup, Openers, audio};
use crate::audio::opener::opener;
use crate::audio::send::SendPath;
use crate::codec::opus::OpusError;
use crate::config::{MediaConfig, VoiceProcessing};
use crate::device_watch::{WatchHandle, device_watch};
use crate::event::{DeviceKind, Events, MediaEvent};
use crate::layers::LayerTarget;
use crate::player::PeerPlayer;
use crate::repaint::Repaint;
use crate::source::{CameraSource, MicrophoneSource, SpeakerSink};
use crate::stats::{CaptureStats, MediaStats};
use crate::subscription::{
    AUDIO_CAPACITY, KeyFrameRequester, LayerChoice, SoundChoice, Subscription, VIDEO_CAPACITY,
};
use crate::video::camera::{self, CameraOrder, CameraOutputs, CameraThread};
use crate::video::decode::{DecoderHandle, decoder};
use crate::video::encode::{EncoderHandle, encoder};

/// How long the threads may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// The media side could not be started at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No more threads.
    #[error("a media thread could not be started: {0}")]
    Thread(#[from] io::Error),
    /// No audio encoder.
    #[error(transparent)]
    Opus(#[from] OpusError),
}

/// Owns the media threads; dropping it stops and joins them.
pub struct Media {
    camera: SyncSender<CameraOrder>,
    encoder: EncoderHandle,
    decoder: DecoderHandle,
    audio: AudioHandle,
    music: AtomicBool,
    devices: WatchHandle,
    local: Slot<Arc<I420Frame>>,
    capture_stats: Slot<CaptureStats>,
    repaint: Repaint,
    threads: Vec<JoinHandle<()>>,
}

impl Media {
    /// Starts the threads and opens the devices that are on. Their success or failure comes as events through `events`,
    /// whose queue should hold 64 or more: an event that finds it full is lost.
    pub fn start(config: MediaConfig, events: mpsc::Sender<MediaEvent>) -> Result<Self, StartError> {
        let events = Events(events);
        let repaint = Repaint::default();
        let (encoder, encode_thread) = encoder(config.video.clone(), Instant::now());
        let (decoder, decode_thread) = decoder(repaint.clone());
        let (microphone_opener, microphone_thread) = opener();
        let (speaker_opener, speaker_thread) = opener();
        let (audio, audio_thread) = audio(AudioSetup {
            microphone: config.microphone.clone(),
            microphone_enabled: config.microphone_enabled,
            voice: config.voice,
            speaker: config.speaker.clone(),
            send: SendPath::new()?,
            openers: Openers { microphone: microphone_opener, speaker: speaker_opener },
            events: events.clone(),
        });
        let (devices, devices_thread) = device_watch(events.clone());
        let camera_queue = camera::queue();
        let mut media = Self {
            camera: camera_queue.0.clone(),
            encoder,
            decoder,
            audio,
            music: AtomicBool::new(false),
            devices,
            local: Slot::new(),
            capture_stats: Slot::new(),
            repaint,
            threads: Vec::with_capacity(7),
        };
        media.spawn_camera(config, camera_queue, events)?;
        media.spawn("video-encode", move || encode_thread.run())?;
        media.spawn("video-decode", move || decode_thread.run())?;
        let audio = media.audio.clone();
        media.spawn("microphone", move || {
            microphone_thread.run(|news| audio.order(AudioOrder::Opened(news)));
        })?;
        let audio = media.audio.clone();
        media.spawn("speaker", move || speaker_thread.run(|news| audio.order(AudioOrder::Opened(news))))?;
        media.spawn("audio", move || audio_thread.run())?;
        media.spawn("device-list", move || devices_thread.run())?;
        Ok(media)
    }

    fn spawn_camera(
        &mut self,
        config: MediaConfig,
        queue: (SyncSender<CameraOrder>, Receiver<CameraOrder>),
        events: Events,
    ) -> Result<(), StartError> {
        let outputs = CameraOutputs {
            local: self.local.clone(),
            repaint: self.repaint.clone(),
            encoder: self.encoder.clone(),
            events,
            stats: self.capture_stats.clone(),
        };
        // Sources need not be Send, so the camera's state is made on its own thread.
        self.spawn("camera", move || {
            CameraThread::new(config.camera, config.camera_enabled, config.video, outputs, queue).run();
        })
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
        self.threads.push(Builder::new().name(name.to_owned()).spawn(body)?);
        Ok(())
    }

    /// Switches the camera on or off. Off closes the device.
    pub fn set_camera_enabled(&self, enabled: bool) {
        let _ = self.camera.send(CameraOrder::Enable(enabled));
    }

    /// Switches the microphone on or off. Off sends silence.
    pub fn set_microphone_enabled(&self, enabled: bool) {
        self.audio.order(AudioOrder::EnableMicrophone(enabled));
    }

    /// While on, the microphone is open also while it is off and nobody listens: switched on, it is heard at once.
    pub fn set_microphone_stand_by(&self, on: bool) {
        self.audio.order(AudioOrder::StandBy(on));
    }

    /// Processes the microphone's sound in this way from now on.
    pub fn process_voice(&self, parts: VoiceProcessing) {
        self.audio.order(AudioOrder::Process(parts));
    }

    /// Sends sound of this kind from now on; at the start that is a voice. Of a microphone with two channels music is stereo, and nothing of it is processed.
    pub fn set_sound_mode(&self, mode: SoundMode) {
        self.music.store(mode == SoundMode::Music, Ordering::Relaxed);
        self.audio.order(AudioOrder::Mode(mode));
    }

    /// Which kind of sound we send.
    pub fn sound_mode(&self) -> SoundMode {
        if self.music.load(Ordering::Relaxed) { SoundMode::Music } else { SoundMode::Voice }
    }

    /// Encodes our sound in this way from now on, for all peers, while it is of this kind. Until the first call that is [`Encodings::start`].
    pub fn encode_sound(&self, encodings: Encodings) {
        self.audio.order(AudioOrder::Encode(encodings));
    }

    /// Takes pictures from here from now on.
    pub fn choose_camera(&self, source: Option<CameraSource>) {
        let _ = self.camera.send(CameraOrder::Choose(source));
    }

    /// Takes sound from here from now on.
    pub fn choose_microphone(&self, source: Option<MicrophoneSource>) {
        self.audio.order(AudioOrder::ChooseMicrophone(source));
    }

    /// Plays sound there from now on.
    pub fn choose_speaker(&self, sink: SpeakerSink) {
        self.audio.order(AudioOrder::ChooseSpeaker(sink));
    }

    /// Opens a failed device again.
    pub fn retry(&self, kind: DeviceKind) {
        match kind {
            DeviceKind::Camera => {
                let _ = self.camera.send(CameraOrder::Retry);
            }
            DeviceKind::Microphone | DeviceKind::Speaker => self.audio.order(AudioOrder::Retry(kind)),
        }
    }

    /// Says soon, as events, which devices there are.
    pub fn list_devices(&self) {
        self.devices.list();
    }

    /// While on: says, as events, when devices come and go. Costs a look at the system every two seconds.
    pub fn watch_devices(&self, on: bool) {
        self.devices.watch(on);
    }

    /// Our own newest picture; empty while the camera is off.
    pub fn local_video(&self) -> Slot<Arc<I420Frame>> {
        self.local.clone()
    }

    /// Sets what is called, from media threads, whenever a picture changed anywhere. It must not block.
    pub fn set_repaint(&self, callback: Arc<dyn Fn() + Send + Sync>) {
        self.repaint.set(callback);
    }

    /// Starts sending to one more peer.
    pub fn subscribe(&self) -> Subscription {
        let (video_sender, video) = mpsc::channel(VIDEO_CAPACITY);
        let (audio_sender, audio) = mpsc::channel(AUDIO_CAPACITY);
        let wishes = self.encoder.subscribe(video_sender);
        let sound = SoundChoice::default();
        self.audio.order(AudioOrder::Subscribe(audio_sender, sound.clone()));
        Subscription {
            video,
            audio,
            key_frames: KeyFrameRequester(wishes.clone()),
            layers: LayerChoice(wishes),
            sound,
        }
    }

    /// Sets what is encoded from the next picture on, each layer once for all peers; until the first call that is
    /// [`LayerTarget::camera_size`] at the settings' limits. A layer that no subscription chose costs nothing. A new rate needs no key frame, a new
    /// size does. The encoder of a layer that is not listed is kept for five seconds, so that one that comes back goes on where it was. An empty
    /// list encodes nothing. Targets of layers from [`crate::MAX_LAYERS`] on, and second ones of a layer, are ignored.
    pub fn set_layers(&self, layers: Vec<LayerTarget>) {
        self.encoder.set_targets(layers);
    }

    /// Starts playing one more peer.
    pub fn add_peer(&self) -> PeerPlayer {
        PeerPlayer::new(self.decoder.add(), self.audio.add_player())
    }

    /// Figures of our own side.
    pub fn stats(&self) -> MediaStats {
        let mut capture = self.capture_stats.peek().unwrap_or_default();
        capture.dropped = self.encoder.dropped();
        let encoder = self.encoder.figures();
        MediaStats { capture, layers: encoder.layers, encode_load: encoder.load, audio: self.audio.stats() }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        let _ = self.camera.send(CameraOrder::Stop);
        self.encoder.stop();
        self.decoder.stop();
        self.audio.order(AudioOrder::Stop);
        self.devices.stop();
        let deadline = Instant::now() + STOP_PATIENCE;
        for thread in self.threads.drain(..) {
            // A thread that hangs in a driver or a sound service is left behind: the program must be able to end.
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                tracing::warn!(thread = thread.thread().name(), "a media thread does not end");
            }
        }
    }
}
