//! What taking part costs: a headless desktop client against Chromium on the room page, in the same seat.
//!
//! Both play the same clip and the same tone, and both decode everything that comes but show nothing: the desktop client has no window, and the page
//! is told to show none of itself. The others in the room are desktop clients; what they cost is not counted.

mod chromium;
mod room;
mod seat;

use std::time::Duration;

use anyhow::Result;
use bench::clip::{Clips, Format};
use clap::Parser;
use e2e::process;

use chromium::ChromiumSeat;
use room::Room;
use seat::{Cost, DesktopSeat};

/// What is measured.
const ROWS: [Row; 3] = [
    Row { format: Format { width: 640, height: 360 }, others: 1 },
    Row { format: Format { width: 640, height: 360 }, others: 3 },
    Row { format: Format { width: 1_280, height: 720 }, others: 1 },
];

/// Measures what taking part in a call costs, against Chromium in the same seat.
#[derive(Debug, Parser)]
struct Options {
    /// How long each row is measured
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    format: Format,
    others: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
async fn main() -> Result<()> {
    process::hide_output();
    let time = Duration::from_secs(Options::parse().seconds);
    let mut encoder = vec![];
    for row in ROWS {
        println!("{}, {} other(s)", row.format, row.others);
        let ours = desktop(row, time).await?;
        println!("  {}", ours.line("roundtable", row.format));
        let theirs = chromium(row, time).await?;
        println!("  {}", theirs.line("Chromium", row.format));
        println!("  {}", ours.ratio(&theirs, row.format));
        encoder.push((row, ours.encoder_cpu));
    }
    println!("encoder, CPU-s per minute");
    for (row, cpu) in &encoder {
        let cpu = cpu.map_or("not told".to_owned(), |cpu| format!("{cpu:.2}"));
        println!("  {}, {} other(s): {cpu}", row.format, row.others);
    }
    if let [(_, Some(one)), (_, Some(three)), ..] = encoder[..] {
        println!("  with 3 others / with 1 other: {:.2}", three / one);
    }
    Ok(())
}

async fn desktop(row: Row, time: Duration) -> Result<Cost> {
    let clips = Clips::write(row.format)?;
    let mut room = Room::open(row.format, row.others).await?;
    let mut seat = DesktopSeat::take(&room, &clips)?;
    seat::measure(&mut seat, &mut room, time).await
}

async fn chromium(row: Row, time: Duration) -> Result<Cost> {
    let clips = Clips::write(row.format)?;
    let mut room = Room::open(row.format, row.others).await?;
    let mut seat = ChromiumSeat::take(&room, &clips).await?;
    seat::measure(&mut seat, &mut room, time).await
}
