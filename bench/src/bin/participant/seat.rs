//! The seat: who takes it, and what that costs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::clip::{Clips, Format};
use bench::processes;
use e2e::desktop::{Desktop, Options};
use e2e::eventually;
use tokio::time::sleep;

use crate::room::{Room, SEAT, Stream};

/// A comparison counts only when everything is decoded at this rate, at full size.
const LEAST_RATE: f64 = 28.0;

/// How long streams may take to reach their full size. A browser begins small and grows with its estimate of the network.
const GROWTH: Duration = Duration::from_secs(40);

/// Time from full size to the measurement, in which estimates and buffers come to rest.
const REST: Duration = Duration::from_secs(5);

/// Somebody in the seat.
pub trait Seat {
    /// What it gets from each of the others; those that send nothing yet are left out.
    fn streams(&mut self) -> impl Future<Output = Result<Vec<Stream>>>;

    /// Its processes.
    fn processes(&self) -> Result<Vec<u32>>;

    /// CPU time of its encoder so far, in seconds, if it tells.
    fn encoder_cpu(&mut self) -> Result<Option<f64>>;
}

/// What the seat costs, and what was done for it.
#[derive(Debug)]
pub struct Cost {
    /// CPU-seconds per minute.
    pub cpu: f64,
    /// Proportional memory in bytes.
    pub memory: u64,
    /// CPU-seconds per minute of its encoder, if it tells.
    pub encoder_cpu: Option<f64>,
    /// Pictures per second, and their size, that the seat decodes from each of the others, then each of the others from the seat.
    pub streams: Vec<(f64, Format)>,
    /// How many streams there should be.
    pub expected: usize,
}

impl Cost {
    /// Whether everybody got full pictures.
    pub fn is_valid(&self, format: Format) -> bool {
        self.streams.len() == self.expected
            && self.streams.iter().all(|(rate, size)| *rate >= LEAST_RATE && *size == format)
    }

    /// All figures in a line.
    pub fn line(&self, name: &str, format: Format) -> String {
        let rates: Vec<String> = self
            .streams
            .iter()
            .map(
                |(rate, size)| {
                    if *size == format { format!("{rate:.1}") } else { format!("{rate:.1} ({size})") }
                },
            )
            .collect();
        let (decodes, decoded) = rates.split_at(rates.len().min(self.expected / 2));
        format!(
            "{name:<10} {:>6.1} CPU-s/min {:>6.1} MiB PSS; decodes {}; is decoded {}{}",
            self.cpu,
            self.memory as f64 / f64::from(1 << 20),
            decodes.join(", "),
            decoded.join(", "),
            if self.is_valid(format) { "" } else { "; invalid" },
        )
    }

    /// This seat's cost in parts of another's.
    pub fn ratio(&self, other: &Self, format: Format) -> String {
        if !self.is_valid(format) {
            return "ratio: invalid, for this seat did not hold the rate at full size".to_owned();
        }
        // Whoever does less of the work costs less than the whole would.
        let least = if other.is_valid(format) { "ratio" } else { "ratio ≤" };
        let memory = self.memory as f64 / other.memory as f64;
        format!("{least:<10} {:>6.2} CPU       {memory:>6.2} PSS", self.cpu / other.cpu)
    }
}

/// Waits until everybody gets full pictures, or does not manage to; then measures.
pub async fn measure(seat: &mut impl Seat, room: &mut Room, time: Duration) -> Result<Cost> {
    let expected = room.size();
    eventually("pictures from and for everybody", async || {
        let complete = seat.streams().await?.len() == expected && room.streams_from_seat()?.len() == expected;
        Ok(complete.then_some(()))
    })
    .await?;
    let full = room.format();
    let deadline = Instant::now() + GROWTH;
    while !all(seat, room).await?.iter().all(|stream| stream.format == full) && Instant::now() < deadline {
        sleep(Duration::from_secs(1)).await;
    }
    sleep(REST).await;

    let before = Sample::take(seat, room).await?;
    sleep(time).await;
    let after = Sample::take(seat, room).await?;
    let per_minute = 60.0 / (after.time - before.time).as_secs_f64();
    let memory = seat.processes()?.into_iter().map(memory).sum();
    let encoder_cpu = after.encoder.zip(before.encoder).map(|(after, before)| (after - before) * per_minute);
    let streams = before.streams.iter().zip(&after.streams);
    Ok(Cost {
        cpu: (after.cpu - before.cpu) * per_minute,
        memory,
        encoder_cpu,
        streams: streams.map(|(before, after)| (after.rate_since(before), after.format)).collect(),
        expected: 2 * expected,
    })
}

/// All counters at one moment.
struct Sample {
    time: Instant,
    cpu: f64,
    encoder: Option<f64>,
    streams: Vec<Stream>,
}

impl Sample {
    async fn take(seat: &mut impl Seat, room: &mut Room) -> Result<Self> {
        let streams = all(seat, room).await?;
        let encoder = seat.encoder_cpu()?;
        // Helpers that have ended meanwhile count as idle ones.
        let cpu = seat.processes()?.into_iter().filter_map(|pid| processes::cpu_seconds(pid).ok()).sum();
        Ok(Self { time: Instant::now(), cpu, encoder, streams })
    }
}

async fn all(seat: &mut impl Seat, room: &mut Room) -> Result<Vec<Stream>> {
    let mut streams = seat.streams().await?;
    streams.extend(room.streams_from_seat()?);
    Ok(streams)
}

fn memory(pid: u32) -> u64 {
    processes::proportional_bytes(pid).unwrap_or_default()
}

/// A desktop client in the seat.
#[derive(Debug)]
pub struct DesktopSeat(Desktop);

impl DesktopSeat {
    /// Joins the room. It plays what it hears into a file, as the browser does into nothing.
    pub fn take(room: &Room, clips: &Clips) -> Result<Self> {
        let options = Options {
            camera: format!("file:{}", clips.camera().display()),
            microphone: format!("file:{}", clips.microphone().display()),
            speaker: None,
            ..Options::default()
        };
        Ok(Self(Desktop::call(room.url(), SEAT, &options)?))
    }
}

impl Seat for DesktopSeat {
    async fn streams(&mut self) -> Result<Vec<Stream>> {
        let stats = self.0.stats()?.context("no statistics")?;
        Ok(stats.peers.iter().filter_map(|peer| Stream::of(stats.t, peer.video.as_ref())).collect())
    }

    fn processes(&self) -> Result<Vec<u32>> {
        let mut all = processes::descendants(self.0.process_id())?;
        all.push(self.0.process_id());
        Ok(all)
    }

    fn encoder_cpu(&mut self) -> Result<Option<f64>> {
        let stats = self.0.stats()?.context("no statistics")?;
        Ok(stats.encoder.layers.iter().map(|layer| layer.cpu_seconds).sum())
    }
}
