//! Lock-free rings between device callbacks and the audio thread.
//!
//! The callback's side ([`CaptureWriter`], [`PlayReader`]) does not allocate, lock, log or wait, whatever the callback's size. Samples in the
//! rings are at the device's rate, and have two sides where the device has two channels or more; the audio thread's side ([`RingMicrophone`],
//! [`RingSpeaker`]) converts the rate.

mod capture;
mod pace;
mod play;

use std::time::Duration;

pub use self::capture::{CaptureWriter, RingMicrophone, capture_ring};
pub use self::play::{PlayReader, RingSpeaker, play_ring};

/// Room in a ring, in milliseconds. A full capture ring drops the newest, a full playback ring is not given more.
const RING_MS: u32 = 500;

/// Least room in a ring, in frames: twice the largest callback that was seen.
const MIN_ROOM: usize = 16_384;

/// A device that moves nothing for this long is lost: some systems do not tell when one is unplugged.
const STALL: Duration = Duration::from_secs(2);

/// What one that was just opened has on top of that: a sound server may have up to two seconds of silence on their way to a device that nobody
/// used, and asks for more only when they are over.
const START_UP: Duration = Duration::from_secs(4);

/// Channels in a ring next to a device of so many.
fn sides(channels: u16) -> usize {
    if channels > 1 { 2 } else { 1 }
}

fn frames(rate: u32, ms: u32) -> usize {
    (u64::from(rate) * u64::from(ms) / 1000) as usize
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::audio::capture::Microphone as _;

    #[test]
    fn callbacks_allocate_nothing() {
        let now = Instant::now();
        for channels in [1, 2, 8] {
            let (mut writer, mut microphone) = capture_ring("m".into(), 44_100, channels, now).unwrap();
            let (mut reader, _speaker) = play_ring("s".into(), 44_100, channels, now).unwrap();
            for (frames, stereo) in [(5, false), (441, true), (8_192, true)] {
                microphone.allow_stereo(stereo);
                let size = frames * usize::from(channels);
                let (floats, integers, mut played) =
                    (vec![0.1_f32; size], vec![7_i16; size], vec![0_i32; size]);
                let counted = allocation_counter::measure(|| {
                    writer.write(&floats, channels);
                    writer.write(&integers, channels);
                    reader.fill(&mut played, channels);
                });
                assert_eq!(counted.count_total, 0, "{frames} frames, {channels} channels");
            }
        }
    }
}

#[cfg(test)]
mod signal {
    //! Signals for the tests of both directions.

    use std::f64::consts::TAU;
    use std::time::Duration;

    pub fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    pub fn tone(n: usize, rate: u32) -> f32 {
        (0.5 * (TAU * 440.0 * n as f64 / f64::from(rate)).sin()) as f32
    }

    /// Largest step between neighbours: a hole or a doubled sample in a slow tone would show as a larger one.
    pub fn largest_step(signal: &[f32]) -> f32 {
        signal.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }
}
