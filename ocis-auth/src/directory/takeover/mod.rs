//! Taking over the accounts of a real oCIS: its directory `idm/ocis.boltdb` becomes ours at the
//! first start, with the ids, the password hashes and the memberships. The file stays as it is.
//!
//! oCIS keeps LDAP entries in it (libregraph/idm, package `ldbbolt`): the bucket `id2entry` has one
//! gob of go-ldap's `Entry` for each, under its number in little endian.

mod bolt;
mod gob;
mod people;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};

use super::record::Document;
use bolt::Bolt;
use gob::Value;

/// The most bytes that are read: far above any directory, far below the memory of a server.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Why a file is not the directory of an oCIS, to be completed to a sentence with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(&'static str);

/// An entry of oCIS's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    dn: String,
    /// Names in lower case, with the values that are texts.
    attributes: Vec<(String, Vec<String>)>,
}

/// Reads oCIS's directory; none when there is none. Blocks.
///
/// [`ocis_core::ErrorKind::Unavailable`] while an oCIS has the file open,
/// [`ocis_core::ErrorKind::Internal`] when it cannot be read or understood, with its name.
pub(super) fn read(path: &Path, now: Timestamp) -> Result<Option<Document>> {
    let failed = |what: &str| {
        Error::internal(format!(
            "the accounts of oCIS in {} cannot be taken over: {what}; move the file away to begin \
             with a new directory",
            path.display()
        ))
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("it cannot be opened").because(error)),
    };
    // bbolt holds an exclusive lock of the same kind as long as it has the file open.
    if file.try_lock_shared().is_err() {
        return Err(Error::unavailable(format!(
            "{} is in use by another process; stop oCIS before its accounts are taken over",
            path.display()
        )));
    }
    let mut bytes = Vec::new();
    let unreadable = |error| failed("it cannot be read").because(error);
    file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed("it is too large"));
    }
    let entries = entries(&bytes).map_err(|Broken(why)| failed(why))?;
    let document = people::document(&entries, now)
        .map_err(|error| failed("an account or a group is not valid").because(error))?;
    tracing::info!(
        users = document.users.len(),
        groups = document.groups.len(),
        "took over the accounts of oCIS in {}",
        path.display()
    );
    Ok(Some(document))
}

/// All entries, in the order in which they were made.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Broken> {
    let database = Bolt::open(bytes)?;
    let mut numbered = Vec::new();
    for (number, gob) in database.bucket("id2entry")? {
        numbered.push((bolt::u64_at(number, 0)?, entry(&gob::read(gob)?)?));
    }
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, entry)| entry).collect())
}

fn entry(value: &Value) -> Result<Entry, Broken> {
    let text = |value: &Value, name| value.field(name).and_then(Value::text).map(str::to_owned);
    let attribute = |value: &Value| {
        let values = value.field("Values").map(Value::items).unwrap_or_default();
        let values = values.iter().filter_map(Value::text).map(str::to_owned).collect();
        Some((text(value, "Name")?.to_lowercase(), values))
    };
    let attributes = value.field("Attributes").map(Value::items).unwrap_or_default();
    Ok(Entry {
        dn: text(value, "DN").ok_or(Broken("an entry has no name"))?,
        attributes: attributes.iter().filter_map(attribute).collect(),
    })
}

impl Entry {
    /// The values of an attribute, whose name is given in lower case.
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.attributes.iter().filter(move |(attribute, _)| attribute == name);
        found.flat_map(|(_, values)| values).map(String::as_str)
    }

    /// The first value that is not empty; the empty text when there is none.
    fn first(&self, name: &str) -> &str {
        self.all(name).find(|value| !value.is_empty()).unwrap_or_default()
    }

    fn is_a(&self, class: &str) -> bool {
        self.all("objectclass").any(|value| value.eq_ignore_ascii_case(class))
    }
}

#[cfg(test)]
mod tests;
