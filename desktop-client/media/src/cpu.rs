//! CPU time of the calling thread, for the encoder's statistics.

/// Seconds of CPU time that this thread has used; `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn thread_seconds() -> Option<f64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to, and the clock is one that every thread has.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    (status == 0).then(|| time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

/// Seconds of CPU time that this thread has used; `None` where the system does not tell.
#[cfg(not(unix))]
pub(crate) fn thread_seconds() -> Option<f64> {
    None
}
