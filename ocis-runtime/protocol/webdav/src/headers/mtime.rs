//! Times as clients state them: seconds since 1970, with or without a fraction.

use ocis_core::time::Timestamp;

use crate::error::{Answer, Failure};

/// Reads `<seconds>[.<fraction>]`; a sign and any number of digits of the fraction are taken, those
/// after the ninth are dropped.
pub(crate) fn parse(text: &str) -> Answer<Timestamp> {
    read(text)
        .ok_or_else(|| Failure::bad_request("the time must be a number of seconds since 1970"))
}

fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let negative = whole.starts_with('-');
    if text.len() > 40 || !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let (seconds, nanos) = match (negative, nanos) {
        (true, 1..) => (seconds.checked_sub(1)?, 1_000_000_000 - nanos),
        _ => (seconds, nanos),
    };
    Timestamp::from_unix(seconds, nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fractions_and_signs() {
        for (text, seconds, nanos) in [
            ("1700000000", 1_700_000_000, 0),
            ("1700000000.5", 1_700_000_000, 500_000_000),
            ("1700000000.1234567891", 1_700_000_000, 123_456_789),
            ("0", 0, 0),
            ("-1.5", -2, 500_000_000),
            ("-0.25", -1, 750_000_000),
        ] {
            let time = parse(text).unwrap();
            assert_eq!((time.unix_seconds(), time.subsec_nanos()), (seconds, nanos), "{text}");
        }
        for text in [
            "",
            "x",
            "1.",
            ".5",
            "1e9",
            "+1",
            "--1",
            "1 2",
            "0x10",
            "99999999999999999999",
            &"9".repeat(50),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.e ]{0,50}") {
            let _ = parse(&text);
        }
    }
}
