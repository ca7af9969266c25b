//! Distinguished names (RFC 4514), as far as two of them must be told apart or taken to pieces.

use std::fmt;
use std::hash::{Hash, Hasher};

use ocis_core::{Error, Result};

/// The most components of a name: no directory is deeper, and a hostile name is refused early.
const MAX_DEPTH: usize = 32;

/// A distinguished name, the entry's own component first. Equal when the attributes and values are
/// without regard to case; a component of several attributes is equal in any order of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Dn(Vec<Rdn>);

/// A component of a name; equal by what is folded alone.
#[derive(Debug, Clone)]
struct Rdn {
    /// Attributes and values, in lower case and sorted.
    folded: Vec<(String, String)>,
    /// The first attribute with its value as written.
    written: (String, String),
}

impl PartialEq for Rdn {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Rdn {}

impl Hash for Rdn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl Dn {
    /// Reads a name. [`ocis_core::ErrorKind::InvalidArgument`] when it is none. The empty name is
    /// the one above all.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader { rest: text.trim_start_matches(' ') };
        let mut components = Vec::new();
        loop {
            let (rdn, more) = reader.component()?;
            components.push(rdn);
            if components.len() > MAX_DEPTH {
                return Err(invalid());
            }
            if !more {
                return Ok(Self(components));
            }
        }
    }

    /// The number of components.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// The name that this one lies directly below; none for the one above all.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_first()?;
        Some(Self(above.to_vec()))
    }

    /// Whether this is `base` or lies below it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.0.ends_with(&base.0)
    }

    /// Attribute (in lower case) and value (as written) of the entry's own component, when it has
    /// just one.
    pub(super) fn own(&self) -> Option<(String, &str)> {
        let rdn = self.0.first().filter(|rdn| rdn.folded.len() == 1)?;
        let (attribute, value) = &rdn.written;
        Some((attribute.to_lowercase(), value))
    }
}

fn invalid() -> Error {
    Error::invalid("this is no distinguished name")
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// One component, and whether another one follows.
    fn component(&mut self) -> Result<(Rdn, bool)> {
        let mut parts: Vec<(String, String)> = Vec::new();
        let more = loop {
            let attribute = self.attribute()?;
            let (value, end) = self.value()?;
            parts.push((attribute, value));
            match end {
                Some('+') => {}
                end => break end.is_some(),
            }
        };
        let written = parts.first().cloned().ok_or_else(invalid)?;
        let fold =
            |(attribute, value): (String, String)| (attribute.to_lowercase(), value.to_lowercase());
        let mut folded: Vec<_> = parts.into_iter().map(fold).collect();
        folded.sort();
        Ok((Rdn { folded, written }, more))
    }

    fn attribute(&mut self) -> Result<String> {
        let (attribute, rest) = self.rest.split_once('=').ok_or_else(invalid)?;
        self.rest = rest;
        let attribute = attribute.trim();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if attribute.is_empty() || !attribute.chars().all(legal) {
            return Err(invalid());
        }
        Ok(attribute.to_owned())
    }

    /// A value up to the separator after it, which is the other thing returned.
    fn value(&mut self) -> Result<(String, Option<char>)> {
        let mut bytes = Vec::new();
        // Blanks at the end do not count unless they are escaped.
        let mut kept = 0;
        let mut chars = self.rest.trim_start_matches(' ').chars();
        let end = loop {
            match chars.next() {
                None => break None,
                Some(end @ (',' | ';' | '+')) => break Some(end),
                Some('\\') => {
                    bytes.extend(escaped(&mut chars)?);
                    kept = bytes.len();
                }
                Some('"' | '\0') => return Err(invalid()),
                Some(c) => {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    if c != ' ' {
                        kept = bytes.len();
                    }
                }
            }
        };
        self.rest = chars.as_str().trim_start_matches(' ');
        bytes.truncate(kept);
        Ok((String::from_utf8(bytes).map_err(|_| invalid())?, end))
    }
}

/// What follows a backslash: the two digits of a byte, or a character that stands for itself.
fn escaped(chars: &mut std::str::Chars<'_>) -> Result<Vec<u8>> {
    let first = chars.next().ok_or_else(invalid)?;
    let Some(high) = first.to_digit(16) else {
        return match first {
            ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' => Ok(vec![first as u8]),
            _ => Err(invalid()),
        };
    };
    let low = chars.next().and_then(|c| c.to_digit(16)).ok_or_else(invalid)?;
    u8::try_from(high * 16 + low).map(|byte| vec![byte]).map_err(|_| invalid())
}

/// A value as it can stand in a name.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (at, c) in self.0.char_indices() {
            match c {
                '"' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' => write!(f, "\\{c}")?,
                ' ' | '#' if at == 0 => write!(f, "\\{c}")?,
                ' ' if at == last => f.write_str("\\ ")?,
                c if c.is_ascii_control() => write!(f, "\\{:02x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    #[test]
    fn names_are_equal_however_they_are_written() {
        let marie = dn("uid=Marie,ou=users,o=libregraph-idm");
        for same in
            ["UID=marie, OU = Users ,O=Libregraph-IDM", "uid=\\6darie;ou=users;o=libregraph-idm"]
        {
            assert_eq!(dn(same), marie, "{same}");
        }
        for other in [
            "uid=marie,ou=groups,o=libregraph-idm",
            "uid=marie",
            "uid=marie\\20,ou=users,o=libregraph-idm",
        ] {
            assert_ne!(dn(other), marie, "{other}");
        }
        assert_eq!(marie.own(), Some(("uid".into(), "Marie")));
        assert_eq!(marie.parent(), Some(dn("ou=users,o=libregraph-idm")));
        assert!(marie.is_within(&dn("o=libregraph-idm")) && marie.is_within(&marie));
        assert!(marie.is_within(&dn("")) && !dn("o=libregraph-idm").is_within(&marie));
        assert_eq!(dn("cn=a+sn=b"), dn("SN=B + CN=A"));
        assert_eq!(dn("cn=a+sn=b").own(), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let deep = "a=b,".repeat(1000) + "a=b";
        for wrong in [
            "x", "=x", "a=b,", "a=b,,c=d", "a=\"b\"", "a=\\", "a=\\4", "a=\\zz", "a=\\ff", "a b=c",
            &deep,
        ] {
            assert!(Dn::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_value_comes_back(value in "[^\0]{1,40}") {
            let text = format!("cn={},o=x", Escaped(&value));
            let dn = Dn::parse(&text).unwrap();
            prop_assert_eq!(dn.own(), Some(("cn".into(), value.as_str())));
            prop_assert_eq!(dn.depth(), 2);
        }

        #[test]
        fn nothing_panics(text in ".{0,80}") {
            let _ = Dn::parse(&text);
        }
    }
}
