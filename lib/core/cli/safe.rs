//! Untrusted text made safe for a terminal.

use std::fmt::Write;

/// The text with every character that could steer a terminal or turn its reading direction written as `\uXXXX`.
/// Newlines stay.
pub fn make_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        let steers = char.is_control() && char != '\n'
            || matches!(char, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if steers {
            let _ = write!(safe, "\\u{:04X}", u32::from(char));
        } else {
            safe.push(char);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_and_bidi_marks_are_shown_not_obeyed() {
        assert_eq!(super::make_safe("B\u{1b}[31m 1\u{202e}2\u{9b}\n"), "B\\u001B[31m 1\\u202E2\\u009B\n");
        assert_eq!(super::make_safe("BÄ 12"), "BÄ 12");
    }
}
