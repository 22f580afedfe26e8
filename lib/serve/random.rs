//! Randomness of the system, for names that nobody can guess.

use std::io;

/// `N` random bytes.
///
/// # Errors
/// The system has none to give.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// `N` random bytes in hexadecimal.
///
/// # Errors
/// The system has none to give.
pub fn hex<const N: usize>() -> io::Result<String> {
    Ok(bytes::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
