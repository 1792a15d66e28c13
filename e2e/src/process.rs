//! Child processes that never outlive the test, even one that is killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::eventually;

/// Lines of output that are kept for error messages and for [`Process::line`].
const KEPT_LINES: usize = 2_000;

/// Lines of output that a test shows when it ends.
const SHOWN_LINES: usize = 60;

/// Whether output is shown when a process is dropped.
static SHOW_OUTPUT: AtomicBool = AtomicBool::new(true);

/// From now on, dropped processes show nothing: for programs whose own output is not kept for failures.
pub fn hide_output() {
    SHOW_OUTPUT.store(false, Ordering::Relaxed);
}

/// Waits until its standard input is closed, by us or because the test is gone, then ends a process and all its descendants: browsers put theirs
/// into process groups of their own.
const REAPER: &str = r#"
end() {
  for child in $(ps -A -o pid=,ppid= | awk -v parent="$1" '$2 == parent { print $1 }'); do end "$child"; done
  kill -KILL "$1" 2>/dev/null
}
read -r _
end "$0"
"#;

/// A running program and its output.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    reaper: Child,
    output: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts a program in a process group of its own. `name` is for error messages.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        Self::start_reading(name, command, Stdio::null())
    }

    /// The same for a program that reads lines; see [`Process::write_line`].
    pub fn start_with_input(name: &str, command: &mut Command) -> Result<Self> {
        Self::start_reading(name, command, Stdio::piped())
    }

    fn start_reading(name: &str, command: &mut Command, input: Stdio) -> Result<Self> {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", command.get_program().display()))?;
        let reaper = Command::new("sh")
            .args(["-c", REAPER, &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start sh")?;
        let output = Arc::default();
        keep_lines(child.stdout.take(), &output);
        keep_lines(child.stderr.take(), &output);
        Ok(Self { name: name.to_owned(), child, reaper, output })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub fn write_line(&mut self, line: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().with_context(|| format!("{} reads nothing", self.name))?;
        Ok(input.write_all(format!("{line}\n").as_bytes()).and_then(|()| input.flush())?)
    }

    /// The newest lines of its standard output and standard error.
    pub fn log(&self) -> String {
        lock(&self.output).join("\n")
    }

    /// Waits for a line of output that `pick` takes something from.
    pub async fn line<T>(&mut self, what: &str, pick: impl Fn(&str) -> Option<T>) -> Result<T> {
        // Its last words may still be on their way when it has ended: they are waited for until the next look.
        let mut ended = None;
        eventually(&format!("{}: {what}", self.name), async || {
            let over = std::mem::replace(&mut ended, self.child.try_wait()?);
            if let Some(found) = lock(&self.output).iter().find_map(|line| pick(line)) {
                return Ok(Some(Ok(found)));
            }
            Ok(over.map(|status| Err(anyhow!("{} ended with {status}:\n{}", self.name, self.log()))))
        })
        .await?
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let name = format!("the end of {}", self.name);
        eventually(&name, async || self.exit_status()).await
    }

    /// Asks it to end (SIGTERM); see [`Process::ended`].
    pub fn terminate(&self) -> Result<()> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if !status.success() {
            bail!("cannot end {}: kill gave {status}", self.name);
        }
        Ok(())
    }

    /// Ends it as a crash would (SIGKILL), with everything that it started.
    pub fn kill(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            // Its number may be another process's by now.
            let _ = self.reaper.kill();
        }
        drop(self.reaper.stdin.take());
        // Both fail only for processes that are gone already.
        let _ = self.reaper.wait();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::print_stderr,
    reason = "test runners take what tests print, and show it for those that failed"
)]
impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if !SHOW_OUTPUT.load(Ordering::Relaxed) {
            return;
        }
        // Test runners show it only for tests that failed.
        let log = lock(&self.output);
        let newest = log.len().saturating_sub(SHOWN_LINES);
        eprintln!("--- last output of {}:\n{}", self.name, log[newest..].join("\n"));
    }
}

fn keep_lines(stream: Option<impl Read + Send + 'static>, output: &Arc<Mutex<Vec<String>>>) {
    let Some(stream) = stream else { return };
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let mut lines = lock(&output);
            if lines.len() == KEPT_LINES {
                lines.remove(0);
            }
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn lock(output: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(pid: &str) -> bool {
        Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
    }

    #[tokio::test]
    async fn a_dropped_process_takes_its_descendants_along() {
        let script = "set -m; sleep 1000 & echo pid $!; wait";
        let mut process = Process::start("shell", Command::new("bash").args(["-c", script])).unwrap();
        let pid = process.line("a pid", |line| line.strip_prefix("pid ").map(str::to_owned)).await.unwrap();
        assert!(runs(&pid));
        drop(process);
        eventually("the end of the grandchild", async || Ok((!runs(&pid)).then_some(()))).await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_an_error_with_its_output() {
        let mut process =
            Process::start("shell", Command::new("sh").args(["-c", "echo no such luck; exit 3"])).unwrap();
        process.ended().await.unwrap();
        let error = process.line("luck", |_| None::<()>).await.unwrap_err();
        assert!(format!("{error:#}").contains("no such luck"), "{error:#}");
    }
}
