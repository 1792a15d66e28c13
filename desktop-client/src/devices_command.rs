//! `roundtable devices`: what there is to choose from, for people as a table, for scripts as JSON.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use call_core::text::single_line;
use call_media::devices::{DeviceInfo, DeviceList};
use serde::Serialize;

/// Longest name of a device that is shown, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Lists the devices on the standard output. Fails when that cannot be written to; a reader that went away is no failure.
pub fn run(json: bool) -> io::Result<()> {
    let listing = Listing::of(&DeviceList::query());
    let text = if json { serde_json::to_string(&listing)? + "\n" } else { listing.table() };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// What scripts read; the names are fixed.
#[derive(Debug, Serialize)]
struct Listing {
    cameras: Vec<Entry>,
    microphones: Vec<Entry>,
    speakers: Vec<Entry>,
    /// Always empty: screens cannot be shared yet, so there is none to choose.
    screens: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    /// What `device:ID` takes, as it is.
    id: String,
    name: String,
    default: bool,
}

impl Listing {
    fn of(devices: &DeviceList) -> Self {
        let entry = |device: &DeviceInfo| Entry {
            id: device.id.clone(),
            name: single_line(&device.name, MAX_NAME_CHARS),
            default: device.is_default,
        };
        let entries = |list: &[DeviceInfo]| list.iter().map(entry).collect();
        Self {
            cameras: entries(&devices.cameras),
            microphones: entries(&devices.microphones),
            speakers: entries(&devices.speakers),
            screens: Vec::new(),
        }
    }

    fn table(&self) -> String {
        let mut text = String::new();
        let kinds = [
            ("Cameras", &self.cameras),
            ("Microphones", &self.microphones),
            ("Speakers", &self.speakers),
            ("Screens", &self.screens),
        ];
        for (title, entries) in kinds {
            let _ = writeln!(text, "{title}");
            if entries.is_empty() {
                text.push_str("  none\n");
            }
            let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
            for Entry { id, name, default } in entries {
                let mark = if *default { '*' } else { ' ' };
                let _ = writeln!(text, "{mark} {name:width$}  device:{id}");
            }
        }
        text.push_str("An asterisk marks what is used when nothing is chosen.\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let device =
            |id: &str, name: &str, is_default| DeviceInfo { id: id.into(), name: name.into(), is_default };
        Listing::of(&DeviceList {
            cameras: vec![device("0", "Webcam\n\u{1b}[31m", true)],
            microphones: vec![device("alsa:x", "Built-in", true), device("alsa:y", "Headset ü", false)],
            speakers: Vec::new(),
        })
    }

    #[test]
    fn scripts_get_the_fixed_names() {
        let expected = concat!(
            r#"{"cameras":[{"id":"0","name":"Webcam  [31m","default":true}],"#,
            r#""microphones":[{"id":"alsa:x","name":"Built-in","default":true},{"id":"alsa:y","name":"Headset ü","default":false}],"#,
            r#""speakers":[],"screens":[]}"#
        );
        assert_eq!(serde_json::to_string(&listing()).unwrap(), expected);
    }

    #[test]
    fn people_get_a_table_from_which_an_id_can_be_copied() {
        let expected = "Cameras\n* Webcam  [31m  device:0\nMicrophones\n* Built-in   device:alsa:x\n  Headset ü  device:alsa:y\n\
                        Speakers\n  none\nScreens\n  none\nAn asterisk marks what is used when nothing is chosen.\n";
        assert_eq!(listing().table(), expected);
    }
}
