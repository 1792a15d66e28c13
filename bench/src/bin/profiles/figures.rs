//! What is told of a call: each figure is that of the side that fares worse.

use std::fmt::Write as _;

use bench::call::record::{Latency, Received, Record, median};
use bench::call::run::Call;

/// Figures of one call, or the medians of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    received: Received,
    /// From the moment when both were in the room, in seconds; infinite when it never came to it.
    connected: f64,
    first_frame: f64,
    latency: Option<Latency>,
    /// What passed the impaired link from and to its host, all headers but Ethernet's included.
    wire_kbps: (f64, f64),
    /// The most by which the relay was late.
    lateness_ms: f64,
}

impl Figures {
    /// The head of the table.
    pub const HEADER: &str = "\
| link | near – far | fps | freezes (s) | audio concealed | video kbit/s | PSNR, dB | wire kbit/s up / down | connected / first frame, s | video latency p50 / p95, ms | \
size | recovery, s | relay late by, ms |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";

    /// Of a call.
    pub fn new(call: &Call) -> Self {
        let Call { records: sides, window, wire_kbps, lateness_ms } = call;
        let [one, other] = sides;
        let longest = |time: fn(&Record) -> Option<f64>| {
            sides.iter().map(|side| time(side).map_or(f64::INFINITY, |ms| ms / 1_000.0)).fold(0.0, f64::max)
        };
        Self {
            received: worse(one.received(*window), other.received(*window)),
            connected: longest(|side| side.connected),
            first_frame: longest(|side| side.first_frame),
            latency: slower(one.latency, other.latency),
            wire_kbps: *wire_kbps,
            lateness_ms: *lateness_ms,
        }
    }

    /// Each figure's median; `None` of none.
    pub fn median(all: &[Self]) -> Option<Self> {
        let of = |value: fn(&Self) -> f64| median(all.iter().map(value).collect());
        let optional = |value: fn(&Self) -> Option<f64>| median(all.iter().filter_map(value).collect());
        let mut sizes: Vec<_> = all.iter().map(|figures| figures.received.size).collect();
        sizes.sort_by_key(area);
        let p50 = optional(|figures| Some(figures.latency?.p50));
        let p95 = optional(|figures| Some(figures.latency?.p95));
        Some(Self {
            received: Received {
                rate: of(|figures| figures.received.rate)?,
                freezes: of(|figures| figures.received.freezes)?,
                frozen: of(|figures| figures.received.frozen)?,
                concealed: of(|figures| figures.received.concealed)?,
                wait: optional(|figures| figures.received.wait),
                video_kbps: of(|figures| figures.received.video_kbps)?,
                psnr: optional(|figures| figures.received.psnr),
                size: *sizes.get((sizes.len() - 1) / 2)?,
                recovery: optional(|figures| figures.received.recovery),
            },
            connected: of(|figures| figures.connected)?,
            first_frame: of(|figures| figures.first_frame)?,
            latency: p50.zip(p95).map(|(p50, p95)| Latency { p50, p95 }),
            wire_kbps: (of(|figures| figures.wire_kbps.0)?, of(|figures| figures.wire_kbps.1)?),
            lateness_ms: of(|figures| figures.lateness_ms)?,
        })
    }

    /// A row of the table.
    pub fn row(&self, link: &str, pair: &str) -> String {
        let Received { rate, freezes, frozen, concealed, video_kbps, size, psnr, recovery, .. } =
            self.received;
        let mut row = format!("| {link} | {pair} | {rate:.1} | {freezes:.0} ({frozen:.1})");
        let (up, down) = self.wire_kbps;
        let connected = format!("{} / {}", seconds(self.connected), seconds(self.first_frame));
        let latency = self.latency.map_or("–".to_owned(), |of| format!("{:.0} / {:.0}", of.p50, of.p95));
        let size = size.map_or("–".to_owned(), |(width, height)| format!("{width}x{height}"));
        let psnr = psnr.map_or("–".to_owned(), |psnr| format!("{psnr:.1}"));
        let recovery = recovery.map_or("–".to_owned(), seconds);
        // Writing to a string cannot fail.
        let _ = write!(
            row,
            " | {:.1} % | {video_kbps:.0} | {psnr} | {up:.0} / {down:.0} | {connected}",
            concealed * 100.0
        );
        let _ = write!(row, " | {latency} | {size} | {recovery} | {:.1} |", self.lateness_ms);
        row
    }
}

fn seconds(time: f64) -> String {
    if time.is_finite() { format!("{time:.2}") } else { "never".to_owned() }
}

fn worse(one: Received, other: Received) -> Received {
    Received {
        rate: one.rate.min(other.rate),
        freezes: one.freezes.max(other.freezes),
        frozen: one.frozen.max(other.frozen),
        concealed: one.concealed.max(other.concealed),
        wait: one.wait.zip(other.wait).map_or(one.wait.or(other.wait), |(one, other)| Some(one.max(other))),
        video_kbps: one.video_kbps.min(other.video_kbps),
        size: std::cmp::min_by_key(one.size, other.size, area),
        psnr: one.psnr.zip(other.psnr).map_or(one.psnr.or(other.psnr), |(one, other)| Some(one.min(other))),
        recovery: one.recovery.zip(other.recovery).map(|(one, other)| one.max(other)),
    }
}

fn slower(one: Option<Latency>, other: Option<Latency>) -> Option<Latency> {
    match (one, other) {
        (Some(one), Some(other)) => {
            Some(Latency { p50: one.p50.max(other.p50), p95: one.p95.max(other.p95) })
        }
        (one, other) => one.or(other),
    }
}

fn area(size: &Option<(u32, u32)>) -> u64 {
    size.map_or(0, |(width, height)| u64::from(width) * u64::from(height))
}

#[cfg(test)]
mod tests {
    use bench::call::record::Window;

    use super::*;

    fn figures(rate: f64, connected: f64, latency: Option<f64>) -> Figures {
        let received = Record::default().received(Window { from: 0.0, to: 0.0, dip: None });
        Figures {
            received: Received { rate, ..received },
            connected,
            first_frame: f64::INFINITY,
            latency: latency.map(|p50| Latency { p50, p95: p50 }),
            wire_kbps: (1.0, 2.0),
            lateness_ms: 0.1,
        }
    }

    #[test]
    fn a_median_is_a_figure_that_was_measured() {
        let all = [
            figures(30.0, 0.2, None),
            figures(10.0, f64::INFINITY, Some(50.0)),
            figures(20.0, 0.3, Some(40.0)),
        ];
        let median = Figures::median(&all).unwrap();
        assert_eq!((median.received.rate, median.connected), (20.0, 0.3));
        assert_eq!(median.latency, Some(Latency { p50: 40.0, p95: 40.0 }));
        assert_eq!(Figures::median(&[]), None);
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let row = figures(30.0, 0.2, None).row("clean", "a – b");
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(&row), cells(Figures::HEADER.lines().next().unwrap()));
        assert!(row.contains("0.20 / never"), "{row}");
    }

    #[test]
    fn the_worse_side_is_told() {
        let one = Record { connected: Some(100.0), first_frame: Some(200.0), ..Record::default() };
        let other = Record { connected: Some(300.0), ..Record::default() };
        let window = Window { from: 0.0, to: 1.0, dip: None };
        let call = Call { records: [one, other], window, wire_kbps: (0.0, 0.0), lateness_ms: 0.0 };
        let figures = Figures::new(&call);
        assert_eq!((figures.connected, figures.first_frame), (0.3, f64::INFINITY));
    }
}
