//! Browsers that nobody sees, driven over WebDriver, each with a fresh profile.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::network::{Forward, Host};
use crate::process::Process;
use crate::programs;
use crate::pulse::Pulse;

/// A host name that leads to this machine, and that no browser takes for it: pages from there are no secure context.
pub const FOREIGN_HOST: &str = "guest.test";

/// What Chromium is started with: no window, no sandbox (tests run as root in containers), nothing that looks for a network, and peers on this
/// machine allowed.
const CHROMIUM_ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP guest.test 127.0.0.1",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
];

/// What Chromium has against pages from, and peers on, a local network: 198.18.0.0/15 is one to it, and nobody can be asked for permission.
#[cfg(target_os = "linux")]
const LOCAL_NETWORK_FEATURES: [&str; 5] = [
    "LocalNetworkAccessChecks",
    "LocalNetworkAccessChecksWebRTC",
    "LocalNetworkAccessChecksWebSockets",
    "LocalNetworkAccessForNavigations",
    "LocalNetworkAccessForSubframeNavigations",
];

/// Where Chromium comes from.
const CHROMIUM_HINT: &str = "Install the packages chromium and chromium-driver: scripts/setup-test.sh does.";

/// How long a script in the page may take.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a page gets a camera and a microphone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// As soon as it asks.
    #[default]
    Given,
    /// The person has said no.
    Denied,
    /// There are none.
    NoDevices,
}

/// What stands for a browser's camera and microphone.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    /// Whether there are any.
    pub access: Access,
    /// A y4m clip that is played in a loop; the browser's own test picture when there is none.
    pub camera: Option<PathBuf>,
    /// A WAV that is played in a loop; the browser's own beeps when there is none.
    pub microphone: Option<PathBuf>,
}

impl Devices {
    fn arguments(&self) -> Vec<String> {
        if self.access == Access::NoDevices {
            return vec![];
        }
        let mut arguments = vec!["--use-fake-device-for-media-stream=fps=30".to_owned()];
        if self.access == Access::Given {
            arguments.push("--use-fake-ui-for-media-stream".to_owned());
        }
        for (flag, file) in [("video", &self.camera), ("audio", &self.microphone)] {
            arguments
                .extend(file.iter().map(|f| format!("--use-file-for-fake-{flag}-capture={}", f.display())));
        }
        arguments
    }

    fn preferences(&self) -> Value {
        const BLOCK: u32 = 2;
        if self.access != Access::Denied {
            return json!({});
        }
        let settings = "profile.default_content_setting_values";
        json!({ format!("{settings}.media_stream_mic"): BLOCK, format!("{settings}.media_stream_camera"): BLOCK })
    }
}

/// A running browser with one page.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    // Dropped before the profile.
    driver: Process,
    #[cfg(target_os = "linux")]
    _forward: Option<Forward>,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium.
    pub async fn chromium(devices: &Devices) -> Result<Self> {
        let mut driver = chromedriver(&mut Command::new(programs::foreign("chromedriver", CHROMIUM_HINT)?))?;
        let port = driver.line("its port", chromedriver_port).await?;
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let profile = tempfile::tempdir()?;
        let options = chromium_options(devices, profile.path(), vec![])?;
        Self::connect(driver, address, "goog:chromeOptions", options, profile).await
    }

    /// Starts Chromium on a host of a network, to look at pages of this server (`http://address:port`) as if they were secure.
    #[cfg(target_os = "linux")]
    pub async fn chromium_on(host: &Host, devices: &Devices, server: &str) -> Result<Self> {
        let mut command = Command::new(programs::foreign("chromedriver", CHROMIUM_HINT)?);
        host.place(&mut command);
        let mut driver = chromedriver(&mut command)?;
        let forward = Forward::open(host, driver.line("its port", chromedriver_port).await?).await?;
        let profile = tempfile::tempdir()?;
        let more = vec![
            format!("--unsafely-treat-insecure-origin-as-secure={server}"),
            format!("--disable-features={}", LOCAL_NETWORK_FEATURES.join(",")),
        ];
        let options = chromium_options(devices, profile.path(), more)?;
        let address = forward.address();
        let browser = Self::connect(driver, address, "goog:chromeOptions", options, profile).await?;
        Ok(Self { _forward: Some(forward), ..browser })
    }

    /// Starts Firefox, with its own moving picture and a steady tone as camera and microphone. Without a sound server a Firefox has no Web Audio.
    pub async fn firefox(tone: u32, pulse: &Pulse) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let binary = programs::foreign("firefox-esr", "Install the package firefox-esr.")?;
        let hint = "Run scripts/setup-test.sh.";
        let mut command = Command::new(programs::foreign("geckodriver", hint)?);
        command.args(["--port", "0", "--websocket-port", "0", "--profile-root"]).arg(profile.path());
        command.envs(pulse.environment()).env("HOME", profile.path());
        let options = json!({ "binary": binary, "args": ["-headless"], "prefs": firefox_preferences(tone) });
        let mut driver = Process::start("geckodriver", &mut command)?;
        let ready = |line: &str| line.rsplit_once("Listening on 127.0.0.1:")?.1.trim().parse().ok();
        let port = driver.line("its port", ready).await?;
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Self::connect(driver, address, "moz:firefoxOptions", options, profile).await
    }

    async fn connect(
        driver: Process,
        address: SocketAddr,
        key: &str,
        options: Value,
        profile: TempDir,
    ) -> Result<Self> {
        let mut capabilities = Map::new();
        capabilities.insert(key.to_owned(), options);
        capabilities.insert("timeouts".to_owned(), json!({ "script": SCRIPT_TIMEOUT.as_millis() }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{address}"))
            .await
            .with_context(|| format!("the driver could not start its browser:\n{}", driver.log()))?;
        Ok(Self {
            client,
            driver,
            #[cfg(target_os = "linux")]
            _forward: None,
            _profile: profile,
        })
    }

    /// The WebDriver session.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The process id of its driver, whose children are the browser.
    pub fn driver_process_id(&self) -> u32 {
        self.driver.id()
    }

    /// Runs the body of a function in the page, and reads what it returns.
    pub async fn run<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T> {
        let value = self.client.execute(script, arguments).await?;
        serde_json::from_value(value.clone()).with_context(|| format!("the page gave {value}"))
    }

    /// The same for the body of an async function.
    pub async fn run_async<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T> {
        let wrapped = format!(
            "const done = arguments[arguments.length - 1];
             (async function () {{ {script} }}).apply(null, [...arguments].slice(0, -1))
               .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let mut value = self.client.execute_async(&wrapped, arguments).await?;
        if let Some(error) = value.get("error") {
            anyhow::bail!("in the page: {error}");
        }
        let value = value.get_mut("value").map(Value::take).unwrap_or_default();
        serde_json::from_value(value.clone()).with_context(|| format!("the page gave {value}"))
    }

    /// Saves a picture of the page, for the person who looks for the cause of a failure.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        Ok(tokio::fs::write(path, self.client.screenshot().await?).await?)
    }
}

fn chromedriver(command: &mut Command) -> Result<Process> {
    Process::start("chromedriver", command.arg("--port=0"))
}

fn chromedriver_port(line: &str) -> Option<u16> {
    line.strip_suffix('.')?.split_once("successfully on port ")?.1.parse().ok()
}

fn chromium_options(devices: &Devices, profile: &Path, more: Vec<String>) -> Result<Value> {
    let mut arguments: Vec<String> = CHROMIUM_ARGUMENTS.map(str::to_owned).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments.extend(devices.arguments());
    arguments.extend(more);
    Ok(json!({
        "binary": programs::foreign("chromium", CHROMIUM_HINT)?,
        "args": arguments,
        "prefs": devices.preferences(),
    }))
}

/// Fake devices without questions, and candidates that a peer on the same machine can reach.
fn firefox_preferences(tone: u32) -> Value {
    json!({
        "media.navigator.streams.fake": true,
        "media.navigator.audio.fake_frequency": tone,
        "media.navigator.permission.disabled": true,
        "media.peerconnection.ice.loopback": true,
        "media.peerconnection.ice.obfuscate_host_addresses": false,
        "media.autoplay.default": 0,
        "media.gmp-manager.updateEnabled": false,
        "app.update.enabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "datareporting.policy.dataSubmissionEnabled": false,
    })
}
