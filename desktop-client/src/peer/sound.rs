//! Our sound on the way to one peer: usual or thin, with how many copies; and how it is encoded for all of them ([`media_core::audio::encodings`] decides).

use std::time::Instant;

use call_media::SoundChoice;
use media_core::audio::encodings::{self, EncodingChoice, Encodings, Listener, SoundMode};
use media_core::audio::redundancy::{self, MAX_COPIES, Redundancy};
use media_core::audio::thin_path::ThinPath;
use media_core::bitrate::Bitrate;

use super::send::CopiesChoice;
use super::sending::PathReport;

/// Follows one path.
pub struct SoundPath {
    choice: SoundChoice,
    /// `None`: the peer does not understand copies.
    copies: Option<CopiesChoice>,
    thin: ThinPath,
    redundancy: Redundancy,
    listener: Listener,
}

impl SoundPath {
    /// Of a peer who gets this sound, and copies if it understands them.
    pub fn new(choice: SoundChoice, copies: Option<CopiesChoice>) -> Self {
        Self {
            choice,
            copies,
            thin: ThinPath::default(),
            redundancy: Redundancy::default(),
            listener: Listener::default(),
        }
    }

    /// Takes what is known of the path; gives what sound takes of it.
    pub fn update(&mut self, report: &PathReport, encodings: &Encodings, now: Instant) -> Bitrate {
        let (mode, estimate) = (encodings.mode, report.estimate);
        let loss = report.estimator.fraction_lost.unwrap_or_default();
        let thin = self.thin.update(estimate, mode, now);
        self.choice.set_thin(thin);
        let copies = self.copies.as_ref().map_or(0, |choice| {
            let copies = self.redundancy.update(loss, estimate, thin, mode, now);
            choice.set(copies);
            copies
        });
        self.listener = Listener { loss, estimate, copies, thin, ..self.listener };
        on_the_wire(encodings.get(thin).bitrate, copies, thin)
    }

    /// What our pictures would take if they were as good as they can be.
    pub fn set_pictures(&mut self, wanted: Bitrate) {
        self.listener.pictures = wanted;
    }

    /// What is known of the peer.
    pub fn listener(&self) -> Listener {
        self.listener
    }
}

/// How sound is encoded for everybody.
pub struct SharedSound {
    choice: EncodingChoice,
    encodings: Encodings,
}

impl SharedSound {
    /// Before anybody listens.
    pub fn new(mode: SoundMode) -> Self {
        Self { choice: EncodingChoice::default(), encodings: Encodings::start(mode) }
    }

    /// How it is encoded now.
    pub fn encodings(&self) -> &Encodings {
        &self.encodings
    }

    /// The most that sound may take of a path, copies included: room for it is looked for.
    pub fn most(&self) -> Bitrate {
        on_the_wire(self.encodings.mode.most(), MAX_COPIES, false)
    }

    /// Takes what is known of everybody; gives how sound is encoded from now on.
    pub fn update(&mut self, mode: SoundMode, listeners: &[Listener], now: Instant) -> Encodings {
        self.encodings = self.choice.update(mode, listeners, now);
        self.encodings
    }
}

fn on_the_wire(bitrate: Bitrate, copies: u8, thin: bool) -> Bitrate {
    encodings::rate(bitrate, thin).saturating_add(redundancy::rate(copies, bitrate, thin))
}
