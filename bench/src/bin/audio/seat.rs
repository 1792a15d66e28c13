//! A desktop client beside a sound server, and what it says of itself.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::desktop::{Desktop, DeviceStats, Options};
use e2e::pulse::Pulse;

/// From when everybody is connected until measuring begins: buffers and estimates come to rest.
pub const REST: Duration = Duration::from_secs(8);

/// The pictures that keep a machine busy meanwhile.
pub const CAMERA: &str = "test-pattern:1280x720@30";

/// Somebody who says this, and hears whatever comes without a device.
pub fn speaks(microphone: &Path, camera: &str) -> Options {
    Options {
        camera: camera.to_owned(),
        microphone: format!("file:{}", microphone.display()),
        speaker: Some("none".to_owned()),
        ..Options::default()
    }
}

/// Somebody who hears by a speaker of the sound server.
pub fn listens(camera: &str, microphone: String) -> Options {
    Options {
        camera: camera.to_owned(),
        microphone,
        speaker: Some(format!("device:{}", Pulse::SPEAKER)),
        ..Options::default()
    }
}

/// What its devices have gone through so far.
pub fn devices(desktop: &mut Desktop) -> Result<DeviceStats> {
    Ok(desktop.stats()?.context("no statistics")?.devices)
}
