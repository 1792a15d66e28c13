//! Figures of a call over time, for the statistics panel: the program measures them, the view only draws curves.

use shared::PeerId;

/// Seconds that a curve covers.
pub const SECONDS: usize = 60;

/// One figure over the last minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is, in a few words.
    pub name: &'static str,
    /// Its unit, "" for a plain number.
    pub unit: &'static str,
    /// Digits behind the point.
    pub digits: usize,
    /// One value for each second, the newest last, at most [`SECONDS`]; `None` where it did not apply.
    pub values: Vec<Option<f32>>,
}

impl Figure {
    /// The newest value with its unit, or a dash.
    pub fn newest(&self) -> String {
        match self.values.last().copied().flatten().filter(|value| value.is_finite()) {
            Some(value) if self.unit.is_empty() => format!("{value:.*}", self.digits),
            Some(value) => format!("{value:.*} {}", self.digits, self.unit),
            None => "–".to_owned(),
        }
    }
}

/// Where the panel finds figures. Called in each pass while it is open.
pub trait CallFigures {
    /// Our own side: encoder, devices, process.
    fn own(&self) -> Vec<Figure>;
    /// The link with a peer, both ways.
    fn peer(&self, id: &PeerId) -> Vec<Figure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_does_not_apply_is_a_dash() {
        let figure = |value| Figure { name: "Rate", unit: "kbit/s", digits: 1, values: vec![value] };
        assert_eq!(figure(Some(12.34)).newest(), "12.3 kbit/s");
        assert_eq!(figure(None).newest(), "–");
        assert_eq!(figure(Some(f32::NAN)).newest(), "–");
        assert_eq!(Figure { unit: "", digits: 0, ..figure(Some(3.0)) }.newest(), "3");
    }
}
