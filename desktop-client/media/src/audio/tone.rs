//! Sound that needs no microphone: a steady tone, and bursts at each whole second for measuring latency.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use media_core::frame::SAMPLE_RATE;
use media_core::marks;

use super::block::Block;
use super::capture::Microphone;
use crate::clock::unix_time;
use crate::event::DeviceError;

/// Loud enough to measure, quiet enough to bear.
const TONE_AMPLITUDE: f64 = 0.25;

/// A steady sine.
pub struct Tone {
    hz: f32,
    /// In turns, so that it never grows large enough to lose precision.
    phase: f64,
}

impl Tone {
    /// A tone of this frequency.
    pub fn new(hz: f32) -> Self {
        Self { hz, phase: 0.0 }
    }
}

impl Microphone for Tone {
    fn name(&self) -> String {
        format!("Tone of {} Hz", self.hz)
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn read(&mut self, _now: Instant, block: &mut Block) -> Result<bool, DeviceError> {
        let step = f64::from(self.hz) / f64::from(SAMPLE_RATE);
        block.clear(1);
        for sample in block.samples_mut() {
            *sample = (TONE_AMPLITUDE * (TAU * self.phase).sin()) as f32;
            self.phase = (self.phase + step).fract();
        }
        Ok(true)
    }
}

/// Bursts of 5 ms of a 3 kHz sine, amplitude 0.9, at each whole second of Unix time.
pub struct Marks {
    /// Unix time of the first sample of the next block; the block clock runs on from there and is corrected when it is off.
    next: Option<Duration>,
}

impl Marks {
    /// Marks from now on.
    pub fn new() -> Self {
        Self { next: None }
    }
}

impl Microphone for Marks {
    fn name(&self) -> String {
        "Marks at each second".to_owned()
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn read(&mut self, _now: Instant, block: &mut Block) -> Result<bool, DeviceError> {
        let length = Duration::from_millis(10);
        // A block that is ready now was "recorded" during the 10 ms before.
        let wall = unix_time().saturating_sub(length);
        let start = match self.next {
            // The thread's own jitter must not cut a mark in two or repeat one.
            Some(next) if next.abs_diff(wall) < Duration::from_millis(100) => next,
            _ => wall,
        };
        self.next = Some(start + length);
        block.clear(1);
        marks::audio::fill(block.samples_mut(), start);
        Ok(true)
    }
}
