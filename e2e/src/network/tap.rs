//! TAP devices: interfaces whose other end is a file (Linux: Documentation/networking/tuntap.rst).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};

/// What a host's interface is called.
pub(super) const NAME: &str = "access";

/// Longest frame: Ethernet's header, perhaps with a tag, and an MTU of 1500.
const FRAME_MAX: usize = 1_518;

/// An interface of the namespace that it was opened in. It goes when this does.
#[derive(Debug)]
pub(super) struct Tap {
    file: File,
}

impl Tap {
    /// Makes the interface.
    pub(super) fn open() -> Result<Self> {
        let device = "/dev/net/tun";
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(device);
        let file = file.with_context(|| format!("cannot open {device}"))?;
        // SAFETY: `ifreq` is plain data, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(NAME.bytes()) {
            *to = from.cast_signed();
        }
        // Without IFF_VNET_HDR and TUNSETOFFLOAD the kernel fills in checksums and cuts segments itself.
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one `ifreq`, which outlives the call.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        if done != 0 {
            return Err(io::Error::last_os_error()).context("cannot make a TAP device");
        }
        Ok(Self { file })
    }

    /// The next frame that the host sends, or `None` when there is none now.
    pub(super) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let mut frame = vec![0; FRAME_MAX];
        match (&self.file).read(&mut frame) {
            Ok(length) => {
                frame.truncate(length);
                Ok(Some(frame))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the host a frame. One that it does not take (an interface that is down) is lost, as on any wire.
    pub(super) fn write(&self, frame: &[u8]) {
        let _ = (&self.file).write(frame);
    }
}

impl AsRawFd for Tap {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}
