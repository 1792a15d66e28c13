//! What the program remembers between runs: the name, the server, the chosen devices and the pinned certificates.
//!
//! One JSON file in the user's configuration directory. It is replaced whole (written beside, then renamed), so that a crash leaves either
//! the old or the new one. A file that cannot be read as settings is kept aside and the defaults are used, with a notice to the person.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use call_core::session::{ChosenDevices, SessionConfig};
use call_core::snapshot::VoiceProcessing;
use serde::{Deserialize, Serialize};

use crate::tls::{Fingerprint, HostPort};

/// Names the directory to use instead of the user's own, for tests and portable set-ups.
pub const CONFIG_DIR_VARIABLE: &str = "ROUNDTABLE_CONFIG_DIR";

const FILE_NAME: &str = "settings.json";

/// Largest file that is read, in bytes. A thousand pinned servers take 120 kB.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The settings. Fields that a newer version wrote are kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// The name that others see; empty until the person typed one.
    pub display_name: String,
    /// The server of the start screen, as typed; empty until the person typed one.
    pub server: String,
    /// The chosen camera's id; `None` is the system's default.
    pub camera: Option<String>,
    /// The chosen microphone's id; `None` is the system's default.
    pub microphone: Option<String>,
    /// The chosen speaker's id; `None` is the system's default.
    pub speaker: Option<String>,
    /// What is done to the microphone's sound.
    pub voice: VoiceProcessing,
    /// The microphone is off unless a key is held.
    pub push_to_talk: bool,
    /// Who speaks is shown large.
    pub speaker_view: bool,
    /// Certificates that the person trusts, by server.
    pub pins: BTreeMap<HostPort, Fingerprint>,
    /// What this version does not know.
    #[serde(flatten)]
    pub others: BTreeMap<String, serde_json::Value>,
}

impl Settings {
    /// What a session starts with.
    pub fn session_config(&self) -> SessionConfig {
        SessionConfig {
            display_name: self.display_name.clone(),
            server_url: self.server.clone(),
            chosen: ChosenDevices {
                camera: self.camera.clone(),
                microphone: self.microphone.clone(),
                speaker: self.speaker.clone(),
            },
            voice: self.voice,
            push_to_talk: self.push_to_talk,
            speaker_view: self.speaker_view,
            ..SessionConfig::default()
        }
    }

    /// Takes over what the session wants remembered.
    pub fn remember(&mut self, wanted: call_core::session::Settings) {
        let call_core::session::Settings {
            display_name,
            server_url,
            chosen,
            voice,
            push_to_talk,
            speaker_view,
        } = wanted;
        self.display_name = display_name;
        self.server = server_url;
        self.camera = chosen.camera;
        self.microphone = chosen.microphone;
        self.speaker = chosen.speaker;
        self.voice = voice;
        self.push_to_talk = push_to_talk;
        self.speaker_view = speaker_view;
    }
}

/// Why settings could not be read or written. Each reads as a sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The system names no home directory. Set the environment variable.
    #[error(
        "There is no folder for settings: the system names no home directory. Set {CONFIG_DIR_VARIABLE} to a folder."
    )]
    NoDirectory,
    /// The file cannot be read. Check its permissions.
    #[error("The settings in {path} cannot be read ({source}).")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what we wrote. Repair or remove it.
    #[error("The settings in {path} are damaged ({reason}).")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file cannot be written. Check the permissions and the free space.
    #[error("The settings cannot be written to {path} ({source}). They hold until the program ends.")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The settings as found, and what the person should know about them.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The settings, or the defaults.
    pub settings: Settings,
    /// A sentence for the person when the file could not be used.
    pub notice: Option<String>,
}

/// The file that the settings live in.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// The file in the user's configuration directory, or in the one that [`CONFIG_DIR_VARIABLE`] names.
    pub fn locate() -> Result<Self, SettingsError> {
        if let Some(directory) = std::env::var_os(CONFIG_DIR_VARIABLE).filter(|value| !value.is_empty()) {
            return Ok(Self::in_directory(Path::new(&directory)));
        }
        let directories =
            directories::ProjectDirs::from("", "", "Roundtable").ok_or(SettingsError::NoDirectory)?;
        Ok(Self::in_directory(directories.config_dir()))
    }

    /// The file in this directory, which is made when it is first written.
    pub fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join(FILE_NAME) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the settings and changes nothing on disk; a missing file gives the defaults.
    pub fn read(&self) -> Result<Settings, SettingsError> {
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(source) => return Err(SettingsError::Read { path: self.path.clone(), source }),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| SettingsError::Read { path: self.path.clone(), source })?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(self.corrupt(format!("larger than {MAX_FILE_BYTES} bytes")));
        }
        serde_json::from_slice(&bytes).map_err(|error| self.corrupt(error.to_string()))
    }

    /// Reads the settings; a damaged file is put aside. Never fails: there are always the defaults, and a notice that says why.
    pub fn load(&self) -> Loaded {
        let error = match self.read() {
            Ok(settings) => return Loaded { settings, notice: None },
            Err(error) => error,
        };
        let notice = match error {
            SettingsError::Corrupt { .. } => match self.put_aside() {
                Ok(kept) => {
                    format!("{error} They are kept as {}, and the defaults are used.", kept.display())
                }
                Err(why) => {
                    format!("{error} The file could not be put aside ({why}), and the defaults are used.")
                }
            },
            other => format!("{other} The defaults are used."),
        };
        Loaded { settings: Settings::default(), notice: Some(notice) }
    }

    /// Changes the settings on disk. They are read again first, so that two windows do not undo each other's changes.
    pub fn update(&self, change: impl FnOnce(&mut Settings)) -> Result<Settings, SettingsError> {
        let mut settings = match self.read() {
            Ok(settings) => settings,
            Err(SettingsError::Corrupt { .. }) => {
                let loaded = self.load();
                tracing::warn!(notice = loaded.notice, "the settings were damaged while the program ran");
                loaded.settings
            }
            // What cannot be read now may be fine later: do not replace it.
            Err(error) => return Err(error),
        };
        change(&mut settings);
        self.write(&settings).map_err(|source| SettingsError::Write { path: self.path.clone(), source })?;
        Ok(settings)
    }

    fn write(&self, settings: &Settings) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        // The temporary file is readable by its owner only, and so are the settings.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        let mut text = serde_json::to_vec_pretty(settings)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn corrupt(&self, reason: String) -> SettingsError {
        SettingsError::Corrupt { path: self.path.clone(), reason }
    }

    fn put_aside(&self) -> io::Result<PathBuf> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let kept = self.path.with_file_name(format!("settings.damaged-{seconds}.json"));
        fs::rename(&self.path, &kept)?;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use call_core::snapshot::SoundMode;

    use super::*;

    fn temporary() -> (tempfile::TempDir, SettingsFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_directory(&directory.path().join("deep/er"));
        (directory, file)
    }

    fn write_raw(file: &SettingsFile, bytes: &[u8]) {
        fs::create_dir_all(file.path().parent().unwrap()).unwrap();
        fs::write(file.path(), bytes).unwrap();
    }

    fn files_beside(file: &SettingsFile) -> Vec<String> {
        let entries = fs::read_dir(file.path().parent().unwrap()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn without_a_file_there_are_defaults_and_nothing_is_written() {
        let (_directory, file) = temporary();
        let loaded = file.load();
        assert_eq!(loaded.settings, Settings::default());
        assert_eq!(loaded.notice, None);
        assert!(!file.path().parent().unwrap().exists());
    }

    #[test]
    fn an_update_is_read_back_and_leaves_no_other_file() {
        let (_directory, file) = temporary();
        let host = HostPort::of(&"https://192.168.1.20:3000".parse().unwrap()).unwrap();
        let fingerprint = Fingerprint::of(&rustls::pki_types::CertificateDer::from(vec![1, 2, 3]));
        file.update(|s| s.display_name = "Ada Łovelace 🎥".to_owned()).unwrap();
        file.update(|s| s.pins.extend([(host.clone(), fingerprint)])).unwrap();
        let settings = file.read().unwrap();
        assert_eq!(settings.display_name, "Ada Łovelace 🎥");
        assert_eq!(settings.pins.get(&host), Some(&fingerprint));
        assert_eq!(files_beside(&file), ["settings.json"]);
    }

    #[test]
    fn what_a_session_wants_remembered_starts_the_next_one() {
        let mut chosen = ChosenDevices::default();
        chosen.set(call_core::command::DeviceKind::Speaker, Some("headset".to_owned()));
        let wanted = call_core::session::Settings {
            display_name: "Ada".to_owned(),
            server_url: "https://example.org".to_owned(),
            chosen: chosen.clone(),
            voice: VoiceProcessing {
                mode: SoundMode::Music,
                noise_suppression: false,
                ..VoiceProcessing::default()
            },
            push_to_talk: true,
            speaker_view: true,
        };
        let mut settings = Settings::default();
        settings.remember(wanted);
        let config = settings.session_config();
        assert_eq!(
            (config.display_name.as_str(), config.server_url.as_str()),
            ("Ada", "https://example.org")
        );
        assert_eq!(config.chosen, chosen);
        assert!(!config.voice.noise_suppression && config.voice.echo_cancellation);
        assert_eq!(config.voice.mode, SoundMode::Music);
        assert!(config.push_to_talk && config.speaker_view);
    }

    #[test]
    fn fields_of_a_newer_version_survive() {
        let (_directory, file) = temporary();
        write_raw(&file, br#"{"displayName":"Ada","theme":{"dark":true}}"#);
        file.update(|s| s.server = "https://example.org".to_owned()).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["theme"]["dark"], true);
        assert_eq!(json["displayName"], "Ada");
        assert_eq!(json["server"], "https://example.org");
    }

    #[test]
    fn a_damaged_file_is_kept_aside_with_a_notice() {
        for damage in [
            &b"{\"displayName\":"[..],
            b"",
            b"[]",
            b"\xff\xfe",
            br#"{"pins":{"a:1":"zz"}}"#,
            &vec![b' '; 2 << 20],
        ] {
            let (_directory, file) = temporary();
            write_raw(&file, damage);
            let loaded = file.load();
            assert_eq!(loaded.settings, Settings::default());
            let notice = loaded.notice.unwrap();
            let kept = files_beside(&file);
            assert_eq!(kept.len(), 1);
            assert!(kept[0].starts_with("settings.damaged-") && notice.contains(&kept[0]), "{notice}");
            assert_eq!(fs::read(file.path().with_file_name(&kept[0])).unwrap(), damage);
            assert!(file.load().notice.is_none(), "the notice comes once");
        }
    }

    #[test]
    fn reading_alone_leaves_a_damaged_file_in_place() {
        let (_directory, file) = temporary();
        write_raw(&file, b"{");
        assert!(matches!(file.read(), Err(SettingsError::Corrupt { .. })));
        assert_eq!(files_beside(&file), ["settings.json"]);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_that_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let in_the_way = directory.path().join("file");
        fs::write(&in_the_way, b"").unwrap();
        let file = SettingsFile::in_directory(&in_the_way.join("below"));
        let error = file.update(|s| s.server = "x".to_owned()).unwrap_err();
        assert!(error.to_string().contains("settings.json"), "{error}");
    }
}
