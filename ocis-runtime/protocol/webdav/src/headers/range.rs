//! The header `Range` (RFC 9110 section 14).

use std::ops::RangeInclusive;

use http::StatusCode;

use crate::error::{Answer, Failure};

/// The most ranges of one request; more are only used to attack.
const MAX_RANGES: usize = 32;

/// Which bytes of a content of `size` are wanted; none means all of them.
///
/// All are sent too when the unit is not `bytes` (section 14.2 says to ignore it), when the content
/// is empty, and when the ranges together are longer than the content. 416 when no range lies inside
/// of it, for nonsense, and for too many.
pub(crate) fn parse(text: Option<&str>, size: u64) -> Answer<Option<Vec<RangeInclusive<u64>>>> {
    let Some(text) = text else { return Ok(None) };
    let Some((unit, list)) = text.split_once('=') else { return Err(unsatisfiable()) };
    if !unit.trim().eq_ignore_ascii_case("bytes") || size == 0 {
        return Ok(None);
    }
    let mut ranges = Vec::new();
    let mut total: u64 = 0;
    for (count, part) in list.split(',').map(str::trim).filter(|part| !part.is_empty()).enumerate()
    {
        if count >= MAX_RANGES {
            return Err(unsatisfiable());
        }
        if let Some(range) = one(part, size)? {
            total = total.saturating_add(range.end() - range.start() + 1);
            ranges.push(range);
        }
    }
    if ranges.is_empty() {
        return Err(unsatisfiable());
    }
    Ok((total <= size).then_some(ranges))
}

/// One range; none when it lies outside.
fn one(part: &str, size: u64) -> Answer<Option<RangeInclusive<u64>>> {
    let (first, last) = part.split_once('-').ok_or_else(unsatisfiable)?;
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    let end = size - 1;
    Ok(match (first, last) {
        (Some(first), Some(last)) if first > last => return Err(unsatisfiable()),
        (Some(first), _) if first > end => None,
        (Some(first), last) => Some(first..=last.map_or(end, |last| last.min(end))),
        (None, Some(0)) => None,
        (None, Some(suffix)) => Some(size.saturating_sub(suffix)..=end),
        (None, None) => return Err(unsatisfiable()),
    })
}

/// A number that may be left out; one too long for 64 bits lies behind every content.
fn number(text: &str) -> Answer<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    if !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(unsatisfiable());
    }
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

fn unsatisfiable() -> Failure {
    Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such range of bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges() {
        let read = |text| parse(Some(text), 10).map_err(|failure| failure.status);
        for (text, ranges) in [
            ("bytes=0-0", vec![0..=0]),
            ("bytes=2-", vec![2..=9]),
            ("bytes=-3", vec![7..=9]),
            ("bytes=-99", vec![0..=9]),
            ("BYTES = 5-99", vec![5..=9]),
            ("bytes=0-1, 4-5,99-", vec![0..=1, 4..=5]),
            ("bytes=3-99999999999999999999999", vec![3..=9]),
        ] {
            assert_eq!(read(text).unwrap(), Some(ranges), "{text}");
        }
        for text in ["lines=1-2", "bytes=0-9,0-9"] {
            assert_eq!(read(text).unwrap(), None, "{text}");
        }
        let many = format!("bytes={}", "0-0,".repeat(33));
        for text in
            ["bytes=10-", "bytes=-0", "bytes=5-2", "bytes=a-b", "bytes=-", "bytes", "bytes=", &many]
        {
            assert_eq!(read(text).unwrap_err(), StatusCode::RANGE_NOT_SATISFIABLE, "{text}");
        }
        assert_eq!(parse(Some("bytes=0-"), 0).unwrap(), None);
        assert_eq!(parse(None, 10).unwrap(), None);
    }

    proptest! {
        #[test]
        fn every_range_lies_inside(text in "bytes=[-0-9, ]{0,60}", size in 0_u64..100) {
            if let Ok(Some(ranges)) = parse(Some(&text), size) {
                prop_assert!(ranges.iter().all(|r| r.start() <= r.end() && *r.end() < size));
                prop_assert!(ranges.iter().map(|r| r.end() - r.start() + 1).sum::<u64>() <= size);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", size: u64) {
            let _ = parse(Some(&text), size);
        }
    }
}
