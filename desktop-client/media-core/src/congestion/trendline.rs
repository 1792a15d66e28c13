//! Whether the delay grows: a line through the latest group delays, compared with a threshold that adapts.
//!
//! draft-ietf-rmcat-gcc-02, sections 5.3 and 5.4, with the trendline filter that libwebrtc uses in place of the Kalman filter; Carlucci and others, Analysis and design
//! of the Google congestion control for web real-time communication, MMSys 2016, for the threshold. Constants are libwebrtc's defaults.

use std::collections::VecDeque;

use super::arrival_groups::GroupDelta;

/// Groups that the line goes through.
const WINDOW: usize = 20;

/// How much of the smoothed delay stays at each group.
const SMOOTHING: f64 = 0.9;

/// Slopes are multiplied by this and by the number of groups seen (at most [`MAX_GROUPS`]), to be compared with a threshold in milliseconds.
const GAIN: f64 = 4.0;
const MAX_GROUPS: u32 = 60;

/// The threshold at the start, and its bounds, in milliseconds.
const THRESHOLD: f64 = 12.5;
const MIN_THRESHOLD: f64 = 6.0;
const MAX_THRESHOLD: f64 = 600.0;

/// How fast the threshold follows slopes above it, and below it, per millisecond.
const K_UP: f64 = 0.0087;
const K_DOWN: f64 = 0.039;

/// Slopes that are above the threshold by more, in milliseconds, do not move it.
const MAX_ADAPT_OFFSET: f64 = 15.0;

/// The threshold moves as if at most so many milliseconds had passed.
const MAX_ADAPT_STEP: f64 = 100.0;

/// The slope must be above the threshold for longer, in milliseconds.
const OVERUSE_MS: f64 = 10.0;

/// What the path looks like by its slope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    /// The delay stays.
    #[default]
    Normal,
    /// The delay grows.
    Over,
    /// The delay falls: a queue empties.
    Under,
}

#[derive(Debug)]
pub(super) struct Trendline {
    /// Arrival and smoothed delay.
    points: VecDeque<(f64, f64)>,
    groups: u32,
    delay_ms: f64,
    smoothed_ms: f64,
    first_arrival_ms: Option<f64>,
    threshold: f64,
    adapted_at_ms: Option<f64>,
    previous_trend: f64,
    over_for_ms: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            points: VecDeque::with_capacity(WINDOW + 1),
            groups: 0,
            delay_ms: 0.0,
            smoothed_ms: 0.0,
            first_arrival_ms: None,
            threshold: THRESHOLD,
            adapted_at_ms: None,
            previous_trend: 0.0,
            over_for_ms: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }
}

impl Trendline {
    /// The next two groups.
    pub(super) fn update(&mut self, delta: &GroupDelta) {
        self.groups = (self.groups + 1).min(MAX_GROUPS);
        self.delay_ms += delta.arrival_ms - delta.departure_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        let first = *self.first_arrival_ms.get_or_insert(delta.arrived_at_ms);
        if self.points.len() == WINDOW {
            self.points.pop_front();
        }
        self.points.push_back((delta.arrived_at_ms - first, self.smoothed_ms));
        let trend = if self.points.len() == WINDOW { slope(&self.points) } else { None };
        self.detect(trend.unwrap_or(self.previous_trend), delta);
    }

    /// What the path looks like.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    fn detect(&mut self, trend: f64, delta: &GroupDelta) {
        if self.groups < 2 {
            return;
        }
        let scaled = f64::from(self.groups) * trend * GAIN;
        if scaled > self.threshold {
            let over = self.over_for_ms.map_or(delta.departure_ms / 2.0, |over| over + delta.departure_ms);
            self.over_for_ms = Some(over);
            self.over_count += 1;
            if over > OVERUSE_MS && self.over_count > 1 && trend >= self.previous_trend {
                self.become_usage(Usage::Over);
            }
        } else if scaled < -self.threshold {
            self.become_usage(Usage::Under);
        } else {
            self.become_usage(Usage::Normal);
        }
        self.previous_trend = trend;
        self.adapt(scaled.abs(), delta.arrived_at_ms);
    }

    fn become_usage(&mut self, usage: Usage) {
        self.usage = usage;
        self.over_for_ms = if usage == Usage::Over { Some(0.0) } else { None };
        self.over_count = 0;
    }

    fn adapt(&mut self, scaled: f64, now_ms: f64) {
        let last = self.adapted_at_ms.replace(now_ms).unwrap_or(now_ms);
        if scaled > self.threshold + MAX_ADAPT_OFFSET {
            return;
        }
        let k = if scaled < self.threshold { K_DOWN } else { K_UP };
        let elapsed = (now_ms - last).clamp(0.0, MAX_ADAPT_STEP);
        let threshold = self.threshold + k * (scaled - self.threshold) * elapsed;
        self.threshold = threshold.clamp(MIN_THRESHOLD, MAX_THRESHOLD);
    }
}

/// Slope of the line with the least squares; `None` when all points are at one time.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups that leave each 20 ms and arrive further apart by a constant.
    fn run(trendline: &mut Trendline, groups: u32, growth_ms: f64) -> Vec<Usage> {
        let mut at = trendline.adapted_at_ms.unwrap_or(0.0);
        (0..groups)
            .map(|_| {
                at += 20.0 + growth_ms;
                let delta =
                    GroupDelta { departure_ms: 20.0, arrival_ms: 20.0 + growth_ms, arrived_at_ms: at };
                trendline.update(&delta);
                trendline.usage()
            })
            .collect()
    }

    #[test]
    fn a_delay_that_stays_is_normal() {
        let usages = run(&mut Trendline::default(), 200, 0.0);
        assert!(usages.iter().all(|usage| *usage == Usage::Normal));
    }

    #[test]
    fn a_delay_that_grows_is_overuse_and_one_that_falls_is_underuse() {
        let mut trendline = Trendline::default();
        run(&mut trendline, 60, 0.0);
        assert!(run(&mut trendline, 30, 3.0).contains(&Usage::Over));
        run(&mut trendline, 60, 0.0);
        let falling = run(&mut trendline, 30, -3.0);
        assert!(falling.contains(&Usage::Under) && !falling[20..].contains(&Usage::Over));
    }

    #[test]
    fn the_threshold_stays_in_its_bounds() {
        let mut trendline = Trendline::default();
        for growth in [0.0, 5.0, -5.0, 1e9, -1e9, 0.2] {
            run(&mut trendline, 100, growth);
            assert!((MIN_THRESHOLD..=MAX_THRESHOLD).contains(&trendline.threshold));
        }
    }
}
