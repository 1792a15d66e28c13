//! Saves what comes from the others as files, one picture a second: for a bot that looks, and to measure how good pictures look.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use media_core::frame::I420Frame;
use shared::PeerId;

use crate::engine::Links;

/// A folder that fills with `PEER-MILLISECONDS.y4m`, each a single picture, by the Unix time at which it was saved.
#[derive(Debug)]
pub struct Pictures {
    folder: PathBuf,
    /// How many pictures of each peer there had been when one was saved last.
    saved: BTreeMap<PeerId, u64>,
}

impl Pictures {
    /// Makes the folder unless it is there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), saved: BTreeMap::new() })
    }

    /// Saves the newest picture of each peer that has sent one since the last time.
    pub fn save(&mut self, links: &Links) -> io::Result<()> {
        self.saved.retain(|peer, _| links.contains_key(peer));
        for (peer, link) in links {
            let frames = link.player.frames();
            let written = frames.written();
            if self.saved.insert(peer.clone(), written) == Some(written) {
                continue;
            }
            if let Some(frame) = frames.peek() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                // Ids have no characters that lead elsewhere.
                write(&self.folder.join(format!("{peer}-{now}.y4m")), &frame)?;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, frame: &I420Frame) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "YUV4MPEG2 W{} H{} F1:1 Ip A1:1 C420jpeg\nFRAME\n", frame.width(), frame.height())?;
    file.write_all(frame.data())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_file_is_a_clip_of_one_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.y4m");
        // Odd sizes have chroma for the last column and row too.
        let data: Vec<u8> = (0..27).collect();
        write(&path, &I420Frame::from_vec(5, 3, data.clone(), Instant::now()).unwrap()).unwrap();
        let head = b"YUV4MPEG2 W5 H3 F1:1 Ip A1:1 C420jpeg\nFRAME\n";
        assert_eq!(std::fs::read(&path).unwrap(), [&head[..], &data].concat());
    }
}
