//! How the process keeps its memory.

/// Freed memory that is kept for later, in bytes.
const KEPT: i32 = 4 << 20;

/// Lets the C library give large blocks back as they are freed. By itself it keeps ever larger ones, up to twice 32 MiB for each
/// thread, once blocks of such sizes were freed, and frames are such blocks: several threads would keep tens of MiB that nobody uses.
/// Called before any thread is started.
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt reads no memory of ours; it sets a number of the allocator, and no other thread is there that could be
    // allocating meanwhile. It may refuse, and then all is as before.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = KEPT;
}
