//! The header `Timeout` (RFC 4918 section 10.7).

use std::time::Duration;

use crate::error::{Answer, Failure};

/// The longest value that is read, in bytes.
const MAX_LENGTH: usize = 1024;

/// How long a lock is wanted: the first of a list of wishes; none means for ever. A missing header
/// is a wish for ever, as in oCIS.
pub(crate) fn parse(text: Option<&str>) -> Answer<Option<Duration>> {
    let wrong = || Failure::bad_request("the header Timeout must be Second-<number> or Infinite");
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.len() > MAX_LENGTH {
        return Err(wrong());
    }
    let wish = text.split(',').next().unwrap_or_default().trim();
    if wish.eq_ignore_ascii_case("infinite") {
        return Ok(None);
    }
    let (word, number) = wish.split_once('-').ok_or_else(wrong)?;
    if !word.eq_ignore_ascii_case("second") || !number.bytes().all(|c| c.is_ascii_digit()) {
        return Err(wrong());
    }
    // The RFC allows no more than 32 bits.
    let seconds: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Some(Duration::from_secs(seconds.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wish_counts() {
        let seconds = |text| parse(Some(text)).unwrap().map(|time| time.as_secs());
        assert_eq!(seconds("Second-100, Infinite"), Some(100));
        assert_eq!(seconds("Infinite, Second-4100000000"), None);
        assert_eq!(seconds("Second-4294967295"), Some(4_294_967_295));
        assert_eq!(parse(None).unwrap(), None);
        for text in [
            "Second",
            "Second-",
            "Second--1",
            "Second-4294967296",
            "Minute-1",
            "x",
            &"9".repeat(2000),
        ] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}
