//! Reading what a WebDAV server answers, as strictly as a client that relies on it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use super::Client;

/// One `response` of a multistatus.
#[derive(Debug, Default, Clone)]
pub struct Entry {
    /// The decoded path, with a slash at the end when the server sent one.
    pub href: String,
    /// Text of the properties that came with status 200, keyed by local name.
    pub found: BTreeMap<String, String>,
    /// Local names of those that came with another status.
    pub missing: Vec<String>,
}

impl Entry {
    /// Text of a property, empty when it is not there.
    pub fn property(&self, name: &str) -> &str {
        self.found.get(name).map_or("", String::as_str)
    }

    /// The last segment of the path.
    pub fn name(&self) -> &str {
        self.href.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

/// All responses of a multistatus body.
pub fn entries(body: &[u8]) -> Result<Vec<Entry>> {
    let mut reader = NsReader::from_reader(body);
    let mut stack: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let mut entry = Entry::default();
    let mut group = Propstat::default();
    loop {
        match reader.read_resolved_event().context("not well-formed XML")? {
            (space, Event::Start(tag)) => {
                stack.push(name_in(&space, tag.local_name().as_ref())?);
                group.begin(&stack);
            }
            (space, Event::Empty(tag)) => {
                stack.push(name_in(&space, tag.local_name().as_ref())?);
                group.begin(&stack);
                stack.pop();
            }
            (_, Event::Text(text)) => {
                put(&mut entry, &mut group, &stack, &text);
            }
            (_, Event::GeneralRef(name)) => {
                let text = match name.resolve_char_ref()? {
                    Some(letter) => letter.to_string(),
                    None => named(&name)?.to_owned(),
                };
                put(&mut entry, &mut group, &stack, &text);
            }
            (_, Event::End(_)) => match stack.pop().as_deref() {
                Some("propstat") => std::mem::take(&mut group).close(&mut entry),
                Some("response") => {
                    let mut done = std::mem::take(&mut entry);
                    done.href = decoded(&done.href)?;
                    all.push(done);
                }
                _ => {}
            },
            (_, Event::Eof) if stack.is_empty() => return Ok(all),
            (_, Event::Eof) => bail!("the XML ends inside {stack:?}"),
            _ => {}
        }
    }
}

#[derive(Default)]
struct Propstat {
    status: String,
    properties: BTreeMap<String, String>,
}

impl Propstat {
    /// A property exists even when it is empty.
    fn begin(&mut self, stack: &[String]) {
        if let [.., parent, name] = stack
            && parent == "prop"
        {
            self.properties.entry(name.clone()).or_default();
        } else if let [.., prop, outer, inner] = stack
            && prop == "prop"
        {
            // Such as resourcetype/collection.
            self.properties.entry(outer.clone()).or_default().push_str(inner);
        }
    }

    fn close(self, entry: &mut Entry) {
        if self.status.contains(" 200 ") {
            entry.found.extend(self.properties);
        } else {
            entry.missing.extend(self.properties.into_keys());
        }
    }
}

fn put(entry: &mut Entry, group: &mut Propstat, stack: &[String], text: &str) {
    match stack {
        [.., response, href] if response == "response" && href == "href" => {
            entry.href.push_str(text);
        }
        [.., propstat, status] if propstat == "propstat" && status == "status" => {
            group.status.push_str(text);
        }
        _ => {
            let prop = stack.iter().position(|name| name == "prop");
            if let Some(name) = prop.and_then(|position| stack.get(position + 1)) {
                group.properties.entry(name.clone()).or_default().push_str(text);
            }
        }
    }
}

fn name_in(space: &ResolveResult<'_>, local: &str) -> Result<String> {
    if let ResolveResult::Unknown(prefix) = space {
        bail!("undeclared prefix {}", prefix);
    }
    Ok(local.to_owned())
}

fn named(name: &str) -> Result<&'static str> {
    Ok(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        other => bail!("undefined entity {other}"),
    })
}

/// A path segment as every client may send it.
pub fn encoded(segment: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(segment, KEPT).to_string()
}

fn decoded(href: &str) -> Result<String> {
    let path = href.find("://").and_then(|at| href[at + 3..].find('/').map(|end| at + 3 + end));
    let text = percent_decode_str(&href[path.unwrap_or(0)..]);
    Ok(text.decode_utf8().with_context(|| format!("href {href}"))?.into_owned())
}

/// The id of the personal space of the connection's user, from Graph.
pub fn personal_space(client: &mut Client) -> Result<String> {
    let drives = client.get("/graph/v1.0/me/drives")?.expect(&[200])?.json()?;
    let all = drives["value"].as_array().context("no value in /me/drives")?;
    let mine = all.iter().find(|drive| drive["driveType"] == "personal");
    let id = mine.and_then(|drive| drive["id"].as_str());
    Ok(id.with_context(|| format!("no personal space in {drives}"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn a_multistatus_is_read() {
        let body = br#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:x="urn:x">
            <d:response><d:href>/a%20b/c&amp;d/</d:href><d:propstat><d:prop>
            <d:resourcetype><d:collection/></d:resourcetype><x:p>1 &lt; 2 &#169;</x:p></d:prop>
            <d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><x:q/></d:prop>
            <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response></d:multistatus>"#;
        let all = entries(body).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].href.as_str(), all[0].name()), ("/a b/c&d/", "c&d"));
        assert_eq!(all[0].property("p"), "1 < 2 \u{a9}");
        assert!(all[0].property("resourcetype").contains("collection"));
        assert_eq!(all[0].missing, ["q"]);
    }

    #[test]
    fn half_a_multistatus_is_not() {
        assert!(entries(b"<d:multistatus xmlns:d='DAV:'><d:response>").is_err());
        assert!(entries(b"<d:multistatus/>").is_err());
    }
}
