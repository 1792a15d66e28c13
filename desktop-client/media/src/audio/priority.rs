//! The audio thread goes before others where the system grants that, so that a busy computer is not heard.

/// Above everything that is not real time, and below the sound server, which our thread must not keep from its work: of 0 to 99.
#[cfg(unix)]
const REALTIME: u8 = 1;

/// Asks for the current thread to go first. A system that refuses (most desktop Linux without `rtprio` limits) leaves it as it is: sound is then as good as the
/// computer is idle.
pub fn raise() {
    match try_raise() {
        Ok(()) => tracing::debug!("the audio thread has real-time priority"),
        Err(error) => tracing::debug!("the audio thread has usual priority: {error}"),
    }
}

#[cfg(unix)]
fn try_raise() -> Result<(), String> {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    let priority = ThreadPriority::Crossplatform(REALTIME.try_into()?);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    set_thread_priority_and_policy(thread_native_id(), priority, policy).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn try_raise() -> Result<(), String> {
    thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max)
        .map_err(|error| error.to_string())
}
