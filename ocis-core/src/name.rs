//! Legal names of files and folders.
//!
//! A name is kept byte for byte as the client sent it: never normalised, never re-encoded.

use crate::error::{Error, Result};

/// The longest name in bytes of UTF-8, what POSIX file systems take.
pub const MAX_NAME_BYTES: usize = 255;

/// Checks the name of something new: what [`readable`] takes, without the characters that oCIS
/// refuses by default (form feed, carriage return, line feed, backslash).
///
/// [`crate::ErrorKind::InvalidArgument`] says what is wrong with it.
pub fn check(name: &str) -> Result<()> {
    readable(name)?;
    without(name, &['\u{c}', '\r', '\n', '\\'])
}

/// Checks one component of a path to what may be there already: 1 to 255 bytes, not `.` or `..`,
/// without `/` and NUL. [`crate::ErrorKind::InvalidArgument`] says what is wrong with it.
pub fn readable(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("the name is empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid(format!("the name is longer than {MAX_NAME_BYTES} bytes")));
    }
    if name == "." || name == ".." {
        return Err(Error::invalid("the names . and .. are reserved"));
    }
    without(name, &['/', '\0'])
}

fn without(name: &str, banned: &[char]) -> Result<()> {
    match name.chars().find(|c| banned.contains(c)) {
        Some(c) => Err(Error::invalid(format!("the name contains {}", c.escape_debug()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, readable};

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

    #[test]
    fn what_is_there_already_can_be_reached() {
        for name in ["", ".", "..", "a/b", "a\0", &"x".repeat(256)] {
            assert!(readable(name).is_err(), "{name:?}");
        }
        for name in ["a\nb", "a\rb", "a\\b", "\u{c}"] {
            assert!(readable(name).is_ok(), "{name:?}");
        }
    }
}
