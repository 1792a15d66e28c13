//! A y4m clip as a camera: uncompressed 4:2:0 pictures, repeated at the clip's rate.
//!
//! Format: <https://wiki.multimedia.cx/index.php/YUV4MPEG2>, as ffmpeg and mjpegtools write it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::marks;

use super::grid::FrameGrid;
use super::open::VideoSource;
use crate::clock::unix_time;
use crate::codec::vp8_encoder::MAX_ENCODED_DIMENSION;
use crate::event::DeviceError;
use crate::source::ClipMarks;

/// Longest header line that is read.
const MAX_HEADER: u64 = 1024;

/// A clip.
pub struct Y4mClip {
    name: String,
    file: BufReader<File>,
    header: Header,
    /// Where the first frame starts.
    start: u64,
    grid: FrameGrid,
    marks: Option<ClipMarks>,
    /// Number of the next frame in the clip.
    next: u32,
}

/// What the first line says.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    width: u32,
    height: u32,
    interval: Duration,
}

impl Y4mClip {
    /// Opens a clip and makes sure that all of it is there.
    pub fn open(path: &Path, marks: Option<ClipMarks>) -> Result<Self, DeviceError> {
        let name = path.display().to_string();
        let fail = |reason: String| clip_error(&name, reason);
        let file = File::open(path).map_err(|error| fail(format!("{error}.")))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let line = read_line(&mut file).map_err(fail)?;
        let header = parse(&line).map_err(fail)?;
        let start = line.len() as u64 + 1;
        check_frames(&mut file, start, frame_bytes(header)).map_err(fail)?;
        let grid = FrameGrid::new(Instant::now(), header.interval);
        Ok(Self { name, file, header, start, grid, marks, next: 0 })
    }

    /// The next frame and its number.
    fn read(&mut self, time: Instant) -> Result<(I420Frame, u32), String> {
        if self.file.fill_buf().map_err(|error| format!("{error}."))?.is_empty() {
            self.file.seek(SeekFrom::Start(self.start)).map_err(|error| format!("{error}."))?;
            self.next = 0;
        }
        read_frame_line(&mut self.file)?;
        let length = frame_bytes(self.header);
        let mut data = Vec::with_capacity(length);
        let read = self.file.by_ref().take(length as u64).read_to_end(&mut data);
        if read.map_err(|error| format!("{error}."))? < length {
            return Err("It became shorter while it was played.".to_owned());
        }
        let frame = I420Frame::from_vec(self.header.width, self.header.height, data, time);
        let number = self.next;
        self.next = number.wrapping_add(1);
        Ok((frame.map_err(|error| error.to_string())?, number))
    }
}

impl VideoSource for Y4mClip {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn due(&self) -> Instant {
        self.grid.due()
    }

    fn poll(&mut self, now: Instant) -> Result<Option<I420Frame>, DeviceError> {
        if !self.grid.advance(now) {
            return Ok(None);
        }
        let (mut frame, number) = self.read(now).map_err(|reason| clip_error(&self.name, reason))?;
        let value = match self.marks {
            Some(ClipMarks::Frame) => Some(number),
            Some(ClipMarks::Time) => Some(marks::video::time_value(unix_time())),
            None => None,
        };
        if let Some(value) = value {
            marks::video::draw(&mut frame, value);
        }
        Ok(Some(frame))
    }
}

fn frame_bytes(header: Header) -> usize {
    I420Frame::byte_len(header.width, header.height)
}

fn read_line(file: &mut BufReader<File>) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    file.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line).map_err(|error| format!("{error}."))?;
    if line.pop() != Some(b'\n') {
        return Err("It is not a y4m clip: its first line does not end.".to_owned());
    }
    Ok(line)
}

/// The line before each frame: `FRAME`, perhaps with parameters.
fn read_frame_line(file: &mut BufReader<File>) -> Result<usize, String> {
    let line = read_line(file).map_err(|_| "A frame is missing where one should start.".to_owned())?;
    if !line.starts_with(b"FRAME") {
        return Err("A frame is missing where one should start.".to_owned());
    }
    Ok(line.len() + 1)
}

/// Walks over all frames without reading their pictures, and goes back to the first.
fn check_frames(file: &mut BufReader<File>, start: u64, length: usize) -> Result<(), String> {
    let size = file.get_ref().metadata().map_err(|error| format!("{error}."))?.len();
    let mut position = start;
    let mut frames = 0;
    while position < size {
        position += read_frame_line(file)? as u64 + length as u64;
        frames += 1;
        if position > size {
            return Err(format!("It is cut short: frame {frames} is not whole."));
        }
        file.seek_relative(length as i64).map_err(|error| format!("{error}."))?;
    }
    if frames == 0 {
        return Err("It holds no frame.".to_owned());
    }
    file.seek(SeekFrom::Start(start)).map_err(|error| format!("{error}."))?;
    Ok(())
}

fn parse(line: &[u8]) -> Result<Header, String> {
    let text = std::str::from_utf8(line).map_err(|_| "It is not a y4m clip.".to_owned())?;
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    if words.next() != Some("YUV4MPEG2") {
        return Err("It is not a y4m clip.".to_owned());
    }
    let (mut width, mut height, mut interval) = (None, None, None);
    for word in words {
        let Some((tag, value)) = word.split_at_checked(1) else { continue };
        match tag {
            "W" => width = value.parse().ok(),
            "H" => height = value.parse().ok(),
            "F" => interval = frame_interval(value),
            "C" if !is_420(value) => {
                return Err(format!("Its pictures are {value}; only 4:2:0 with 8 bits can be played."));
            }
            "I" if !matches!(value, "p" | "?") => {
                return Err("It is interlaced; only progressive clips can be played.".to_owned());
            }
            _ => {}
        }
    }
    let size = 2..=MAX_ENCODED_DIMENSION;
    let (Some(width), Some(height)) =
        (width.filter(|width| size.contains(width)), height.filter(|height| size.contains(height)))
    else {
        return Err(format!(
            "Its width and height must be given, and be 2 to {MAX_ENCODED_DIMENSION} pixels."
        ));
    };
    let interval = interval.ok_or("Its frame rate must be given, and be 1 to 240 a second.")?;
    Ok(Header { width, height, interval })
}

/// The planes of all 8-bit 4:2:0 variants are alike; they differ in where chroma was sampled.
fn is_420(value: &str) -> bool {
    matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv")
}

fn frame_interval(rate: &str) -> Option<Duration> {
    let (numerator, denominator) = rate.split_once(':')?;
    let (numerator, denominator) = (numerator.parse::<u32>().ok()?, denominator.parse::<u32>().ok()?);
    let rate = f64::from(numerator) / f64::from(denominator);
    (1.0..=240.0).contains(&rate).then(|| Duration::from_secs_f64(1.0 / rate))
}

fn clip_error(name: &str, reason: String) -> DeviceError {
    DeviceError::new(name, reason, "Choose a whole y4m clip with 4:2:0 pictures, or another camera.")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use media_core::sim::Rng;

    use super::*;

    /// A clip of grey frames, each a step lighter.
    fn write(folder: &Path, header: &str, frames: u8, bytes: usize) -> PathBuf {
        let path = folder.join("clip.y4m");
        let mut data = format!("{header}\n").into_bytes();
        for frame in 0..frames {
            data.extend_from_slice(b"FRAME\n");
            data.extend(std::iter::repeat_n(50 + frame, bytes));
        }
        std::fs::write(&path, data).unwrap();
        path
    }

    fn open_error(path: &Path) -> String {
        Y4mClip::open(path, None).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_clip_plays_at_its_rate_and_repeats() {
        let folder = tempfile::tempdir().unwrap();
        for chroma in ["", " C420jpeg", " C420mpeg2 XYSCSS=420MPEG2", " Ip A1:1 C420"] {
            let path =
                write(folder.path(), &format!("YUV4MPEG2 W32 H18 F30000:1001{chroma}"), 3, 32 * 18 * 3 / 2);
            let mut clip = Y4mClip::open(&path, None).unwrap();
            let start = clip.due();
            for frame in 0..7_u8 {
                let due = clip.due();
                assert!(clip.poll(due - Duration::from_millis(1)).unwrap().is_none());
                let picture = clip.poll(due).unwrap().unwrap();
                assert_eq!(picture.planes().0[0], 50 + frame % 3);
            }
            let seven = clip.due() - start;
            assert!(
                seven.abs_diff(Duration::from_secs_f64(7.0 * 1001.0 / 30000.0)) < Duration::from_micros(10)
            );
        }
    }

    #[test]
    fn frames_carry_their_number_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "YUV4MPEG2 W160 H90 F25:1", 4, 160 * 90 + 2 * 80 * 45);
        let mut clip = Y4mClip::open(&path, Some(ClipMarks::Frame)).unwrap();
        for frame in [0, 1, 2, 3, 0, 1] {
            let due = clip.due();
            assert_eq!(marks::video::read(&clip.poll(due).unwrap().unwrap()), Some(frame));
        }
    }

    #[test]
    fn odd_sizes_and_frame_parameters_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd.y4m");
        let mut data = b"YUV4MPEG2 W5 H3 F1:1\n".to_vec();
        for _ in 0..2 {
            data.extend_from_slice(b"FRAME Ip\n");
            data.extend([80; 15 + 2 * 6]);
        }
        std::fs::write(&path, &data).unwrap();
        let mut clip = Y4mClip::open(&path, None).unwrap();
        let picture = clip.poll(Instant::now() + Duration::from_secs(1)).unwrap().unwrap();
        assert_eq!((picture.width(), picture.height()), (5, 3));
    }

    #[test]
    fn a_clip_that_is_cut_short_is_refused_with_the_frame_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "YUV4MPEG2 W32 H18 F30:1", 3, 32 * 18 * 3 / 2);
        let whole = std::fs::read(&path).unwrap();
        for missing in [1, 400, 863] {
            std::fs::write(&path, &whole[..whole.len() - missing]).unwrap();
            let error = open_error(&path);
            assert!(error.contains("clip.y4m") && error.contains("frame 3"), "{error}");
        }
        std::fs::write(&path, &whole[..24]).unwrap();
        assert!(open_error(&path).contains("no frame"), "{}", open_error(&path));
    }

    #[test]
    fn odd_formats_are_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |header: &str| open_error(&write(folder.path(), header, 1, 64));
        for (header, reason) in [
            ("YUV4MPEG2 W8 H8 F30:1 C444", "444"),
            ("YUV4MPEG2 W8 H8 F30:1 C420p10", "420p10"),
            ("YUV4MPEG2 W8 H8 F30:1 It", "interlaced"),
            ("YUV4MPEG2 W8 H8", "frame rate"),
            ("YUV4MPEG2 W8 H8 F0:0", "frame rate"),
            ("YUV4MPEG2 W8 H8 F1:4000000000", "frame rate"),
            ("YUV4MPEG2 H8 F30:1", "width and height"),
            ("YUV4MPEG2 W0 H8 F30:1", "width and height"),
            ("YUV4MPEG2 W99999999999 H8 F30:1", "width and height"),
            ("RIFF W8 H8 F30:1", "not a y4m"),
            ("", "not a y4m"),
        ] {
            assert!(refused(header).contains(reason), "{header}: {}", refused(header));
        }
        std::fs::write(folder.path().join("noise.y4m"), vec![b'x'; 1 << 20]).unwrap();
        assert!(open_error(&folder.path().join("noise.y4m")).contains("not a y4m"));
        assert!(open_error(&folder.path().join("absent.y4m")).contains("absent.y4m"));
        assert!(!open_error(folder.path()).is_empty(), "a folder");
    }

    #[test]
    fn a_clip_that_shrinks_while_it_plays_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        // Larger than the read buffer.
        let path = write(folder.path(), "YUV4MPEG2 W320 H180 F30:1", 8, 320 * 180 * 3 / 2);
        let mut clip = Y4mClip::open(&path, None).unwrap();
        std::fs::write(&path, b"YUV4MPEG2 W320 H180 F30:1\nFRAME\n").unwrap();
        let failed = (0..20).any(|_| clip.poll(clip.due()).is_err());
        assert!(failed);
    }

    #[test]
    fn frames_can_carry_the_time_instead() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "YUV4MPEG2 W160 H90 F25:1", 1, 160 * 90 + 2 * 80 * 45);
        let mut clip = Y4mClip::open(&path, Some(ClipMarks::Time)).unwrap();
        let due = clip.due();
        let mark = marks::video::read(&clip.poll(due).unwrap().unwrap()).unwrap();
        assert!((0..60_000).contains(&marks::video::latency_ms(mark, unix_time())));
    }

    #[test]
    fn whatever_a_file_holds_is_refused_or_played() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "YUV4MPEG2 W32 H18 F30:1 C420jpeg", 3, 32 * 18 * 3 / 2);
        let whole = std::fs::read(&path).unwrap();
        let mut rng = Rng::new(5);
        let mut played = 0;
        for _ in 0..2_000 {
            std::fs::write(&path, rng.garble(&whole, 40)).unwrap();
            let Ok(mut clip) = Y4mClip::open(&path, None) else { continue };
            for _ in 0..5 {
                let due = clip.due();
                if let Ok(picture) = clip.poll(due) {
                    assert!(picture.is_some());
                    played += 1;
                }
            }
        }
        assert!(played > 100, "{played} frames were played: the files were too broken to show anything");
    }
}
