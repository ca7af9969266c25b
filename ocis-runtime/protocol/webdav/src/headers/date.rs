//! Dates of HTTP (RFC 9110 section 5.6.7).

use ocis_core::time::Timestamp;

/// The last second that four digits can name, 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;
const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date; none when it is not one, which HTTP tells servers to ignore.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let seconds = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Timestamp::from_unix(i64::try_from(seconds).ok()?, 0).ok()
}

/// Appends a time as `Mon, 23 Nov 2026 02:49:26 GMT`; times outside the years 0 to 9999 become
/// the nearest inside.
///
/// By hand, because a listing writes one for every file.
pub(crate) fn write(out: &mut Vec<u8>, time: Timestamp) {
    // 0000-01-01T00:00:00Z
    let seconds = time.unix_seconds().clamp(-62_167_219_200, LAST);
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    word(out, &WEEKDAYS, days.rem_euclid(7));
    out.extend_from_slice(b", ");
    two(out, day);
    out.push(b' ');
    word(out, &MONTHS, month - 1);
    out.push(b' ');
    two(out, year / 100);
    two(out, year % 100);
    for (separator, value) in [(b' ', second / 3600), (b':', second / 60 % 60), (b':', second % 60)]
    {
        out.push(separator);
        two(out, value);
    }
    out.extend_from_slice(b" GMT");
}

/// A time for a header.
pub(crate) fn format(time: Timestamp) -> String {
    let mut out = Vec::with_capacity(29);
    write(&mut out, time);
    String::from_utf8_lossy(&out).into_owned()
}

/// Year, month (from 1) and day of a number of days since 1970, in the Gregorian calendar: years
/// are counted from March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn two(out: &mut Vec<u8>, value: i64) {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "digits")]
    for digit in [value / 10 % 10, value % 10] {
        out.push(b'0' + digit as u8);
    }
}

fn word(out: &mut Vec<u8>, words: &[&str], index: i64) {
    let word = usize::try_from(index).ok().and_then(|index| words.get(index));
    out.extend_from_slice(word.copied().unwrap_or_default().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds, 0).unwrap()
    }

    #[test]
    fn dates_are_those_of_http() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (946_684_800, "Sat, 01 Jan 2000 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
            (i64::from(i32::MAX) * 1000, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(format(at(seconds)), text);
        }
        for text in ["", "now", "Mon, 99 Nov 2026 02:49:26 GMT", "1e99", &"9".repeat(10_000)] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn dates_read_back(seconds in 0..LAST) {
            let time = at(seconds);
            prop_assert_eq!(parse(&format(time)).unwrap(), time);
            let known = time.date_time().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(format(time), known);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
