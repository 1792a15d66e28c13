//! What this process costs. Each system has its own way to tell; where it has none that we know, the value is `null`.

use serde::Serialize;

/// What this process has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ProcessStats {
    /// User and system time of all threads, in seconds.
    #[serde(rename = "cpuSeconds")]
    pub cpu_seconds: Option<f64>,
    /// Resident memory now, in MiB.
    #[serde(rename = "rssMiB")]
    pub rss_mib: Option<f64>,
}

impl ProcessStats {
    /// Asks the system.
    pub fn now() -> Self {
        Self { cpu_seconds: cpu_seconds(), rss_mib: rss_mib() }
    }
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to writable memory of the right size, and getrusage keeps none of it.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: getrusage succeeded, so it filled the structure.
    let usage = unsafe { usage.assume_init() };
    // Added as whole numbers, so that the sum has no more digits than it is worth.
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    Some((seconds as f64 * 1e6 + microseconds as f64) / 1e6)
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

/// `VmRSS` of proc_pid_status(5): in kB whatever the page size, unlike `statm`.
#[cfg(target_os = "linux")]
fn rss_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(not(target_os = "linux"))]
fn rss_mib() -> Option<f64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_and_memory_show() {
        let before = ProcessStats::now();
        let mut block = vec![0u8; 64 << 20];
        let mut sum = 0u64;
        while ProcessStats::now().cpu_seconds <= before.cpu_seconds.map(|seconds| seconds + 0.02) {
            for (index, byte) in block.iter_mut().enumerate().step_by(4096) {
                *byte = byte.wrapping_add(index as u8 | 1);
                sum += u64::from(*byte);
            }
        }
        let after = ProcessStats::now();
        assert!(sum > 0);
        assert!(after.rss_mib.unwrap() > before.rss_mib.unwrap() + 32.0, "{before:?} {after:?}");
        drop(block);
    }
}
