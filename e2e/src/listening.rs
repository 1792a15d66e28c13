//! Listening to a call: how well what was heard is understood, sentence by sentence, against what was said.
//!
//! The comparison is a script in Python (`e2e/python/score.py`), where the measures are at home: STOI (Taal et al. 2011), and PESQ (ITU-T P.862.2) where
//! that is installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Another interpreter than the one of `e2e/python/.venv`.
const PYTHON_VARIABLE: &str = "ROUNDTABLE_PYTHON";

/// How well a call was understood.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Score {
    /// Sentences that were said while it was recorded.
    pub said: u32,
    /// Of those, how many are understood: about half of the words or more, by STOI.
    pub understood: u32,
    /// Short-time objective intelligibility, 0–1; none when nothing was said.
    pub stoi: Option<Spread>,
    /// Perceptual evaluation of speech quality, wide band, 1–4.64; none where it is not installed.
    pub pesq: Option<Spread>,
}

/// A measure over all sentences.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// That of the worst sentence.
    pub worst: f64,
}

/// Compares a recording with the clip of sentences ([`crate::clip::write_sentences`]) that was played in a loop.
pub fn score(said: &Path, heard: &Path) -> Result<Score> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let python = env::var_os(PYTHON_VARIABLE).map_or_else(|| folder.join(".venv/bin/python"), PathBuf::from);
    let output = Command::new(&python)
        .arg(folder.join("score.py"))
        .args([said, heard])
        .output()
        .with_context(|| format!("cannot run {}: scripts/setup-test.sh makes it", python.display()))?;
    let reason = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "score.py: {reason}");
    serde_json::from_slice(&output.stdout).context("score.py gave no figures")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip;

    /// Samples of a packet.
    const PACKET: usize = 441;

    struct Sound {
        samples: Vec<i16>,
        spec: hound::WavSpec,
    }

    /// What is said, and the file that it is in.
    fn said(folder: &Path) -> (Sound, PathBuf) {
        let path = folder.join("said.wav");
        clip::write_sentences(&path).unwrap();
        let reader = hound::WavReader::open(&path).unwrap();
        let spec = reader.spec();
        (Sound { samples: reader.into_samples().map(Result::unwrap).collect(), spec }, path)
    }

    /// How well this is understood, heard from somewhere in the loop on, after a silence.
    fn understood(folder: &Path, change: impl Fn(&mut Vec<i16>)) -> Score {
        let (Sound { mut samples, spec }, path) = said(folder);
        let length = samples.len();
        samples.rotate_left(length / 3);
        samples.extend_from_within(..length / 2);
        change(&mut samples);
        let heard = folder.join("heard.wav");
        let mut writer = hound::WavWriter::create(&heard, spec).unwrap();
        for sample in std::iter::repeat_n(0, 7_777).chain(samples) {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        score(&path, &heard).unwrap()
    }

    #[test]
    fn what_is_heard_as_it_was_said_is_understood_and_what_is_lost_is_less_so() {
        let folder = tempfile::tempdir().unwrap();
        let same = understood(folder.path(), |_| {});
        assert!((10..=12).contains(&same.said) && same.understood == same.said, "{same:?}");
        let whole = same.stoi.unwrap();
        assert!(whole.worst > 0.99, "{same:?}");

        // 20 of 100 packets of 20 ms, spread by a congruential generator.
        let lost = understood(folder.path(), |samples| {
            let mut state = 1_u32;
            for packet in samples.chunks_mut(PACKET) {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if (state >> 16) % 100 < 20 {
                    packet.fill(0);
                }
            }
        });
        let holes = lost.stoi.unwrap();
        assert!(holes.mean < 0.92 && holes.worst < 0.88, "{lost:?}");

        let stretched = understood(folder.path(), |samples| *samples = stretched_in_places(samples));
        let even = stretched.stoi.unwrap();
        assert!(even.mean > holes.mean + 0.03 && even.worst > 0.75, "{stretched:?}, {lost:?}");
    }

    #[test]
    fn nothing_is_understood_of_silence_and_noise() {
        let folder = tempfile::tempdir().unwrap();
        let silent = understood(folder.path(), |samples| samples.fill(0));
        assert!(silent.said >= 10 && silent.understood == 0 && silent.stoi.unwrap().mean < 0.1, "{silent:?}");
        let noise = understood(folder.path(), |samples| {
            let mut state = 1_u32;
            samples.fill_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 19) as i16 - 4_096
            });
        });
        assert!(noise.understood == 0, "{noise:?}");
    }

    /// A third of the time 3 % slower: of each 1.5 s, half a second has 15 ms more, as a jitter buffer makes them.
    fn stretched_in_places(samples: &[i16]) -> Vec<i16> {
        const PLACE: usize = 22_050 / 2;
        const MORE: usize = 22_050 * 15 / 1_000;
        const FADE: usize = 220;
        let mut out = vec![];
        for (number, part) in samples.chunks(PLACE).enumerate() {
            if number % 3 != 0 || part.len() < PLACE {
                out.extend_from_slice(part);
                continue;
            }
            // Back by about that much, to where it is most alike.
            let middle = PLACE / 2;
            let alike = |back: &usize| -> i64 {
                let difference =
                    |n: usize| (i64::from(part[middle + n]) - i64::from(part[middle + n - back])).abs();
                (0..FADE).map(difference).sum()
            };
            let back = (MORE - 60..MORE + 60).min_by_key(alike).unwrap();
            out.extend_from_slice(&part[..middle]);
            out.extend((0..FADE).map(|n| {
                let share = n as f64 / FADE as f64;
                let (ahead, behind) = (f64::from(part[middle + n]), f64::from(part[middle + n - back]));
                (ahead + (behind - ahead) * share) as i16
            }));
            out.extend_from_slice(&part[middle + FADE - back..]);
        }
        out
    }
}
