//! Where a voice pauses: there sound can be made longer or shorter, and nobody hears it.

/// What is so much lower in power than the loudest sound lately is a pause: 25 dB.
const LOWER: f32 = 0.003;

/// What stays of the loudest power from one packet to the next: 4 dB less in a second of packets of 20 ms.
const REMEMBER: f32 = 0.98;

/// Power that is a pause whatever there was: −60 dBFS.
const SILENCE: f32 = 1e-6;

/// Tells pauses from what was said lately.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    loudest: f32,
}

impl Pauses {
    /// Takes the sound of the next packet.
    pub(super) fn is_pause(&mut self, sound: &[f32]) -> bool {
        let power = sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len().max(1) as f32;
        self.loudest = power.max(REMEMBER * self.loudest);
        power < SILENCE.max(LOWER * self.loudest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_much_lower_than_the_voice_is_a_pause_and_a_lower_voice_is_not() {
        let mut pauses = Pauses::default();
        let packet = |amplitude: f32| vec![amplitude; 960];
        assert!(pauses.is_pause(&packet(0.0)));
        assert!(!pauses.is_pause(&packet(0.3)));
        assert!(!pauses.is_pause(&packet(0.05)));
        assert!(pauses.is_pause(&packet(0.01)), "noise between two words");
        assert!(
            (0..250).map(|_| pauses.is_pause(&packet(0.01))).any(|pause| !pause),
            "nobody else talks: this is all there is"
        );
    }
}
