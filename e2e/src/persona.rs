//! People with a face and a voice of their own, so that a test can tell whose picture and whose sound arrives.

use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::browser::{Browser, Devices};
use crate::clip::{self, VideoClip};
use crate::desktop;

/// Level of every voice: that of the desktop client's `tone`, in dB relative to full scale.
pub const LEVEL: f64 = -15.05;

/// Somebody who takes part in a call.
#[derive(Debug, Clone, Copy)]
pub struct Persona {
    /// The display name.
    pub name: &'static str,
    /// The voice: a tone of this frequency, in Hz.
    pub voice: u32,
    /// The face: marks that were this old when the clip was made. A desktop client's test pattern draws the time itself, so its marks are new.
    pub age: Duration,
}

/// A browser's.
pub const ADA: Persona = Persona { name: "Ada", voice: 440, age: Duration::from_secs(600) };
/// Another browser's; her name needs its own direction, a joiner and characters beyond the basic plane.
pub const MAYA: Persona =
    Persona { name: "מאיה 👩‍💻", voice: 620, age: Duration::from_secs(1_200) };
/// A desktop client's.
pub const DORA: Persona = Persona { name: "Dora", voice: 880, age: Duration::ZERO };
/// Another desktop client's.
pub const ERIK: Persona = Persona { name: "Erik", voice: 1_250, age: Duration::ZERO };

/// A browser whose camera and microphone are a persona's, and the clips that it plays.
#[derive(Debug)]
pub struct Clips {
    folder: TempDir,
}

impl Persona {
    /// Makes the clips. Keep them as long as the browser.
    pub fn clips(&self) -> Result<Clips> {
        let clips = Clips { folder: tempfile::tempdir().context("no temporary folder")? };
        VideoClip { age: self.age, ..VideoClip::SMALL }
            .write(&clips.devices().camera.context("a camera")?)?;
        clip::write_tone(&clips.devices().microphone.context("a microphone")?, self.voice, LEVEL)?;
        Ok(clips)
    }

    /// How a desktop client is started to be this persona.
    pub fn desktop(&self) -> desktop::Options {
        desktop::Options::tone(self.voice)
    }
}

impl Clips {
    /// The files, as a browser's devices.
    pub fn devices(&self) -> Devices {
        let file = |name: &str| Some(self.folder.path().join(name));
        Devices { camera: file("camera.y4m"), microphone: file("microphone.wav"), ..Devices::default() }
    }

    /// A Chromium with them.
    pub async fn chromium(&self) -> Result<Browser> {
        Browser::chromium(&self.devices()).await
    }
}
