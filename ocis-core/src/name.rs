//! Legal names of files and folders.
//!
//! A name is kept byte for byte as the client sent it: never normalised, never re-encoded.

use crate::error::{Error, Result};

/// The longest name in bytes of UTF-8, what POSIX file systems take.
pub const MAX_NAME_BYTES: usize = 255;

/// Checks one component of a path: 1 to 255 bytes, not `.` or `..`, without `/`, NUL, and the
/// characters that oCIS refuses by default (form feed, carriage return, line feed, backslash).
///
/// [`crate::ErrorKind::InvalidArgument`] says what is wrong with it.
pub fn check(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("the name is empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!("the name is longer than {MAX_NAME_BYTES} bytes")));
    }
    if name == "." || name == ".." {
        return Err(Error::invalid("the names . and .. are reserved"));
    }
    match name.chars().find(|c| matches!(c, '/' | '\0' | '\u{c}' | '\r' | '\n' | '\\')) {
        Some(c) => Err(Error::invalid(format!("the name contains {}", c.escape_debug()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for name in ["", ".", "..", "a/b", "a\0", "a\nb", "a\rb", "a\\b", "\u{c}", &"x".repeat(256)]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in
            ["a", "...", ".a", " ", "\u{10ffff}", "e\u{301}", "é", "%2e%2e", &"x".repeat(255)]
        {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }
}
