//! Icons, drawn with strokes on a grid of 24 × 24 units, so that they are sharp at every size and need no font.

use std::f32::consts::{PI, TAU};

use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Stroke, StrokeKind, vec2};

/// What the interface draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A microphone that is on.
    Microphone,
    /// A microphone that is off.
    MicrophoneOff,
    /// A camera that is on.
    Camera,
    /// A camera that is off.
    CameraOff,
    /// A loudspeaker.
    Speaker,
    /// A loudspeaker that is silent.
    SpeakerOff,
    /// Device settings.
    Sliders,
    /// Chat.
    Chat,
    /// Statistics.
    Chart,
    /// A link.
    Link,
    /// Done.
    Check,
    /// Leave the call.
    Leave,
    /// Close.
    Close,
    /// Back.
    Back,
    /// Load again.
    Refresh,
    /// Delete.
    Trash,
    /// Something new.
    Plus,
    /// Locked.
    Lock,
    /// People.
    People,
    /// Send.
    Send,
    /// Good to know.
    Info,
    /// Careful.
    Warning,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// The system's theme.
    Screen,
    /// One large, the others small.
    Stage,
    /// Kept where it is.
    Pin,
}

/// A pen on the 24 × 24 grid.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    unit: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.unit
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points: Vec<Pos2> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        // Round ends, as the joints are.
        for end in [points.first(), points.last()].into_iter().flatten() {
            self.painter.circle_filled(*end, self.stroke.width * 0.5, self.stroke.color);
        }
        self.painter.line(points, self.stroke);
    }

    fn arc(&self, center: (f32, f32), radius: f32, from: f32, to: f32) {
        let steps = 24;
        let points: Vec<(f32, f32)> = (0..=steps)
            .map(|i| from + (to - from) * i as f32 / steps as f32)
            .map(|a| (center.0 + radius * a.cos(), center.1 + radius * a.sin()))
            .collect();
        self.line(&points);
    }

    fn circle(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_stroke(self.at(x, y), radius * self.unit, self.stroke);
    }

    fn dot(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_filled(self.at(x, y), radius * self.unit, self.stroke.color);
    }

    fn frame(&self, min: (f32, f32), max: (f32, f32), radius: f32) {
        let rect = Rect::from_min_max(self.at(min.0, min.1), self.at(max.0, max.1));
        let radius = CornerRadius::same((radius * self.unit).round() as u8);
        self.painter.rect_stroke(rect, radius, self.stroke, StrokeKind::Middle);
    }

    fn slash(&self) {
        self.line(&[(4.0, 3.5), (20.0, 20.5)]);
    }
}

impl Icon {
    /// Paints it in the middle of `rect`, as large as fits.
    pub fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let side = rect.width().min(rect.height());
        let origin = rect.center() - vec2(side, side) * 0.5;
        let pen = Pen {
            painter,
            origin,
            unit: side / 24.0,
            stroke: Stroke::new((side / 24.0 * 1.9).max(1.3), color),
        };
        match self {
            Self::Microphone
            | Self::MicrophoneOff
            | Self::Camera
            | Self::CameraOff
            | Self::Speaker
            | Self::SpeakerOff => self.device(&pen),
            Self::Sun | Self::Moon | Self::Screen => self.theme(&pen),
            Self::Chat
            | Self::Chart
            | Self::Link
            | Self::Leave
            | Self::People
            | Self::Send
            | Self::Stage
            | Self::Sliders => {
                self.call(&pen);
            }
            Self::Check
            | Self::Close
            | Self::Back
            | Self::Refresh
            | Self::Trash
            | Self::Plus
            | Self::Lock
            | Self::Pin
            | Self::Info
            | Self::Warning => self.sign(&pen),
        }
    }

    fn device(self, pen: &Pen<'_>) {
        match self {
            Self::Microphone | Self::MicrophoneOff => {
                pen.frame((9.0, 2.5), (15.0, 14.5), 3.0);
                pen.arc((12.0, 11.5), 6.5, 0.0, PI);
                pen.line(&[(12.0, 18.0), (12.0, 21.5)]);
            }
            Self::Camera | Self::CameraOff => {
                pen.frame((2.5, 6.0), (15.5, 18.0), 2.0);
                pen.line(&[(15.5, 10.5), (21.5, 7.0), (21.5, 17.0), (15.5, 13.5)]);
            }
            _ => {
                pen.line(&[
                    (3.0, 9.5),
                    (7.0, 9.5),
                    (12.0, 5.0),
                    (12.0, 19.0),
                    (7.0, 14.5),
                    (3.0, 14.5),
                    (3.0, 9.5),
                ]);
                if self == Self::SpeakerOff {
                    pen.line(&[(15.5, 9.0), (21.5, 15.0)]);
                    pen.line(&[(21.5, 9.0), (15.5, 15.0)]);
                } else {
                    pen.arc((12.5, 12.0), 4.0, -0.9, 0.9);
                    pen.arc((12.5, 12.0), 8.0, -0.9, 0.9);
                }
            }
        }
        if matches!(self, Self::MicrophoneOff | Self::CameraOff) {
            pen.slash();
        }
    }

    fn theme(self, pen: &Pen<'_>) {
        match self {
            Self::Sun => {
                pen.circle(12.0, 12.0, 4.2);
                for ray in 0..8 {
                    let (sin, cos) = (ray as f32 * TAU / 8.0).sin_cos();
                    pen.line(&[(12.0 + 7.2 * cos, 12.0 + 7.2 * sin), (12.0 + 9.5 * cos, 12.0 + 9.5 * sin)]);
                }
            }
            Self::Moon => {
                // A disc of radius 8.5 with one of radius 7 cut out of its upper right: two arcs that meet where the circles cross.
                pen.arc((12.0, 12.0), 8.5, 0.0556 * PI, 1.4444 * PI);
                pen.arc((16.0, 8.0), 7.0, 0.285 * PI, 1.215 * PI);
            }
            _ => {
                pen.frame((2.5, 4.0), (21.5, 16.5), 2.0);
                pen.line(&[(8.0, 20.5), (16.0, 20.5)]);
            }
        }
    }

    fn call(self, pen: &Pen<'_>) {
        match self {
            Self::Chat => {
                pen.line(&[(7.5, 16.5), (7.5, 21.0), (12.0, 16.5), (19.0, 16.5)]);
                pen.arc((19.0, 14.5), 2.0, PI / 2.0, 0.0);
                pen.line(&[(21.0, 14.5), (21.0, 6.0)]);
                pen.arc((19.0, 6.0), 2.0, 0.0, -PI / 2.0);
                pen.line(&[(19.0, 4.0), (5.0, 4.0)]);
                pen.arc((5.0, 6.0), 2.0, -PI / 2.0, -PI);
                pen.line(&[(3.0, 6.0), (3.0, 14.5)]);
                pen.arc((5.0, 14.5), 2.0, PI, PI / 2.0);
                pen.line(&[(5.0, 16.5), (7.5, 16.5)]);
            }
            Self::Chart => {
                pen.line(&[(3.5, 3.5), (3.5, 20.5), (20.5, 20.5)]);
                pen.line(&[(7.5, 15.5), (11.5, 10.0), (15.0, 13.0), (20.0, 6.0)]);
            }
            Self::Link => {
                pen.line(&[(9.5, 14.5), (14.5, 9.5)]);
                pen.line(&[(10.5, 6.8), (13.0, 4.3)]);
                pen.arc((16.2, 7.8), 4.7, -2.35, 0.78);
                pen.line(&[(19.5, 11.1), (17.2, 13.5)]);
                pen.line(&[(13.5, 17.2), (11.0, 19.7)]);
                pen.arc((7.8, 16.2), 4.7, 0.79, 3.92);
                pen.line(&[(4.5, 12.9), (6.8, 10.5)]);
            }
            Self::Leave => {
                pen.line(&[(10.0, 3.5), (5.0, 3.5), (4.0, 4.5), (4.0, 19.5), (5.0, 20.5), (10.0, 20.5)]);
                pen.line(&[(9.5, 12.0), (20.5, 12.0)]);
                pen.line(&[(16.0, 7.5), (20.5, 12.0), (16.0, 16.5)]);
            }
            Self::People => {
                pen.circle(9.0, 8.0, 3.6);
                pen.arc((9.0, 20.0), 6.5, PI, TAU);
                pen.arc((16.0, 8.0), 3.6, -PI / 2.0, PI / 2.0);
                pen.arc((16.0, 20.0), 6.0, -PI / 2.4, 0.0);
            }
            Self::Send => {
                pen.line(&[(21.0, 3.0), (3.0, 10.5), (10.5, 13.5), (13.5, 21.0), (21.0, 3.0), (10.5, 13.5)]);
            }
            Self::Stage => {
                pen.frame((2.5, 3.0), (21.5, 14.5), 2.0);
                for left in [2.5, 9.5, 16.5] {
                    pen.frame((left, 17.5), (left + 5.0, 21.0), 1.0);
                }
            }
            _ => {
                for (x, knob) in [(5.0, 15.0), (12.0, 8.5), (19.0, 14.0)] {
                    pen.line(&[(x, 3.0), (x, knob - 2.5)]);
                    pen.line(&[(x, knob + 2.5), (x, 21.0)]);
                    pen.circle(x, knob, 2.5);
                }
            }
        }
    }

    fn sign(self, pen: &Pen<'_>) {
        match self {
            Self::Check => pen.line(&[(4.5, 12.5), (9.5, 17.5), (19.5, 6.5)]),
            Self::Close => {
                pen.line(&[(6.0, 6.0), (18.0, 18.0)]);
                pen.line(&[(18.0, 6.0), (6.0, 18.0)]);
            }
            Self::Back => {
                pen.line(&[(20.0, 12.0), (4.5, 12.0)]);
                pen.line(&[(11.0, 5.5), (4.5, 12.0), (11.0, 18.5)]);
            }
            Self::Refresh => {
                pen.arc((12.0, 12.0), 8.0, -0.45, 1.5 * PI);
                pen.line(&[(15.5, 8.6), (19.4, 8.6), (19.4, 4.4)]);
            }
            Self::Trash => {
                pen.line(&[(4.0, 6.5), (20.0, 6.5)]);
                pen.line(&[(9.0, 6.5), (9.5, 3.5), (14.5, 3.5), (15.0, 6.5)]);
                pen.line(&[(6.0, 6.5), (7.0, 20.5), (17.0, 20.5), (18.0, 6.5)]);
            }
            Self::Plus => {
                pen.line(&[(12.0, 5.0), (12.0, 19.0)]);
                pen.line(&[(5.0, 12.0), (19.0, 12.0)]);
            }
            Self::Lock => {
                pen.frame((5.0, 10.5), (19.0, 20.5), 2.0);
                pen.arc((12.0, 8.0), 4.5, PI, TAU);
                pen.line(&[(7.5, 8.0), (7.5, 10.5)]);
                pen.line(&[(16.5, 8.0), (16.5, 10.5)]);
            }
            Self::Pin => {
                pen.line(&[(8.0, 3.0), (16.0, 3.0)]);
                pen.line(&[(9.5, 3.0), (9.5, 10.0), (6.0, 14.5), (18.0, 14.5), (14.5, 10.0), (14.5, 3.0)]);
                pen.line(&[(12.0, 14.5), (12.0, 21.0)]);
            }
            Self::Info => {
                pen.circle(12.0, 12.0, 9.0);
                pen.line(&[(12.0, 11.0), (12.0, 16.5)]);
                pen.dot(12.0, 7.6, 1.2);
            }
            _ => {
                pen.line(&[(12.0, 3.5), (22.0, 20.5), (2.0, 20.5), (12.0, 3.5)]);
                pen.line(&[(12.0, 9.5), (12.0, 14.5)]);
                pen.dot(12.0, 17.4, 1.2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn icons_stay_inside_their_rectangle() {
        let all = [
            Icon::Microphone,
            Icon::MicrophoneOff,
            Icon::Camera,
            Icon::CameraOff,
            Icon::Speaker,
            Icon::SpeakerOff,
            Icon::Sliders,
            Icon::Chat,
            Icon::Chart,
            Icon::Link,
            Icon::Check,
            Icon::Leave,
            Icon::Close,
            Icon::Back,
            Icon::Refresh,
            Icon::Trash,
            Icon::Plus,
            Icon::Lock,
            Icon::People,
            Icon::Send,
            Icon::Info,
            Icon::Warning,
            Icon::Sun,
            Icon::Moon,
            Icon::Screen,
            Icon::Stage,
            Icon::Pin,
        ];
        let ctx = egui::Context::default();
        for icon in all {
            let rect = Rect::from_min_size(pos2(100.0, 100.0), vec2(24.0, 24.0));
            let output =
                ctx.run_ui(egui::RawInput::default(), |ui| icon.paint(ui.painter(), rect, Color32::WHITE));
            for clipped in &output.shapes {
                let drawn = clipped.shape.visual_bounding_rect();
                assert!(rect.expand(1.0).contains_rect(drawn), "{icon:?}: {drawn:?}");
            }
            assert!(!output.shapes.is_empty(), "{icon:?} draws nothing");
            output.drop_without_applying_deltas();
        }
    }
}
