//! The program `roundtable`: the window, or a call without one.

use std::process::ExitCode;

use anyhow::Context as _;
use call_core::room_url::RoomUrl;
use roundtable::cli::{Cli, Command, ExitStatus};
use roundtable::logging::{self, Audience};
use roundtable::window::{self, Go, Opening};
use roundtable::{devices_command, headless, tls};

fn main() -> ExitCode {
    let cli = match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let headless = matches!(&cli.command, Some(Command::Call(call)) if call.headless);
    let audience = if headless { Audience::Headless } else { Audience::Window };
    if let Err(error) = logging::init(cli.log.as_deref(), audience) {
        return report(ExitStatus::BadArguments, &error.into());
    }
    tls::install_provider();
    match run(&cli) {
        Ok(status) => status.into(),
        Err(error) => report(ExitStatus::Failed, &error),
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("network")
        .enable_all()
        .build()
        .context("the network threads do not start")?;
    let status = match &cli.command {
        Some(Command::Call(call)) if call.headless => Ok(runtime.block_on(headless::run(call))),
        Some(Command::Devices(devices)) => {
            devices_command::run(devices.json).context("the list of devices cannot be written")?;
            Ok(ExitStatus::Done)
        }
        command => window::run(&runtime, &opening(cli.url.as_ref(), command.as_ref())),
    };
    // A read of the standard input cannot be interrupted; nothing else is left to wait for.
    runtime.shutdown_background();
    status
}

fn opening(url: Option<&RoomUrl>, command: Option<&Command>) -> Opening {
    match command {
        Some(Command::Join(join)) => {
            Opening { link: Some(join.url.clone()), name: join.name.clone(), go: Go::Preview, call: None }
        }
        Some(Command::Call(call)) => Opening {
            link: Some(call.url.clone()),
            name: call.name.clone(),
            go: Go::Call,
            call: Some((**call).clone()),
        },
        Some(Command::Devices(_)) | None => Opening { link: url.cloned(), ..Opening::default() },
    }
}

#[expect(clippy::print_stderr, reason = "the log may be off, and the person must know why the program ends")]
fn report(status: ExitStatus, error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    status.into()
}
