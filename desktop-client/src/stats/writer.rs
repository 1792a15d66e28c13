//! Where the lines go: a file or the standard output.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::CallStats;

/// Writes lines of statistics, each flushed at once so that a reader sees it.
///
/// A reader that went away (`roundtable … | head -1`) ends the writing quietly: the call goes on.
pub struct StatsWriter {
    target: PathBuf,
    sink: Option<Box<dyn Write + Send>>,
}

/// The statistics cannot be written. Choose another path.
#[derive(Debug, thiserror::Error)]
#[error("The statistics cannot be written to {target} ({source}).")]
pub struct StatsError {
    target: PathBuf,
    source: io::Error,
}

impl std::fmt::Debug for StatsWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatsWriter")
            .field("target", &self.target)
            .field("open", &self.sink.is_some())
            .finish()
    }
}

impl StatsWriter {
    /// Opens a file (an existing one is replaced), or the standard output for `-`.
    pub fn open(target: &Path) -> Result<Self, StatsError> {
        let sink: Box<dyn Write + Send> = if target == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(target).map_err(|source| StatsError { target: target.to_owned(), source })?)
        };
        Ok(Self::to(target, sink))
    }

    fn to(target: &Path, sink: Box<dyn Write + Send>) -> Self {
        Self { target: target.to_owned(), sink: Some(sink) }
    }

    /// Writes one line. After an error nothing more is written, and no further error is given.
    pub fn write(&mut self, stats: &CallStats) -> Result<(), StatsError> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let written = serde_json::to_vec(stats).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            sink.write_all(&line)?;
            sink.flush()
        });
        let Err(source) = written else { return Ok(()) };
        self.sink = None;
        if source.kind() == io::ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(StatsError { target: self.target.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{EncoderStats, ProcessStats, SoundDeviceStats};

    fn line(last: bool) -> CallStats {
        CallStats {
            t: 1,
            room_id: None,
            peer_id: None,
            peers: Vec::new(),
            encoder: EncoderStats::default(),
            devices: SoundDeviceStats::default(),
            process: ProcessStats::default(),
            last,
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_call_is_a_line_that_can_be_read_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stats.jsonl");
        let mut writer = StatsWriter::open(&path).unwrap();
        for last in [false, true] {
            writer.write(&line(last)).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.ends_with('\n'));
            let read: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!(read.get("final").is_some(), last);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_broken_pipe_ends_quietly() {
        let mut writer = StatsWriter::to(Path::new("-"), Box::new(Failing(io::ErrorKind::BrokenPipe)));
        writer.write(&line(false)).unwrap();
        writer.write(&line(true)).unwrap();
    }

    #[test]
    fn another_error_is_told_once_and_names_the_file() {
        let mut writer =
            StatsWriter::to(Path::new("full/disk"), Box::new(Failing(io::ErrorKind::StorageFull)));
        let error = writer.write(&line(false)).unwrap_err();
        assert!(error.to_string().contains("full/disk"), "{error}");
        writer.write(&line(false)).unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = StatsWriter::open(&directory.path().join("no/such.jsonl")).unwrap_err();
        assert!(error.to_string().contains("such.jsonl"), "{error}");
    }
}
