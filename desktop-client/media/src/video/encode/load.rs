//! How much of its time the encode thread needs.

use std::time::{Duration, Instant};

/// Time over which the load is averaged: long enough for a key frame not to look like overload, short enough to step down before people
/// notice.
const WINDOW: Duration = Duration::from_secs(2);

/// The share of the time between two pictures of the camera that encoding takes: from 1 on, pictures are left out.
#[derive(Debug, Default)]
pub struct EncodeLoad {
    last: Option<Instant>,
    /// Averages per picture of the camera, in seconds.
    mean: Option<Mean>,
}

#[derive(Debug)]
struct Mean {
    work: f64,
    interval: f64,
}

impl EncodeLoad {
    /// A picture of this time took so long; the camera gave so many since the last one, this one included.
    pub fn add(&mut self, time: Instant, offered: u64, work: Duration) {
        let Some(last) = self.last.replace(time) else { return };
        let gap = time.saturating_duration_since(last);
        if gap > WINDOW {
            // The camera was off.
            self.mean = None;
            return;
        }
        let interval = gap.as_secs_f64() / offered.max(1) as f64;
        let work = work.as_secs_f64();
        let weight = gap.as_secs_f64() / WINDOW.as_secs_f64();
        let mean = self.mean.get_or_insert(Mean { work, interval });
        mean.work += (work - mean.work) * weight;
        mean.interval += (interval - mean.interval) * weight;
    }

    /// Nothing is encoded.
    pub fn rest(&mut self) {
        *self = Self::default();
    }

    /// The load, from 0 on; `None` before the second picture.
    pub fn share(&self) -> Option<f64> {
        self.mean.as_ref().filter(|mean| mean.interval > 0.0).map(|mean| mean.work / mean.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(seconds: u32, offered: u64, work: Duration) -> f64 {
        let start = Instant::now();
        let mut load = EncodeLoad::default();
        for i in 0..seconds * 30 / offered as u32 {
            load.add(start + Duration::from_secs(1) * i * offered as u32 / 30, offered, work);
        }
        load.share().unwrap()
    }

    #[test]
    fn a_thread_that_works_half_the_time_is_half_loaded() {
        let share = load(5, 1, Duration::from_micros(16_667));
        assert!((share - 0.5).abs() < 0.01, "{share}");
    }

    #[test]
    fn pictures_that_were_not_taken_count_as_time_that_was_missing() {
        // Each picture takes two frames' time, so that each second one is dropped.
        let share = load(5, 2, Duration::from_micros(66_667));
        assert!((share - 2.0).abs() < 0.01, "{share}");
    }

    #[test]
    fn one_slow_picture_is_no_overload_and_rest_is_no_load() {
        let start = Instant::now();
        let mut load = EncodeLoad::default();
        assert_eq!(load.share(), None);
        for i in 0..60 {
            let work = Duration::from_millis(if i == 50 { 60 } else { 10 });
            load.add(start + Duration::from_secs(1) * i / 30, 1, work);
        }
        let share = load.share().unwrap();
        assert!((0.3..0.4).contains(&share), "{share}");
        load.rest();
        assert_eq!(load.share(), None);
    }

    #[test]
    fn a_pause_is_not_averaged_in() {
        let start = Instant::now();
        let mut load = EncodeLoad::default();
        for i in 0..30 {
            load.add(start + Duration::from_secs(1) * i / 30, 1, Duration::from_millis(10));
        }
        load.add(start + Duration::from_secs(100), 1, Duration::from_millis(10));
        assert_eq!(load.share(), None);
    }
}
