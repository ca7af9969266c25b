//! Reads XML that a stranger sent, token by token, within limits.
//!
//! Entities are never expanded: a document type is refused, and so is every reference but the five
//! of XML itself and those to characters. Depth, elements, attributes, namespaces and the length of
//! names are limited, so that reading takes time and memory in proportion to the body, which has a
//! limit of its own.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{PrefixDeclaration, ResolveResult};

use crate::error::{Answer, Failure};
use crate::xml::Name;

/// The longest body, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 10_000;
const MAX_ATTRIBUTES: usize = 64;
const MAX_NAMESPACES: usize = 256;
const MAX_NAME: usize = 256;
const MAX_URI: usize = 1024;

/// A start tag: its resolved name, and what the document says.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    /// The resolved name.
    pub(crate) name: Name,
    /// The tag as written.
    pub(crate) tag: BytesStart<'a>,
}

/// What the reader gives.
#[derive(Debug)]
pub(crate) enum Token<'a> {
    /// A start tag; an empty element is followed by its end.
    Start(Element<'a>),
    /// An end tag.
    End,
    /// Character data, unescaped.
    Text(Cow<'a, str>),
    /// The end of the document.
    Eof,
}

/// A reader over one document.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    inner: NsReader<&'a [u8]>,
    depth: usize,
    elements: usize,
}

fn malformed(what: &'static str) -> Failure {
    Failure::bad_request(format!("the XML in the request is not well-formed: {what}"))
}

fn excessive(what: &'static str) -> Failure {
    Failure::bad_request(format!("the XML in the request has too many or too long {what}"))
}

impl<'a> Reader<'a> {
    /// A reader over `body`; 400 when it is not UTF-8 or holds characters that XML forbids.
    pub(crate) fn new(body: &'a [u8]) -> Answer<Self> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        if text.bytes().any(|c| c < 0x20 && !matches!(c, b'\t' | b'\n' | b'\r')) {
            return Err(malformed("it has control characters"));
        }
        let mut inner = NsReader::from_str(text);
        let config = inner.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        inner.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
        Ok(Self { inner, depth: 0, elements: 0 })
    }

    /// The next token. Comments and processing instructions are left out.
    pub(crate) fn next(&mut self) -> Answer<Token<'a>> {
        loop {
            let event = self.inner.read_event().map_err(|_| malformed("syntax error"))?;
            match event {
                Event::Start(tag) | Event::Empty(tag) => return self.start(tag).map(Token::Start),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::End);
                }
                Event::Text(text) => {
                    if let Some(text) = self.text(text.xml10_content())? {
                        return Ok(Token::Text(text));
                    }
                }
                Event::CData(text) => {
                    if self.depth == 0 {
                        return Err(malformed("text outside of the root element"));
                    }
                    return Ok(Token::Text(text.xml10_content()));
                }
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(c)) if is_character(c) => c,
                        Ok(None) => predefined(&reference.xml10_content())?,
                        _ => return Err(malformed("a reference to no character")),
                    };
                    if self.depth == 0 {
                        return Err(malformed("text outside of the root element"));
                    }
                    return Ok(Token::Text(Cow::Owned(character.into())));
                }
                Event::DocType(_) => {
                    return Err(Failure::bad_request("a document type is not allowed"));
                }
                Event::Decl(declaration) => {
                    if let Some(encoding) = declaration.encoding() {
                        let name = encoding.map_err(|_| malformed("its declaration"))?;
                        if !name.eq_ignore_ascii_case("utf-8")
                            && !name.eq_ignore_ascii_case("us-ascii")
                        {
                            return Err(malformed("its encoding is not UTF-8"));
                        }
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if self.depth > 0 || self.elements == 0 => {
                    return Err(malformed("it ends too early"));
                }
                Event::Eof => return Ok(Token::Eof),
            }
        }
    }

    /// The root element; 400 unless it has this name.
    pub(crate) fn root(&mut self, ns: &str, local: &str) -> Answer<Element<'a>> {
        match self.next()? {
            Token::Start(element) if element.name.ns == ns && element.name.local == local => {
                Ok(element)
            }
            _ => Err(Failure::bad_request(format!("the request body must be a {local} element"))),
        }
    }

    /// The next element inside of the one that is open; none at its end.
    pub(crate) fn child(&mut self) -> Answer<Option<Element<'a>>> {
        loop {
            match self.next()? {
                Token::Start(element) => return Ok(Some(element)),
                Token::End | Token::Eof => return Ok(None),
                Token::Text(_) => {}
            }
        }
    }

    /// Reads past the end of the element that is open.
    pub(crate) fn skip(&mut self) -> Answer<()> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Reads to the end of the document.
    pub(crate) fn finish(&mut self) -> Answer<()> {
        while !matches!(self.next()?, Token::Eof) {}
        Ok(())
    }

    /// The namespace of a prefix in scope; none when it is not declared. The empty prefix without
    /// a declaration stands for no namespace.
    pub(crate) fn namespace(
        &self,
        tag: &BytesStart<'_>,
        attribute: Option<&str>,
    ) -> Answer<String> {
        let resolver = self.inner.resolver();
        let resolved = match attribute {
            None => resolver.resolve_element(tag.name()).0,
            Some(key) => resolver.resolve_attribute(quick_xml::name::QName(key)).0,
        };
        let uri = match resolved {
            ResolveResult::Unbound => return Ok(String::new()),
            ResolveResult::Bound(uri) => uri,
            ResolveResult::Unknown(_) => return Err(malformed("a namespace is not declared")),
        };
        let uri = quick_xml::escape::unescape(uri.0).map_err(|_| malformed("a namespace"))?;
        if uri.len() > MAX_URI {
            return Err(excessive("namespaces"));
        }
        Ok(uri.into_owned())
    }

    fn start(&mut self, tag: BytesStart<'a>) -> Answer<Element<'a>> {
        if self.depth == 0 && self.elements > 0 {
            return Err(malformed("it has two root elements"));
        }
        self.depth += 1;
        self.elements += 1;
        if self.depth > MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(excessive("elements"));
        }
        self.check_attributes(&tag)?;
        let ns = self.namespace(&tag, None)?;
        let qualified = tag.name();
        let (local, prefix) = qualified.decompose();
        let local = local.into_inner();
        if !is_name(local) || prefix.is_some_and(|prefix| !is_name(prefix.into_inner())) {
            return Err(malformed("a name"));
        }
        let name = Name { ns, local: local.into() };
        Ok(Element { name, tag })
    }

    fn check_attributes(&self, tag: &BytesStart<'_>) -> Answer<()> {
        for (count, attribute) in tag.attributes().enumerate() {
            if count >= MAX_ATTRIBUTES {
                return Err(excessive("attributes"));
            }
            let attribute = attribute.map_err(|_| malformed("an attribute"))?;
            if attribute.value.contains('<')
                || quick_xml::escape::unescape(&attribute.value).is_err()
            {
                return Err(malformed("the value of an attribute"));
            }
            // A prefix cannot be unbound (Namespaces in XML 1.0, section 5); litmus tries.
            if let Some(PrefixDeclaration::Named(_)) = attribute.key.as_namespace_binding()
                && attribute.value.is_empty()
            {
                return Err(malformed("a prefix without namespace"));
            }
            let (local, prefix) = attribute.key.decompose();
            if !is_name(local.into_inner()) || prefix.is_some_and(|p| !is_name(p.into_inner())) {
                return Err(malformed("the name of an attribute"));
            }
            self.namespace(tag, Some(attribute.key.0))?;
        }
        Ok(())
    }

    fn text(&self, text: Cow<'a, str>) -> Answer<Option<Cow<'a, str>>> {
        if self.depth > 0 {
            return Ok(Some(text));
        }
        if text.trim().is_empty() {
            return Ok(None);
        }
        Err(malformed("text outside of the root element"))
    }
}

fn predefined(name: &str) -> Answer<char> {
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(malformed("a reference to an unknown entity")),
    }
}

fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether `text` can be the local part of a name (XML 1.0 production 5 without the colon);
/// stricter than XML only in its length.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = |c: char| {
        matches!(c,
            'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
            | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
            | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let rest = |c: char| {
        first(c)
            || matches!(c,
                '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
    };
    text.len() <= MAX_NAME && chars.next().is_some_and(first) && chars.all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &[u8]) -> Answer<usize> {
        let mut reader = Reader::new(body)?;
        let mut count = 0;
        while !matches!(reader.next()?, Token::Eof) {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(70_000);
        let wide = format!(
            "<a{}/>",
            (0..100_000).fold(String::new(), |s, i| s + " a" + &i.to_string() + "=\"\"")
        );
        let namespaces = format!(
            "<a{}/>",
            (0..300).fold(String::new(), |s, i| s + " xmlns:a" + &i.to_string() + "=\"u\"")
        );
        let many = format!("<a>{}</a>", "<b/>".repeat(20_000));
        for body in [
            "",
            " ",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><a/>",
            "x<a/>",
            "<a/>x",
            "<a/>&amp;",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&</a>",
            "<a>\u{1}</a>",
            "<a b='<'/>",
            "<a b='&x;'/>",
            "<a b=''  b=''/>",
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "<!DOCTYPE a><a/>",
            "<x:a/>",
            "<a x:b='c'/>",
            "<x:a xmlns:x=''/>",
            "<1a/>",
            "<a:b:c xmlns:a='d'/>",
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            "<a><!-- -- --></a>",
            &deep,
            &wide,
            &namespaces,
            &many,
        ] {
            let result = read(body.as_bytes());
            assert!(result.is_err(), "{}", &body[..body.len().min(60)]);
        }
        assert!(read(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn well_formed_documents_are_read() {
        for body in [
            "<a/>",
            "\u{feff}<a/>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>\n",
            "<a xmlns='u'><b/>t&lt;&#65536;<![CDATA[<]]><!-- c --><?pi?></a>",
            "<é/>",
        ] {
            read(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        }
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(body in "[<>a:/='\"&;#x!\\-\\[\\]? \u{0}é]{0,200}") {
            let _ = read(body.as_bytes());
        }
    }
}
