//! Searching and comparing (RFC 4511, 4.5 and 4.10), with pages (RFC 2696).

use ldap3_proto::proto::{
    LdapCompareRequest, LdapPartialAttribute, LdapResultCode, LdapSearchRequest,
    LdapSearchResultEntry, LdapSearchScope,
};

use super::LdapServer;
use super::bind::Bound;
use super::entry::{self, Entry, Place, Position};
use super::filter::{MAX_ITEMS, equals_any, is_secret, items, matches};
use super::result::Refusal;
use crate::directory::dn::Dn;

/// The most values of the list of attributes that are asked for.
const MAX_ATTRIBUTES: usize = 256;

/// A page that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) size: usize,
    pub(super) cookie: Vec<u8>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) entries: Vec<LdapSearchResultEntry>,
    /// Where the next page begins; empty at the end.
    pub(super) cookie: Vec<u8>,
    /// [`LdapResultCode::SizeLimitExceeded`] when there is more than the client wants.
    pub(super) code: LdapResultCode,
}

impl LdapServer {
    pub(super) fn search(
        &self,
        bound: &Bound,
        request: &LdapSearchRequest,
        page: Option<&Page>,
    ) -> Result<Found, Refusal> {
        let dn = Dn::parse(&request.base)
            .map_err(|error| Refusal::new(LdapResultCode::InvalidDNSyntax, error.message()))?;
        let base = Place::of(&dn);
        if items(&request.filter) > MAX_ITEMS || request.attrs.len() > MAX_ATTRIBUTES {
            return Err(Refusal::new(
                LdapResultCode::AdminLimitExceeded,
                "this is too much at once",
            ));
        }
        let selection = Selection::new(request);
        if base == Place::Root && request.scope == LdapSearchScope::Base {
            return Ok(whole(vec![selection.of(root())]));
        }
        if *bound == Bound::Nobody {
            let text = "bind first: nobody reads the directory anonymously";
            return Err(Refusal::new(LdapResultCode::InsufficentAccessRights, text));
        }
        let accounts = self.directory.accounts();
        let missing = || Refusal::new(LdapResultCode::NoSuchObject, "there is no such entry");
        if request.scope == LdapSearchScope::Base {
            let readable = bound.may_read(&base);
            let entry = entry::at(&base, &accounts, &self.services);
            let entry = entry.filter(|_| readable).ok_or_else(missing)?;
            let found = matches(&request.filter, &entry) == Some(true);
            return Ok(whole(found.then(|| selection.of(entry)).into_iter().collect()));
        }
        // People may begin anywhere above their own entry; it is all that they find.
        let is_there = match &base {
            Place::Root | Place::Base | Place::Users | Place::Groups | Place::Services => true,
            place => bound.may_read(place) && entry::at(place, &accounts, &self.services).is_some(),
        };
        if !is_there {
            return Err(missing());
        }
        let limit = usize::try_from(request.sizelimit).ok().filter(|limit| *limit > 0);
        let after = match page {
            // A page of no entries ends a search in pages.
            Some(page) if page.size == 0 && !page.cookie.is_empty() => {
                return Ok(whole(Vec::new()));
            }
            Some(page) if !page.cookie.is_empty() => Some(position(&page.cookie)?),
            _ => None,
        };
        let mut found = whole(Vec::new());
        let mut last: Option<Position> = None;
        for (at, place, entry) in entry::candidates(&accounts, &self.services, &after) {
            if !within(&base, &request.scope, &place)
                || !bound.may_read(&place)
                || matches(&request.filter, &entry) != Some(true)
            {
                continue;
            }
            if limit.is_some_and(|limit| found.entries.len() >= limit) {
                found.code = LdapResultCode::SizeLimitExceeded;
                return Ok(found);
            }
            if page.is_some_and(|page| found.entries.len() >= page.size.max(1)) {
                found.cookie = last.map(|at| cookie(&at)).unwrap_or_default();
                return Ok(found);
            }
            found.entries.push(selection.of(entry));
            last = Some(at);
        }
        Ok(found)
    }

    /// Whether an attribute has a value.
    pub(super) fn compare(
        &self,
        bound: &Bound,
        request: &LdapCompareRequest,
    ) -> Result<bool, Refusal> {
        let dn = Dn::parse(&request.dn)
            .map_err(|error| Refusal::new(LdapResultCode::InvalidDNSyntax, error.message()))?;
        let place = Place::of(&dn);
        // Comparing passwords would be a way around what slows down who guesses.
        if *bound == Bound::Nobody || is_secret(&request.atype) {
            let text = "this may not be compared";
            return Err(Refusal::new(LdapResultCode::InsufficentAccessRights, text));
        }
        let accounts = self.directory.accounts();
        let entry = entry::at(&place, &accounts, &self.services);
        let entry = entry
            .filter(|_| bound.may_read(&place))
            .ok_or_else(|| Refusal::new(LdapResultCode::NoSuchObject, "there is no such entry"))?;
        let values = entry.values(&request.atype);
        if values.is_empty() {
            let text = "the entry has no such attribute";
            return Err(Refusal::new(LdapResultCode::NoSuchAttribute, text));
        }
        let value = String::from_utf8_lossy(&request.val);
        Ok(equals_any(&request.atype, values, &value))
    }
}

fn whole(entries: Vec<LdapSearchResultEntry>) -> Found {
    Found { entries, cookie: Vec::new(), code: LdapResultCode::Success }
}

fn within(base: &Place, scope: &LdapSearchScope, place: &Place) -> bool {
    let parent = |place: &Place| match place {
        Place::Base => Place::Root,
        Place::User(_) => Place::Users,
        Place::Group(_) => Place::Groups,
        Place::Service(_) => Place::Services,
        Place::Users | Place::Groups | Place::Services => Place::Base,
        Place::Root | Place::Nothing => Place::Nothing,
    };
    let is_base = same(base, place);
    let above = |levels: usize| {
        let ancestors = std::iter::successors(Some(parent(place)), |above| Some(parent(above)));
        ancestors.take(levels).any(|above| same(base, &above))
    };
    match scope {
        LdapSearchScope::Base => is_base,
        LdapSearchScope::OneLevel => above(1),
        LdapSearchScope::Subtree => is_base || above(3),
        LdapSearchScope::Children => above(3),
    }
}

fn same(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::User(one), Place::User(other)) | (Place::Group(one), Place::Group(other)) => {
            one.to_lowercase() == other.to_lowercase()
        }
        (Place::Service(one), Place::Service(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other && *one != Place::Nothing,
    }
}

fn cookie((kind, key): &Position) -> Vec<u8> {
    let mut cookie = vec![*kind];
    cookie.extend_from_slice(key.as_bytes());
    cookie
}

fn position(cookie: &[u8]) -> Result<Position, Refusal> {
    let read = cookie
        .split_first()
        .and_then(|(kind, key)| String::from_utf8(key.to_vec()).ok().map(|key| (*kind, key)));
    read.ok_or_else(|| {
        Refusal::new(LdapResultCode::UnwillingToPerform, "this is no cookie of ours")
    })
}

/// Which attributes a client wants (RFC 4511, 4.5.1.8).
struct Selection<'a> {
    names: Vec<&'a str>,
    user: bool,
    operational: bool,
    types_only: bool,
}

impl<'a> Selection<'a> {
    fn new(request: &'a LdapSearchRequest) -> Self {
        let names: Vec<_> = request.attrs.iter().map(String::as_str).collect();
        Self {
            user: names.is_empty() || names.contains(&"*"),
            operational: names.contains(&"+"),
            types_only: request.typesonly,
            names,
        }
    }

    fn of(&self, entry: Entry) -> LdapSearchResultEntry {
        let named = |name: &str| self.names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let user = entry.attributes.into_iter().filter(|(name, _)| self.user || named(name));
        let operational =
            entry.operational.into_iter().filter(|(name, _)| self.operational || named(name));
        let attribute = |(name, values): (&str, Vec<String>)| LdapPartialAttribute {
            atype: name.to_owned(),
            vals: match self.types_only {
                true => Vec::new(),
                false => values.into_iter().map(String::into_bytes).collect(),
            },
        };
        LdapSearchResultEntry {
            dn: entry.dn,
            attributes: user.chain(operational).map(attribute).collect(),
        }
    }
}

/// What the server tells of itself (RFC 4512, 5.1).
fn root() -> Entry {
    let all = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Entry {
        dn: String::new(),
        attributes: vec![("objectClass", all(&["top"]))],
        operational: vec![
            ("namingContexts", all(&[entry::BASE])),
            ("supportedLDAPVersion", all(&["3"])),
            ("supportedControl", all(&["1.2.840.113556.1.4.319"])),
            ("supportedExtension", all(&["1.3.6.1.4.1.4203.1.11.1", "1.3.6.1.4.1.4203.1.11.3"])),
            ("vendorName", all(&["Infinite Scale"])),
        ],
    }
}
