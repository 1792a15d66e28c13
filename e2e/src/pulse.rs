//! A private PulseAudio without hardware: a null sink is the speaker, and the monitor of a second one is the microphone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::Process;
use crate::{eventually, programs};

/// A running sound server.
#[derive(Debug)]
pub struct Pulse {
    // Dropped before its folder.
    _process: Process,
    folder: TempDir,
}

impl Pulse {
    /// The speaker's name.
    pub const SPEAKER: &str = "spk";
    /// The microphone's name.
    pub const MICROPHONE: &str = "mic";

    /// Starts one.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = programs::foreign("pulseaudio", "Install the package pulseaudio.")?;
        let mut command = Command::new(program);
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no"]);
        for module in [
            format!("module-null-sink sink_name={} rate=48000 channels=2", Self::SPEAKER),
            "module-null-sink sink_name=feed rate=48000 channels=1".to_owned(),
            format!("module-remap-source source_name={} master=feed.monitor", Self::MICROPHONE),
            // Last: who can connect finds all devices.
            format!(
                "module-native-protocol-unix socket={} auth-anonymous=1",
                socket(folder.path()).display()
            ),
        ] {
            command.arg("-L").arg(module);
        }
        let environment = [("HOME", folder.path()), ("XDG_RUNTIME_DIR", folder.path())];
        let process = Process::start("pulseaudio", command.envs(environment))?;
        let pulse = Self { _process: process, folder };
        eventually("the start of the sound server", async || pulse.pactl(&["info"]).map(Some)).await?;
        pulse.pactl(&["set-default-sink", Self::SPEAKER])?;
        pulse.pactl(&["set-default-source", Self::MICROPHONE])?;
        Ok(pulse)
    }

    /// What a program needs in its environment to use it.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        let folder = self.folder.path();
        let server = PathBuf::from(format!("unix:{}", socket(folder).display()));
        [
            ("PULSE_SERVER", server),
            ("XDG_RUNTIME_DIR", folder.to_owned()),
            ("PULSE_COOKIE", folder.join("cookie")),
        ]
    }

    /// Runs `pactl` against it, and gives its output.
    pub fn pactl(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("pactl")
            .args(arguments)
            .envs(self.environment())
            .output()
            .context("cannot run pactl")?;
        anyhow::ensure!(output.status.success(), "pactl: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Plays a WAV into the microphone, until the returned process is dropped or the file has ended.
    pub fn speak(&self, wav: &Path) -> Result<Process> {
        self.play_to("feed", wav)
    }

    /// Plays a WAV to a sink, until the returned process is dropped or the file has ended.
    pub fn play_to(&self, sink: &str, wav: &Path) -> Result<Process> {
        let device = format!("--device={sink}");
        Process::start("paplay", Command::new("paplay").arg(device).arg(wav).envs(self.environment()))
    }

    /// Records what goes to the speaker, until the returned process is dropped.
    pub fn record(&self, wav: &Path) -> Result<Process> {
        self.record_from(&format!("{}.monitor", Self::SPEAKER), 1, wav)
    }

    /// Records so many channels of a source, until the returned process is dropped.
    pub fn record_from(&self, source: &str, channels: u8, wav: &Path) -> Result<Process> {
        let (device, channels) = (format!("--device={source}"), format!("--channels={channels}"));
        let mut command = Command::new("parecord");
        command.args([&device, &channels, "--file-format=wav", "--rate=48000"]).arg(wav);
        Process::start("parecord", command.envs(self.environment()))
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("pulse.sock")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clip, tone};

    #[tokio::test]
    async fn what_is_spoken_arrives_at_the_microphone() {
        let pulse = Pulse::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (spoken, heard) = (folder.path().join("spoken.wav"), folder.path().join("heard.wav"));
        clip::write_tone(&spoken, 700, -20.0).unwrap();
        let device = format!("--device={}", Pulse::MICROPHONE);
        let mut recorder = Command::new("parecord");
        recorder.args([&device, "--file-format=wav", "--rate=48000", "--channels=1"]).arg(&heard);
        let _recorder = Process::start("parecord", recorder.envs(pulse.environment())).unwrap();
        let _speech = pulse.speak(&spoken).unwrap();
        eventually("the tone", async || {
            let Some(tone) = tone::in_wav(&heard)? else { return Ok(None) };
            tone.expect(700.0, -20.0).map(Some)
        })
        .await
        .unwrap();
    }
}
