//! What is told of a call: each figure is that of the side that fares worse.

use bench::call::record::{Received, median};
use e2e::listening::{Score, Spread};

/// What one side has heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    stoi: Option<Spread>,
    pesq: Option<Spread>,
    /// Sentences that are understood, as a share.
    understood: f64,
    /// Sentences that were said.
    said: f64,
    concealed: f64,
    /// Mean time in the jitter buffer, in milliseconds.
    wait: Option<f64>,
}

/// Figures of one call, or the medians of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    heard: Heard,
    /// The most by which the relay was late.
    lateness_ms: f64,
}

impl Heard {
    /// By what listening and the side's own statistics say.
    pub fn new(score: &Score, received: &Received) -> Self {
        Self {
            stoi: score.stoi,
            pesq: score.pesq,
            understood: f64::from(score.understood) / f64::from(score.said.max(1)),
            said: f64::from(score.said),
            concealed: received.concealed,
            wait: received.wait,
        }
    }

    /// The worse one of each figure.
    pub fn worse(self, other: Self) -> Self {
        let both = |one: Option<Spread>, other: Option<Spread>| {
            let (one, other) = (one?, other?);
            Some(Spread { mean: one.mean.min(other.mean), worst: one.worst.min(other.worst) })
        };
        Self {
            stoi: both(self.stoi, other.stoi),
            pesq: both(self.pesq, other.pesq),
            understood: self.understood.min(other.understood),
            said: self.said.min(other.said),
            concealed: self.concealed.max(other.concealed),
            wait: self.wait.zip(other.wait).map(|(one, other)| one.max(other)),
        }
    }
}

impl Figures {
    /// The head of the table.
    pub const HEADER: &str = "\
| link | near – far | STOI | worst sentence | PESQ | worst sentence | understood | audio concealed | jitter buffer, ms | relay late by, ms |
|---|---|---|---|---|---|---|---|---|---|";

    /// Of a call.
    pub fn new(heard: Heard, lateness_ms: f64) -> Self {
        Self { heard, lateness_ms }
    }

    /// Each figure's median; `None` of none.
    pub fn median(all: &[Self]) -> Option<Self> {
        let of = |value: fn(&Heard) -> f64| median(all.iter().map(|figures| value(&figures.heard)).collect());
        let optional = |value: fn(&Heard) -> Option<f64>| {
            median(all.iter().filter_map(|figures| value(&figures.heard)).collect())
        };
        let spread = |mean: Option<f64>, worst: Option<f64>| Some(Spread { mean: mean?, worst: worst? });
        Some(Self {
            heard: Heard {
                stoi: spread(
                    optional(|heard| Some(heard.stoi?.mean)),
                    optional(|heard| Some(heard.stoi?.worst)),
                ),
                pesq: spread(
                    optional(|heard| Some(heard.pesq?.mean)),
                    optional(|heard| Some(heard.pesq?.worst)),
                ),
                understood: of(|heard| heard.understood)?,
                said: of(|heard| heard.said)?,
                concealed: of(|heard| heard.concealed)?,
                wait: optional(|heard| heard.wait),
            },
            lateness_ms: median(all.iter().map(|figures| figures.lateness_ms).collect())?,
        })
    }

    /// A row of the table.
    pub fn row(&self, link: &str, pair: &str) -> String {
        let Heard { stoi, pesq, understood, said, concealed, wait } = self.heard;
        let spread = |spread: Option<Spread>| {
            spread.map_or("– | –".to_owned(), |of| format!("{:.2} | {:.2}", of.mean, of.worst))
        };
        let wait = wait.map_or("–".to_owned(), |wait| format!("{wait:.0}"));
        format!(
            "| {link} | {pair} | {} | {} | {:.0} of {said:.0} | {:.1} % | {wait} | {:.1} |",
            spread(stoi),
            spread(pesq),
            understood * said,
            concealed * 100.0,
            self.lateness_ms,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(mean: f64, understood: f64) -> Heard {
        let stoi = Some(Spread { mean, worst: mean / 2.0 });
        Heard { stoi, pesq: None, understood, said: 8.0, concealed: 0.01, wait: Some(40.0) }
    }

    #[test]
    fn the_worse_side_and_the_median_call_are_told() {
        let worse = heard(0.9, 0.5).worse(heard(0.8, 1.0));
        assert_eq!(worse, Heard { understood: 0.5, ..heard(0.8, 1.0) });
        let all = [heard(0.9, 1.0), heard(0.5, 0.0), heard(0.7, 0.5)].map(|heard| Figures::new(heard, 1.0));
        assert_eq!(Figures::median(&all), Some(Figures::new(heard(0.7, 0.5), 1.0)));
        assert_eq!(Figures::median(&[]), None);
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let row = Figures::new(heard(0.9, 0.5), 1.0).row("clean", "a – b");
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(&row), cells(Figures::HEADER.lines().next().unwrap()));
        assert!(row.contains("| 4 of 8 |"), "{row}");
    }
}
