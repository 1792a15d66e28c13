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
const ROWS: [Row; 4] = [
    Row { format: Format { width: 640, height: 360 }, others: 1 },
    Row { format: Format { width: 640, height: 360 }, others: 3 },
    Row { format: Format { width: 1_280, height: 720 }, others: 1 },
    Row { format: Format { width: 1_280, height: 720 }, others: 3 },
];

/// Measures what taking part in a call costs, against Chromium in the same seat.
#[derive(Debug, Parser)]
struct Options {
    /// How long each row is measured
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
    /// Only these rows, counted from 1
    #[arg(long, value_delimiter = ',')]
    rows: Vec<usize>,
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
    let options = Options::parse();
    let time = Duration::from_secs(options.seconds);
    let mut encoder = vec![];
    for (number, row) in (1..).zip(ROWS) {
        if !options.rows.is_empty() && !options.rows.contains(&number) {
            continue;
        }
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
    for pair in encoder.windows(2) {
        if let [(one, Some(alone)), (three, Some(all))] = pair
            && one.format == three.format
        {
            println!("  {}, {} / {}: {:.2}", one.format, three.others, one.others, all / alone);
        }
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
