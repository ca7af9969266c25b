//! The XML inside an element, kept so that it means the same wherever it is put later.
//!
//! A client may declare a prefix outside of the element whose content we keep (a dead property, the
//! owner of a lock). The content is therefore written anew with the declarations that it needs, as
//! in exclusive canonicalisation. Elements, attributes and character data are kept; comments and
//! processing instructions are not (RFC 4918 section 4.3 does not ask for them).

use crate::error::{Answer, Failure};
use crate::xml::read::{Element, Reader, Token};
use crate::xml::write;

/// The namespace that the prefix `xml` stands for without declaration.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A prefix (empty for the default namespace) that is declared in what was written, from `depth`.
struct Binding {
    prefix: String,
    uri: String,
    depth: usize,
}

/// Reads the content of the element that is open, past its end.
pub(crate) fn inner(reader: &mut Reader<'_>) -> Answer<String> {
    let mut out = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut bindings: Vec<Binding> = Vec::new();
    loop {
        match reader.next()? {
            Token::Start(element) => {
                open.push(element.tag.name().0.to_owned());
                start(&mut out, reader, &element, &mut bindings, open.len())?;
            }
            Token::End => {
                let Some(name) = open.pop() else { break };
                bindings.retain(|binding| binding.depth <= open.len());
                write::raw(&mut out, "</");
                write::raw(&mut out, &name);
                write::raw(&mut out, ">");
            }
            Token::Text(text) => write::text(&mut out, &text),
            Token::Eof => break,
        }
    }
    String::from_utf8(out).map_err(|_| Failure::bad_request("the XML is not UTF-8"))
}

fn start(
    out: &mut Vec<u8>,
    reader: &Reader<'_>,
    element: &Element<'_>,
    bindings: &mut Vec<Binding>,
    depth: usize,
) -> Answer<()> {
    let tag = &element.tag;
    write::raw(out, "<");
    write::raw(out, tag.name().0);
    let prefix = tag.name().decompose().1.map_or("", |prefix| prefix.into_inner());
    let mut needed = vec![(prefix.to_owned(), element.name.ns.clone())];
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| Failure::bad_request("an attribute is malformed"))?;
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|_| Failure::bad_request("the value of an attribute is malformed"))?;
        write::raw(out, " ");
        write::raw(out, attribute.key.0);
        write::raw(out, "=\"");
        write::attribute(out, &value);
        write::raw(out, "\"");
        let (local, prefix) = attribute.key.decompose();
        match (prefix.map(|prefix| prefix.into_inner()), local.into_inner()) {
            (Some("xmlns"), prefix) => {
                bindings.push(Binding { prefix: prefix.into(), uri: value.into_owned(), depth });
            }
            (None, "xmlns") => {
                bindings.push(Binding { prefix: String::new(), uri: value.into_owned(), depth });
            }
            (Some(prefix), _) => {
                needed.push((prefix.into(), reader.namespace(tag, Some(attribute.key.0))?));
            }
            (None, _) => {}
        }
    }
    for (prefix, uri) in needed {
        declare(out, bindings, prefix, uri, depth);
    }
    write::raw(out, ">");
    Ok(())
}

fn declare(
    out: &mut Vec<u8>,
    bindings: &mut Vec<Binding>,
    prefix: String,
    uri: String,
    depth: usize,
) {
    let known = bindings.iter().rev().find(|binding| binding.prefix == prefix);
    let known = known.map_or(if prefix == "xml" { XML } else { "" }, |binding| &binding.uri);
    if known == uri {
        return;
    }
    write::raw(out, if prefix.is_empty() { " xmlns" } else { " xmlns:" });
    write::raw(out, &prefix);
    write::raw(out, "=\"");
    write::attribute(out, &uri);
    write::raw(out, "\"");
    bindings.push(Binding { prefix, uri, depth });
}

/// Appends a value that was stored. Values of ours are well-formed; those that other software
/// stored may be anything, and are written as text when they would break the answer.
pub(crate) fn write(out: &mut Vec<u8>, value: &str) {
    if value.bytes().any(|c| matches!(c, b'<' | b'&')) && is_content(value) {
        write::raw(out, value);
    } else {
        write::text(out, value);
    }
}

/// The character data of a value, without its elements; nothing when it is not well-formed.
pub(crate) fn text(value: &str) -> String {
    let document = format!("<v>{value}</v>");
    let mut text = String::new();
    let Ok(mut reader) = Reader::new(document.as_bytes()) else { return text };
    loop {
        match reader.next() {
            Ok(Token::Text(part)) => text.push_str(&part),
            Ok(Token::Start(_) | Token::End) => {}
            Ok(Token::Eof) => return text,
            Err(_) => return String::new(),
        }
    }
}

fn is_content(value: &str) -> bool {
    let document = format!("<v>{value}</v>");
    Reader::new(document.as_bytes()).and_then(|mut reader| reader.finish()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(document: &str) -> String {
        let mut reader = Reader::new(document.as_bytes()).unwrap();
        reader.next().unwrap();
        let value = inner(&mut reader).unwrap();
        assert!(matches!(reader.next().unwrap(), Token::Eof));
        value
    }

    #[test]
    fn content_brings_the_declarations_that_it_needs() {
        for (document, value) in [
            ("<a>t</a>", "t"),
            ("<a/>", ""),
            ("<a xmlns='u'><b/></a>", "<b xmlns=\"u\"></b>"),
            (
                "<p:a xmlns:p='u'><p:b><p:c/></p:b><p:d/></p:a>",
                "<p:b xmlns:p=\"u\"><p:c></p:c></p:b><p:d xmlns:p=\"u\"></p:d>",
            ),
            ("<a xmlns:p='u'><b p:c='\"&lt;'/></a>", "<b p:c=\"&quot;&lt;\" xmlns:p=\"u\"></b>"),
            (
                "<a xmlns='u'><b xmlns=''><c xmlns='u'/><d/></b></a>",
                "<b xmlns=\"\"><c xmlns=\"u\"></c><d></d></b>",
            ),
            ("<a><b xml:lang='de'/></a>", "<b xml:lang=\"de\"></b>"),
            ("<a>&#65536;&amp;<![CDATA[<x>]]>&#xD;<!-- c --></a>", "\u{10000}&amp;&lt;x&gt;&#xD;"),
        ] {
            assert_eq!(kept(document), value, "{document}");
        }
    }

    #[test]
    fn what_others_stored_cannot_break_an_answer() {
        for (value, written) in [
            ("plain", "plain"),
            ("<b xmlns=\"u\"></b>", "<b xmlns=\"u\"></b>"),
            ("</v><v>", "&lt;/v&gt;&lt;v&gt;"),
            ("<p:b/>", "&lt;p:b/&gt;"),
            ("a & b", "a &amp; b"),
            ("a > b", "a &gt; b"),
        ] {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out, written.as_bytes(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_stays_as_it_is(content in "(<b p:x='1'>|</b>|t|&amp;|<p:c xmlns='v'/>|<d/>){0,8}") {
            let document = format!("<a xmlns:p='u' xmlns='w'>{content}</a>");
            let Ok(mut reader) = Reader::new(document.as_bytes()) else { return Ok(()) };
            reader.next().unwrap();
            if let Ok(value) = inner(&mut reader) {
                prop_assert!(is_content(&value), "{}", value);
                prop_assert_eq!(kept(&format!("<a>{value}</a>")), value);
            }
        }
    }
}
