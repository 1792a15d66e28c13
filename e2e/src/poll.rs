//! Waiting for something to become true.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

/// How long [`eventually`] waits. Far above what an idle machine needs: two cores may be shared by several tests and a compiler.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_millis(150);

/// Looks until `probe` gives a value. The error names what was waited for, and what the last look said: its error, or nothing.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let last = match probe().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("not yet"),
            Err(error) => error,
        };
        if Instant::now() > deadline {
            return Err(last).with_context(|| format!("{what} did not happen within {PATIENCE:?}"));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
