//! Ids that are derived, so that a replay or a resend has the same id.

use sha2::{Digest, Sha256};

use super::Time;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The id of a record: 26 characters in the form of a ULID, so that ids sort by time.
///
/// The first ten characters are `time`; the other sixteen (80 bits) come from the SHA-256 of `parts`,
/// where a ULID has random bits. The same parts at the same time give the same id.
pub fn derive_id(time: Time, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let millis = u64::try_from(time.millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
    let tail = digest[..10].iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let bits = u128::from(millis) << 80 | tail;
    (0..26).rev().map(|place| char::from(CROCKFORD[(bits >> (place * 5)) as usize & 31])).collect()
}
