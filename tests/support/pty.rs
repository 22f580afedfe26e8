//! A device on a pseudo-terminal, under a stable name.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The device's end of a serial line; dropped, it is unplugged.
pub struct Pty {
    device: File,
    /// Held open, or the line would hang up between two users of it.
    _line: OwnedFd,
    name: PathBuf,
}

impl Pty {
    /// A device that appears as `name`, a link like those in `/dev/serial/by-id`.
    pub fn new(name: &Path) -> Pty {
        let (mut device, mut line) = (0, 0);
        let mut path = [0; 128];
        // SAFETY: all three point to live memory of the size that openpty writes; a device's path is far shorter than 128.
        // The numbers it gives are open descriptors of ours alone.
        let (device, line, path) = unsafe {
            let mut raw: libc::termios = std::mem::zeroed();
            libc::cfmakeraw(&raw mut raw);
            let opened = libc::openpty(
                &raw mut device,
                &raw mut line,
                path.as_mut_ptr(),
                &raw const raw,
                std::ptr::null(),
            );
            assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
            // A command that inherited the device's end would keep its own line from hanging up.
            for end in [device, line] {
                libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
            }
            let path = std::ffi::CStr::from_ptr(path.as_ptr()).to_str().unwrap().to_owned();
            (File::from_raw_fd(device), OwnedFd::from_raw_fd(line), path)
        };
        let _ = std::fs::remove_file(name);
        std::os::unix::fs::symlink(path, name).unwrap();
        Pty { device, _line: line, name: name.to_owned() }
    }

    /// Sends bytes up the line.
    pub fn write(&mut self, bytes: &[u8]) {
        self.device.write_all(bytes).unwrap();
    }

    /// A second handle, to write while another thread reads.
    pub fn writer(&self) -> File {
        self.device.try_clone().unwrap()
    }
}

impl Read for Pty {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.device.read(buffer)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.name);
    }
}
