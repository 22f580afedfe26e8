//! What the process takes, as Linux tells it.

use std::fs;

/// What the process takes; what cannot be told is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in use, in bytes.
    pub resident: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// How many may be open.
    pub most_descriptors: u64,
    /// Threads.
    pub threads: u64,
}

/// What the process takes now.
pub fn usage() -> Usage {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    Usage {
        resident: field(&status, "VmRSS:") * 1024,
        descriptors: fs::read_dir("/proc/self/fd").map_or(0, |open| open.count().saturating_sub(1) as u64),
        most_descriptors: field(&limits, "Max open files"),
        threads: field(&status, "Threads:"),
    }
}

/// The first number after `name`.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_takes_something() {
        let usage = super::usage();
        assert!(usage.resident > 100_000 && usage.descriptors >= 3 && usage.threads >= 1, "{usage:?}");
        assert!(usage.most_descriptors >= usage.descriptors, "{usage:?}");
    }
}
