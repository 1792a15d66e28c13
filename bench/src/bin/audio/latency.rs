//! How late sound is while 720p pictures go both ways between two clients on this machine.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::call::record::Latency;
use clap::Args;
use e2e::desktop::{self, Desktop};
use e2e::pulse::Pulse;
use e2e::server::Server;
use e2e::sound::Sound;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use media_core::frame::SAMPLE_RATE;
use media_core::marks::audio as marks;
use tokio::time::sleep;

use crate::seat;

/// How long it is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// In seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(10..=300))]
    seconds: u64,
}

/// A sink of two channels: what is played into the left one is what the microphone hears, and the speaker plays into the right one. One recording of its
/// monitor therefore holds both by one clock.
const BOTH: &str = "both";

/// A sample over this is a burst. What comes through a codec is lower than what goes in.
const BURST: u16 = 4_000;

/// Silence before a burst, in samples.
const QUIET: usize = SAMPLE_RATE as usize / 2;

/// By how much more than a second bursts are apart, in samples: 7.3 ms, while packets are of 20 ms.
const SHIFT: usize = 350;

/// Measures and prints both.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
pub async fn run(options: &Options) -> Result<()> {
    let time = Duration::from_secs(options.seconds);
    let (within, wait) = within_the_client(time).await?;
    println!("from the source to the mixer: p50 {:.1} ms, p95 {:.1} ms", within.p50, within.p95);
    println!("of which in the jitter buffer: {wait:.1} ms (mean)");
    let (ear, count) = mouth_to_ear(time).await?;
    println!("from mouth to ear, of {count} marks: p50 {:.1} ms, p95 {:.1} ms", ear.p50, ear.p95);
    Ok(())
}

/// From the marks that a client makes to its peer's mixer, by the peer's own statistics, and the mean time in the jitter buffer.
async fn within_the_client(time: Duration) -> Result<(Latency, f64)> {
    let (pulse, server) = (Pulse::start().await?, Server::start().await?);
    let url = server.room_url("latency");
    let speaks = desktop::Options {
        camera: seat::CAMERA.to_owned(),
        microphone: "marks".to_owned(),
        speaker: Some("none".to_owned()),
        ..desktop::Options::default()
    };
    let _mouth = Desktop::call(&url, "Mouth", &speaks)?;
    let listens = seat::listens(seat::CAMERA, "marks".to_owned());
    let mut ear = Desktop::call_with_sound(&url, "Ear", &listens, &pulse)?;
    ear.is_with(&["Mouth"]).await?;
    sleep(seat::REST + time).await;
    let stats = ear.stats()?.context("no statistics")?;
    let audio = stats.peer("Mouth").and_then(|peer| peer.audio.as_ref()).context("no sound")?;
    let latency = audio.latency_ms.context("no marks")?;
    let wait = audio.jitter_buffer_delay_ms.context("no jitter buffer")?;
    Ok((Latency { p50: latency.p50, p95: latency.p95 }, wait))
}

/// From a sound at a microphone of the sound server to the same sound at a speaker of it, through two clients.
async fn mouth_to_ear(time: Duration) -> Result<(Latency, usize)> {
    let (pulse, server, folder) = (Pulse::start().await?, Server::start().await?, tempfile::tempdir()?);
    split_sink(&pulse)?;
    let url = server.room_url("latency");
    let original = |microphone: String, speaker: String| desktop::Options {
        camera: seat::CAMERA.to_owned(),
        microphone,
        speaker: Some(speaker),
        // Bursts are no voices to the processing.
        original_sound: true,
        ..desktop::Options::default()
    };
    let mouth = original("device:mouth".to_owned(), "none".to_owned());
    let _mouth = Desktop::call_with_sound(&url, "Mouth", &mouth, &pulse)?;
    let ear = original("none".to_owned(), "device:right".to_owned());
    let mut ear = Desktop::call_with_sound(&url, "Ear", &ear, &pulse)?;
    ear.is_with(&["Mouth"]).await?;

    let (played, recorded) = (folder.path().join("marks.wav"), folder.path().join("both.wav"));
    write_marks(&played, seat::REST + time)?;
    let _voice = pulse.play_to("left", &played)?;
    sleep(seat::REST).await;
    let mut recorder = pulse.record_from(&format!("{BOTH}.monitor"), 2, &recorded)?;
    sleep(time).await;
    recorder.terminate()?;
    recorder.ended().await?;

    let [left, right] = channels(&recorded)?;
    let latencies: Vec<f64> =
        onsets(&left).into_iter().filter_map(|said| after(&onsets(&right), said)).collect();
    let count = latencies.len();
    ensure!(count * 2 > time.as_secs() as usize, "only {count} marks were heard");
    Ok((Latency::of(latencies).context("no marks were heard")?, count))
}

/// Makes the sink, two sinks that play into one channel of it each, and the microphone that hears one.
fn split_sink(pulse: &Pulse) -> Result<()> {
    let sink = format!("sink_name={BOTH}");
    pulse.pactl(&["load-module", "module-null-sink", &sink, "rate=48000", "channels=2"])?;
    for (name, channel) in [("left", "front-left"), ("right", "front-right")] {
        let (name, map) = (format!("sink_name={name}"), format!("master_channel_map={channel}"));
        let master = format!("master={BOTH}");
        let arguments =
            ["module-remap-sink", &name, &master, "channels=1", "channel_map=mono", &map, "remix=no"];
        pulse.pactl(&[&["load-module"], &arguments[..]].concat())?;
    }
    let master = format!("master={BOTH}.monitor");
    let map = "master_channel_map=front-left";
    let arguments = [
        "module-remap-source",
        "source_name=mouth",
        &master,
        "channels=1",
        "channel_map=mono",
        map,
        "remix=no",
    ];
    pulse.pactl(&[&["load-module"], &arguments[..]].concat())?;
    Ok(())
}

/// Bursts a little more than a second apart, so that each comes at another time within a packet.
fn write_marks(path: &Path, length: Duration) -> Result<()> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut second = vec![0.0; SAMPLE_RATE as usize];
    marks::fill(&mut second, Duration::from_millis(500));
    second.resize(second.len() + SHIFT, 0.0);
    let samples = second.repeat(length.as_secs() as usize);
    let mut writer = WavWriter::create(path, spec)?;
    for sample in samples {
        writer.write_sample((sample * f32::from(i16::MAX)) as i16)?;
    }
    Ok(writer.finalize()?)
}

fn channels(path: &Path) -> Result<[Vec<i16>; 2]> {
    ensure!(WavReader::open(path)?.spec().channels == 2, "two channels were asked for");
    let both = Sound::read(path)?.samples;
    Ok([0, 1].map(|channel| both.iter().copied().skip(channel).step_by(2).collect()))
}

/// Where bursts begin, in samples.
fn onsets(samples: &[i16]) -> Vec<usize> {
    let (mut found, mut last) = (vec![], None);
    for (index, _) in samples.iter().enumerate().filter(|(_, sample)| sample.unsigned_abs() > BURST) {
        if last.is_none_or(|last| index - last > QUIET) {
            found.push(index);
        }
        last = Some(index);
    }
    found
}

/// How long after this the next onset is, in milliseconds, if it is before the next mark.
fn after(onsets: &[usize], said: usize) -> Option<f64> {
    let next = onsets.iter().find(|onset| **onset >= said)? - said;
    (next < SAMPLE_RATE as usize).then(|| next as f64 * 1_000.0 / f64::from(SAMPLE_RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onsets_are_found_and_joined() {
        let mut samples = vec![0; 200_000];
        for start in [30_000, 78_000, 126_000] {
            samples[start..start + 200].fill(-9_000);
        }
        assert_eq!(onsets(&samples), [30_000, 78_000, 126_000]);
        assert_eq!(after(&onsets(&samples), 77_520), Some(10.0));
        assert_eq!(after(&onsets(&samples), 130_000), None);
    }
}
