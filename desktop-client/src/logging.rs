//! What the program says about itself, on the standard error output: the standard output belongs to statistics and lists.

use tracing_subscriber::EnvFilter;

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody who looks at a window: only trouble.
    Window,
    /// A terminal or a script: what happens, too.
    Headless,
}

/// The filter given by `--log` is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "\"{filter}\" is no log filter ({reason}). Write a level (error, warn, info, debug, trace) or pairs like roundtable=debug,webrtc=info."
)]
pub struct LogFilterError {
    filter: String,
    reason: String,
}

/// Libraries (by the start of their targets) that report the ordinary life of a call, such as a lost packet or a closed socket, as a warning or
/// an error. Their troubles that matter come back to us as errors, which we log ourselves.
const NOISY: [&str; 2] = ["webrtc", "rtc"];

/// Libraries that warn of properties of a display that nobody can change.
const FUSSY: [&str; 1] = ["winit"];

/// Starts logging. `filter` (of `--log`, or else the variable `RUST_LOG`) replaces the audience's default. Call it once, at the start.
pub fn init(filter: Option<&str>, audience: Audience) -> Result<(), LogFilterError> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|value| !value.is_empty());
    let chosen = filter.or(from_environment.as_deref());
    let filter = make_filter(chosen, audience)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal());
    // Fails only when logging has been started before, which then stays as it is.
    let _ = subscriber.try_init();
    Ok(())
}

fn is_terminal() -> bool {
    use std::io::IsTerminal;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn make_filter(chosen: Option<&str>, audience: Audience) -> Result<EnvFilter, LogFilterError> {
    let directives = match (chosen, audience) {
        (Some(chosen), _) => chosen.to_owned(),
        (None, Audience::Window) => quiet("warn"),
        (None, Audience::Headless) => quiet("info"),
    };
    EnvFilter::builder()
        .parse(&directives)
        .map_err(|error| LogFilterError { filter: directives, reason: error.to_string() })
}

fn quiet(level: &str) -> String {
    let noisy: String = NOISY.iter().map(|target| format!(",{target}=off")).collect();
    let fussy: String = FUSSY.iter().map(|target| format!(",{target}=error")).collect();
    format!("warn,roundtable={level},call_core={level},call_media={level},call_ui={level}{noisy}{fussy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_audience_has_a_default() {
        let headless = make_filter(None, Audience::Headless).unwrap().to_string();
        assert!(headless.contains("roundtable=info") && headless.contains("webrtc=off"), "{headless}");
        let window = make_filter(None, Audience::Window).unwrap().to_string();
        assert!(window.contains("roundtable=warn"), "{window}");
    }

    #[test]
    fn a_chosen_filter_replaces_the_default() {
        assert_eq!(make_filter(Some("debug"), Audience::Window).unwrap().to_string(), "debug");
    }

    #[test]
    fn a_bad_filter_is_named() {
        let error = make_filter(Some("roundtable=loud"), Audience::Window).unwrap_err().to_string();
        assert!(error.starts_with("\"roundtable=loud\" is no log filter"), "{error}");
    }
}
