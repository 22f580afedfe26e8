//! What a server asks of the system: descriptors enough, and that its supervisor knows.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// Allows as many open descriptors as the system lets this process have, for every client takes one. Returns how many
/// that are, if the system says.
pub fn raise_descriptor_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit for the call to fill in and outlives it.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return None;
    }
    let soft = std::mem::replace(&mut limit.rlim_cur, limit.rlim_max);
    // SAFETY: `limit` is a valid, initialised rlimit that the call only reads. A refusal leaves the old one.
    let raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } == 0;
    Some(if raised { limit.rlim_max } else { soft })
}

/// Keeps the memory of this process, which holds secrets, out of core dumps and from other processes of its user.
pub fn keep_memory_private() {
    // SAFETY: this request of prctl takes one number, changes a flag of this process, and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
}

/// Tells the supervisor whose socket is `socket` (`NOTIFY_SOCKET`, see `sd_notify(3)`) what the state is.
pub fn notify(socket: Option<&str>, state: &str) {
    let Some(socket) = socket else { return };
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(Path::new(socket)),
    };
    if let (Ok(address), Ok(sender)) = (address, UnixDatagram::unbound()) {
        let _ = sender.send_to_addr(state.as_bytes(), &address);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_supervisor_is_told() {
        let name = format!("park-serve-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let supervisor = UnixDatagram::bind_addr(&address).unwrap();
        notify(Some(&format!("@{name}")), "READY=1");
        let mut text = [0; 16];
        let length = supervisor.recv(&mut text).unwrap();
        assert_eq!(&text[..length], b"READY=1");
    }
}
