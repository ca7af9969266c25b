//! Every name that oCIS 7 knows, as data: `known.tsv`, taken from oCIS's own configuration structs,
//! and the two keys that its `init` writes although nothing of it reads them (`spaces.insecure` of
//! graph, `auth_providers.oidc.insecure` of auth-bearer).
//!
//! Read lazily, and only to tell a name that this version does not act on from one that nobody
//! knows. Columns: service (`global` for the top of `ocis.yaml`, `process` for what only the
//! environment sets), variables (`;` between them), YAML path, type, default.

use std::sync::LazyLock;

/// One setting of oCIS 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The service, or `global`, or `process`.
    pub service: &'static str,
    /// The variables with `;` between them; a later one wins. Empty for YAML only.
    pub variables: &'static str,
    /// The path below the service's topic; empty if only variables set it.
    pub yaml: &'static str,
    /// The type as oCIS's Go source has it.
    pub kind: &'static str,
    /// The default as text.
    pub default: &'static str,
}

impl Known {
    /// The variables one by one.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.variables.split(';').filter(|name| !name.is_empty())
    }
}

static KNOWN: LazyLock<Vec<Known>> =
    LazyLock::new(|| include_str!("known.tsv").lines().skip(1).filter_map(parse).collect());

fn parse(line: &'static str) -> Option<Known> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    Some(Known {
        service: next()?,
        variables: next()?,
        yaml: next()?,
        kind: next()?,
        default: next()?,
    })
}

/// All settings of oCIS 7.
pub fn all() -> &'static [Known] {
    &KNOWN
}

/// All services of oCIS 7, those included that this version does not have.
pub fn services() -> Vec<&'static str> {
    let mut names: Vec<_> = all()
        .iter()
        .map(|known| known.service)
        .filter(|name| !matches!(*name, "global" | "process"))
        .collect();
    names.dedup();
    names
}

/// The topic of a service in `ocis.yaml`.
pub fn topic(service: &str) -> String {
    match service {
        "storage-publiclink" => "storage_public".to_owned(),
        _ => service.replace('-', "_"),
    }
}

/// What the variables of a service begin with.
pub fn prefix(service: &str) -> String {
    service.replace('-', "_").to_uppercase() + "_"
}

/// The one of `names` that resembles `name` most.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    names.into_iter().min_by_key(|other| distance(&lower, &other.to_lowercase()))
}

/// How many letters must be changed, added or taken to get from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let here = (above_left + usize::from(x != *y)).min(left + 1).min(*cell + 1);
            above_left = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_whole() {
        let lines = include_str!("known.tsv").lines().count() - 1;
        assert_eq!(all().len(), lines);
        assert_eq!(services().len(), 42);
        assert!(all().iter().any(|known| known.variables == "PROXY_HTTP_ADDR"));
        assert_eq!(topic("storage-publiclink"), "storage_public");
        assert_eq!(prefix("storage-publiclink"), "STORAGE_PUBLICLINK_");
    }

    #[test]
    fn resemblance() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(
            nearest("PROXY_HTTP_ADR", ["PROXY_HTTP_ROOT", "PROXY_HTTP_ADDR"]),
            Some("PROXY_HTTP_ADDR")
        );
    }
}
