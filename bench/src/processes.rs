//! What processes cost, as Linux counts it (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Clock ticks per second in `/proc`: `USER_HZ`, which is 100 wherever this is measured.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of a process and of its children that have ended, in seconds.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    // utime, stime, cutime and cstime are fields 14 to 17 of the line.
    let ticks = fields.get(11..15).context("a short stat line")?;
    let ticks = ticks.iter().map(|field| field.parse::<u64>()).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

/// CPU time of each thread of a process, in seconds, by the threads' names; those of one name together.
pub fn thread_cpu_seconds(pid: u32) -> Result<BTreeMap<String, f64>> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(proc_file(pid, "task"))? {
        let folder = entry?.path();
        // A thread may have ended since.
        let Ok(name) = fs::read_to_string(folder.join("comm")) else { continue };
        let Ok(fields) = stat_file(&folder.join("stat")) else { continue };
        let ticks = fields.get(11..13).context("a short stat line")?;
        let ticks = ticks.iter().map(|field| field.parse::<u64>()).sum::<Result<u64, _>>()?;
        *threads.entry(name.trim_end().to_owned()).or_default() += ticks as f64 / TICKS_PER_SECOND;
    }
    Ok(threads)
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    kilobytes(&proc_file(pid, "status"), "VmRSS:").map(|size| size * 1024)
}

/// Proportional memory of a process, in bytes: pages that several processes share are counted in parts.
pub fn proportional_bytes(pid: u32) -> Result<u64> {
    kilobytes(&proc_file(pid, "smaps_rollup"), "Pss:").map(|size| size * 1024)
}

/// All descendants of a process.
pub fn descendants(pid: u32) -> Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(child) = entry?.file_name().to_string_lossy().parse() else { continue };
        // It may have ended since.
        let Ok(fields) = stat(child) else { continue };
        let parent = fields.get(1).context("a short stat line")?.parse()?;
        children.entry(parent).or_default().push(child);
    }
    let mut found = vec![];
    let mut open = vec![pid];
    while let Some(next) = open.pop() {
        let own = children.remove(&next).unwrap_or_default();
        found.extend(&own);
        open.extend(own);
    }
    Ok(found)
}

/// Pins a process with all its threads to a core.
pub fn pin(pid: u32, core: usize) -> Result<()> {
    let output = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &pid.to_string()])
        .output()
        .context("cannot run taskset (package util-linux)")?;
    let reason = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot use core {core}: {reason}");
    Ok(())
}

/// The fields of the stat line behind the program's name, which may hold anything: the third field is the first here.
fn stat(pid: u32) -> Result<Vec<String>> {
    stat_file(&proc_file(pid, "stat"))
}

fn stat_file(path: &Path) -> Result<Vec<String>> {
    let line = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (_, fields) = line.rsplit_once(')').context("a stat line without a name")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn kilobytes(path: &PathBuf, field: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let size = text.lines().find_map(|line| line.strip_prefix(field)).context("no such field")?;
    Ok(size.trim().trim_end_matches(" kB").parse()?)
}

fn proc_file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_with_its_children() {
        let own = std::process::id();
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        assert!(descendants(own).unwrap().contains(&child.id()));
        assert!(cpu_seconds(own).unwrap() < 1_000.0);
        let threads = thread_cpu_seconds(own).unwrap();
        assert!(!threads.is_empty() && threads.values().all(|seconds| *seconds < 1_000.0), "{threads:?}");
        assert!(resident_bytes(own).unwrap() >= proportional_bytes(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(cpu_seconds(child.id()).is_err());
    }
}
