//! What signaling costs: `roundtable-server` against the same contract on Node and socket.io.
//!
//! Server and load have a core each. Ends with status 1 when a message was lost or reordered, or a join was lost.

mod idle;
mod joins;
mod relay;
mod servers;

use std::process::ExitCode;

use anyhow::{Context, Result};
use bench::processes;
use clap::Parser;
use e2e::process;

use idle::IdleCost;
use joins::JoinCost;
use relay::RelayCost;
use servers::{Kind, LOAD_CORE, RunningServer};

/// Measures what signaling costs, against Node and socket.io.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Messages to relay
    #[arg(long, default_value_t = 600_000)]
    messages: u64,

    /// Joins to make
    #[arg(long, default_value_t = 10_000)]
    joins: u64,

    /// Idle connections to open, in the second measurement; the first has a tenth of it
    #[arg(long, default_value_t = 10_000)]
    connections: u64,
}

/// All figures of one server.
#[derive(Debug)]
struct Figures {
    relay: RelayCost,
    joins: JoinCost,
    idle: IdleCost,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    process::hide_output();
    // Before there are other threads: they inherit the core and the limit.
    processes::pin(std::process::id(), LOAD_CORE)?;
    rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the limit of open files")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ours = measure(Kind::Roundtable, &options).await?;
        let node = measure(Kind::Node, &options).await?;
        print(&ours, &node, &options);
        Ok(if correct(&ours) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

async fn measure(kind: Kind, options: &Options) -> Result<Figures> {
    // A fresh server each time: what one measurement leaves behind must not count in the next.
    let relay = relay::measure(&RunningServer::start(kind).await?, options.messages).await?;
    let joins = joins::measure(&RunningServer::start(kind).await?, options.joins).await?;
    let idle = idle::measure(&RunningServer::start(kind).await?, options.connections).await?;
    Ok(Figures { relay, joins, idle })
}

fn correct(figures: &Figures) -> bool {
    figures.relay.reordered == 0 && figures.relay.lost == 0 && figures.joins.lost == 0
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(ours: &Figures, node: &Figures, options: &Options) {
    let few = options.connections / idle::FEW;
    let rows = [
        ("relay: CPU-s per 100 000 messages".to_owned(), ours.relay.cpu_seconds, node.relay.cpu_seconds),
        ("join: CPU-µs, connection included".to_owned(), ours.joins.cpu_micros, node.joins.cpu_micros),
        ("resident MB, hardly connected".to_owned(), ours.idle.base_megabytes, node.idle.base_megabytes),
        (format!("bytes per idle connection, {few}"), ours.idle.few_bytes, node.idle.few_bytes),
        (
            format!("bytes per idle connection, {}", options.connections),
            ours.idle.many_bytes,
            node.idle.many_bytes,
        ),
    ];
    println!("{:<40} {:>12} {:>12} {:>8}", "", "roundtable", "Node", "ratio");
    for (name, ours, node) in rows {
        println!("{name:<40} {ours:>12.2} {node:>12.2} {:>8.2}", ours / node);
    }
    let counts = [
        ("messages lost", ours.relay.lost, node.relay.lost),
        ("messages reordered", ours.relay.reordered, node.relay.reordered),
        ("joins lost", ours.joins.lost, node.joins.lost),
    ];
    for (name, ours, node) in counts {
        println!("{name:<40} {ours:>12} {node:>12}");
    }
}
