//! A file's bytes in memory: copying through a mapping that stays costs half of what `read` and `write` cost.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

/// The first bytes of a file, mapped for as long as this lives.
///
/// Nobody may make the file shorter meanwhile; in the spool nobody does: only its writer changes a file's
/// length, while the file is its own, and both ends map anew when a frame has another size.
#[derive(Debug)]
pub struct Map {
    start: NonNull<libc::c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread; writing takes the one owner (`&mut`), reading copies.
unsafe impl Send for Map {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for Map {}

impl Map {
    /// Maps `length` bytes, which the file must have, to be read and, with `write`, to be written.
    pub fn new(file: &File, length: usize, write: bool) -> io::Result<Map> {
        let access = if write { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        // One sweep over all pages here is cheaper than a fault for each later.
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: the kernel chooses the address, so no memory in use is touched; it checks all else.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Map { start, length })
    }

    /// How many bytes are mapped.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Where the bytes begin.
    pub fn start(&self) -> *const u8 {
        self.start.as_ptr().cast::<u8>()
    }

    /// Copies the mapped bytes to `bytes`; as many as both have.
    pub fn read(&self, bytes: &mut [u8]) {
        let count = bytes.len().min(self.length);
        // SAFETY: `count` bytes are readable at both ends, and a slice of ours does not overlap the mapping, to which
        // there are no references. Should another process write meanwhile, the copy is torn, not the memory.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr().cast::<u8>(), bytes.as_mut_ptr(), count) }
    }

    /// Copies `bytes` into the mapping, which was made to be written; as many as both have.
    pub fn write(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(self.length);
        // SAFETY: as for `read`, with the mapping writable.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().cast::<u8>(), count) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: these are the bounds that mmap gave, and nothing points into them any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.length) };
    }
}
