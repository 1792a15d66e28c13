//! The sound of calls: how well it is understood on networks that people have, how late it is, and what it costs.
//!
//! `calls` makes the calls that `profiles` makes, records what each side hears, and has it compared with what was said (`e2e::listening`). The other commands
//! look at desktop clients on this machine, beside a sound server of their own.

mod calls;
mod cost;
mod figures;
mod latency;
mod seat;
mod underruns;

use anyhow::Result;
use clap::{Parser, Subcommand};
use e2e::process;

/// Measures the sound of calls.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How well voices are understood over impaired networks
    Calls(calls::Options),
    /// How late sound is while pictures go both ways, within the client and from mouth to ear
    Latency(latency::Options),
    /// What the sound of a call with three others costs, by thread
    Cost(cost::Options),
    /// How often the speaker runs dry while the camera is encoded
    Underruns(underruns::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    process::hide_output();
    match Options::parse().command {
        Command::Calls(options) => calls::run(&options).await,
        Command::Latency(options) => latency::run(&options).await,
        Command::Cost(options) => cost::run(&options).await,
        Command::Underruns(options) => underruns::run(&options).await,
    }
}
