//! The times of pictures: which ones a layer takes, and what its rate control is told about them.

use std::time::{Duration, Instant};

/// Ticks of the encoder's clock in a second.
pub const TICKS: u32 = 90_000;

/// Leaves pictures out to keep to a frame rate. Between two of the camera's rates the gaps are uneven and their mean is right.
#[derive(Debug, Default)]
pub struct FrameGate {
    next: Option<Instant>,
}

impl FrameGate {
    /// Whether the picture of this time is to be encoded at so many frames per second.
    pub fn pass(&mut self, time: Instant, framerate: u32) -> bool {
        // A camera that is a little faster than it says loses no picture.
        let interval = Duration::from_secs(1) * 19 / 20 / framerate.max(1);
        // A quarter of a frame's time is left for the camera's jitter.
        let early = |next: Instant| next.saturating_duration_since(time) > interval / 4;
        // A time further ahead than a picture that came early makes it is from a lower frame rate, which holds no longer.
        let next = self.next.filter(|next| next.saturating_duration_since(time) <= interval * 5 / 4);
        if next.is_some_and(early) {
            return false;
        }
        let on_time = next.filter(|next| time.saturating_duration_since(*next) < interval);
        self.next = Some(on_time.unwrap_or(time) + interval);
        true
    }
}

/// The clock of a layer's rate control. It runs evenly at the mean rate of the pictures, and through a pause hardly at all: libvpx would
/// otherwise spend the bits of the whole pause on the first picture after it.
#[derive(Debug, Default)]
pub struct RateClock {
    last: Option<Instant>,
    now: i64,
    /// Ticks between two pictures, averaged.
    interval: f64,
}

/// Share of a new gap in the mean.
const SMOOTHING: f64 = 1.0 / 8.0;

/// Gaps longer than so many nominal ones are pauses.
const PAUSE: f64 = 4.0;

impl RateClock {
    /// The time of the next picture and how long it lasts, in [`TICKS`], for a layer that is to have so many frames per second.
    pub fn advance(&mut self, time: Instant, framerate: u32) -> (i64, u32) {
        let nominal = f64::from(TICKS) / f64::from(framerate.max(1));
        let Some(last) = self.last.replace(time) else {
            self.interval = nominal;
            return (self.now, nominal as u32);
        };
        let gap = time.saturating_duration_since(last).as_secs_f64() * f64::from(TICKS);
        if gap <= PAUSE * nominal {
            self.interval += (gap - self.interval) * SMOOTHING;
        }
        self.interval = self.interval.clamp(1.0, PAUSE * nominal);
        self.now += self.interval as i64;
        (self.now, self.interval as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of ten seconds' pictures pass, with the camera at `camera` frames per second and every other picture `jitter` late.
    fn passed(camera: f64, jitter: Duration, framerate: u32) -> usize {
        let start = Instant::now();
        let mut gate = FrameGate::default();
        let times = (0..(camera * 10.0) as u32)
            .map(|i| start + Duration::from_secs_f64(f64::from(i) / camera) + jitter * (i % 2));
        times.filter(|time| gate.pass(*time, framerate)).count()
    }

    #[test]
    fn a_camera_at_the_wanted_rate_loses_nothing() {
        for jitter in [0, 3, 7] {
            for camera in [29.97, 30.0, 30.5] {
                let count = passed(camera, Duration::from_millis(jitter), 30);
                assert_eq!(count, (camera * 10.0) as usize, "{camera} fps, {jitter} ms");
            }
        }
    }

    #[test]
    fn a_faster_camera_is_thinned_to_about_the_rate() {
        for (camera, framerate) in [(30.0, 15), (30.0, 20), (30.0, 7), (60.0, 30), (30.0, 25), (30.0, 1)] {
            let count = passed(camera, Duration::from_millis(2), framerate);
            let wanted = framerate as usize * 10;
            assert!((wanted..=wanted * 11 / 10 + 1).contains(&count), "{camera} to {framerate}: {count}");
        }
    }

    #[test]
    fn a_rate_that_rises_holds_at_once_and_a_pause_owes_nothing() {
        let start = Instant::now();
        let mut gate = FrameGate::default();
        assert!(gate.pass(start, 1));
        assert!(!gate.pass(start + Duration::from_millis(33), 1));
        assert!(gate.pass(start + Duration::from_millis(66), 30));
        let later = start + Duration::from_secs(60);
        assert!(gate.pass(later, 15));
        assert!(!gate.pass(later + Duration::from_millis(10), 15));
    }

    #[test]
    fn the_rate_clock_is_even_and_does_not_count_pauses() {
        let start = Instant::now();
        let mut clock = RateClock::default();
        let mut time = start;
        let mut last = clock.advance(time, 30).0;
        for i in 0..300_u64 {
            time += Duration::from_millis(if i % 2 == 0 { 33 } else { 67 });
            let (now, duration) = clock.advance(time, 30);
            assert!(now > last && (2_500..6_100).contains(&duration), "{i}: {duration}");
            if i > 50 {
                // 20 frames per second.
                assert!((3_900..5_100).contains(&(now - last)), "{i}: {}", now - last);
            }
            last = now;
        }
        let (now, _) = clock.advance(time + Duration::from_secs(100), 30);
        assert!(now - last < i64::from(TICKS) / 5);
        let (now, duration) = RateClock::default().advance(start, 0);
        assert_eq!((now, duration), (0, TICKS));
    }
}
