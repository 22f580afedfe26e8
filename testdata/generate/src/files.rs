//! Writing truth files.

use std::path::Path;

use serde::Serialize;

/// Writes a value as indented JSON.
///
/// # Errors
/// A sentence naming the file.
pub fn json(path: &Path, value: &impl Serialize) -> Result<(), String> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|e| format!("encode {}: {e}", path.display()))?;
    text.push('\n');
    write(path, text.as_bytes())
}

/// Writes values as JSON, one a line.
///
/// # Errors
/// A sentence naming the file.
pub fn lines<T: Serialize>(path: &Path, values: &[T]) -> Result<(), String> {
    let mut text = String::new();
    for value in values {
        text += &serde_json::to_string(value).map_err(|e| format!("encode {}: {e}", path.display()))?;
        text.push('\n');
    }
    write(path, text.as_bytes())
}

/// Writes bytes, making the folder if need be.
///
/// # Errors
/// A sentence naming the file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("make folder {}: {e}", folder.display()))?;
    }
    std::fs::write(path, bytes).map_err(|e| format!("write {}: {e}", path.display()))
}

/// The RFC 3339 time `seconds` after `start` (which ends in `HH:MM:SSZ`; both on the same day).
pub fn time(start: &str, seconds: f32) -> String {
    let (day, clock) = start.split_at(11);
    let mut parts = clock.trim_end_matches('Z').split(':').map(|p| p.parse::<u64>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let base = next() * 3600 + next() * 60 + next();
    let ms = base * 1000 + (f64::from(seconds) * 1000.0).round() as u64;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{day}{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}
