//! How much time the encoder takes over a picture.
//!
//! A slow search finds better predictions, which is seen only when bits are short. So a picture that comes out fine anyway is encoded fast, and a
//! picture that the rate makes coarse gets the time that it needs. What tells the two apart is the quantizer that the rate control had to use.

/// Encoder speeds (`cpu_used` of libvpx), −16 (fastest) to −1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSpeed {
    /// For pictures that come out coarse.
    pub careful: i32,
    /// For pictures that come out fine. The same as `careful` never changes the speed.
    pub fast: i32,
}

impl Default for EncoderSpeed {
    /// −6 is libwebrtc's speed on desktop machines; −12 takes three quarters of its time (`docs/PERFORMANCE.md`).
    fn default() -> Self {
        Self { careful: -6, fast: -12 }
    }
}

/// Mean quantizer (0 to 63, as libvpx's options count) up to which pictures are fine: about 42 dB and more.
const FINE: f32 = 36.0;

/// Mean quantizer from which on they are coarse. The fast search itself costs about 3, which must not lead back at once.
const COARSE: f32 = 44.0;

/// Weight of a new picture in the mean: half a second counts, more or less.
const WEIGHT: f32 = 1.0 / 16.0;

/// Chooses the speed from the quantizers of past pictures.
#[derive(Debug)]
pub(super) struct SpeedControl {
    speed: EncoderSpeed,
    mean: f32,
    fast: bool,
}

impl SpeedControl {
    /// Begins with care: the first picture is a key frame, which all others rest on.
    pub(super) fn new(speed: EncoderSpeed) -> Self {
        Self { speed, mean: COARSE, fast: false }
    }

    /// The speed to encode with.
    pub(super) fn cpu_used(&self) -> i32 {
        let chosen = if self.fast { self.speed.fast } else { self.speed.careful };
        chosen.clamp(-16, -1)
    }

    /// A picture came out with this quantizer, 0 to 63.
    pub(super) fn on_picture(&mut self, quantizer: u8) {
        self.mean += (f32::from(quantizer) - self.mean) * WEIGHT;
        if self.mean <= FINE {
            self.fast = true;
        } else if self.mean >= COARSE {
            self.fast = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: EncoderSpeed = EncoderSpeed { careful: -4, fast: -10 };

    fn after(control: &mut SpeedControl, quantizer: u8, pictures: u32) -> i32 {
        (0..pictures).for_each(|_| control.on_picture(quantizer));
        control.cpu_used()
    }

    #[test]
    fn fine_pictures_are_encoded_fast_and_coarse_ones_with_care() {
        let mut control = SpeedControl::new(SPEED);
        assert_eq!(control.cpu_used(), -4);
        assert_eq!(after(&mut control, 20, 30), -10);
        assert_eq!(after(&mut control, 56, 30), -4);
    }

    #[test]
    fn what_the_fast_search_costs_does_not_lead_back() {
        let mut control = SpeedControl::new(SPEED);
        after(&mut control, 35, 200);
        assert_eq!(after(&mut control, 40, 1_000), -10);
        after(&mut control, 56, 200);
        assert_eq!(after(&mut control, 40, 1_000), -4);
    }

    #[test]
    fn one_odd_picture_changes_nothing() {
        let mut control = SpeedControl::new(SPEED);
        after(&mut control, 20, 100);
        assert_eq!(after(&mut control, 63, 1), -10);
    }
}
