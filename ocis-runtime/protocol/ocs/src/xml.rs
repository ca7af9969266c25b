//! Values as XML in the form that ownCloud's clients know.
//!
//! A struct is an element a field, a list is an element an item, as in Go's `encoding/xml`. Two
//! types break out of that, because OCS does: [`OcsBool`] is `1` or `0`, and [`Elements`] puts each
//! item into an `element` of its own.

use std::fmt;

use quick_xml::escape::escape;
use serde::ser::{self, Impossible, Serialize, Serializer};

/// `true` or `false` in JSON, `1` or `0` in XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct OcsBool(pub(crate) bool);

/// A list in JSON, `element`s inside one element in XML.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Elements<T>(pub(crate) Vec<T>);

/// A value that has no form in XML.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be written as XML")]
pub(crate) struct NoXml(String);

impl ser::Error for NoXml {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// `value` as a document whose root element is `root`.
pub(crate) fn document<T: Serialize>(root: &'static str, value: &T) -> Result<Vec<u8>, NoXml> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    value.serialize(Element { text: &mut text, tag: root, style: Style::Plain })?;
    Ok(text.into_bytes())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    /// Inside [`OcsBool`].
    Numeric,
    /// Inside [`Elements`].
    Wrapped,
}

/// Writes one value as the element `tag`.
struct Element<'a> {
    text: &'a mut String,
    tag: &'static str,
    style: Style,
}

impl Element<'_> {
    fn open(&mut self) {
        self.text.extend(["<", self.tag, ">"]);
    }

    fn close(&mut self) {
        self.text.extend(["</", self.tag, ">"]);
    }

    fn content(mut self, content: &str) -> Result<(), NoXml> {
        self.open();
        self.text.push_str(content);
        self.close();
        Ok(())
    }
}

/// What XML 1.0 cannot express becomes U+FFFD, as Go writes it.
fn legal(text: &str) -> String {
    let is_legal = |c: char| !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if is_legal(c) { c } else { '\u{fffd}' }).collect()
}

macro_rules! numbers {
    ($($method:ident: $kind:ty;)*) => {$(
        fn $method(self, value: $kind) -> Result<(), NoXml> {
            self.content(&value.to_string())
        }
    )*};
}

macro_rules! impossible {
    ($($method:ident($($name:ident: $kind:ty),*) -> $reply:ty;)*) => {$(
        fn $method(self, $($name: $kind),*) -> Result<$reply, NoXml> {
            let _ = ($($name,)*);
            Err(NoXml(stringify!($method).into()))
        }
    )*};
}

impl<'a> Serializer for Element<'a> {
    type Ok = ();
    type Error = NoXml;
    type SerializeSeq = Items<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeTuple = Impossible<(), NoXml>;
    type SerializeTupleStruct = Impossible<(), NoXml>;
    type SerializeTupleVariant = Impossible<(), NoXml>;
    type SerializeMap = Impossible<(), NoXml>;
    type SerializeStructVariant = Impossible<(), NoXml>;

    numbers! {
        serialize_i8: i8; serialize_i16: i16; serialize_i32: i32; serialize_i64: i64;
        serialize_u8: u8; serialize_u16: u16; serialize_u32: u32; serialize_u64: u64;
        serialize_f32: f32; serialize_f64: f64;
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoXml> {
        let content = match (self.style, value) {
            (Style::Numeric, true) => "1",
            (Style::Numeric, false) => "0",
            (_, true) => "true",
            (_, false) => "false",
        };
        self.content(content)
    }

    fn serialize_str(self, value: &str) -> Result<(), NoXml> {
        let value = legal(value);
        self.content(&escape(value.as_str()))
    }

    fn serialize_none(self) -> Result<(), NoXml> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), NoXml> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoXml> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NoXml> {
        let style = match name {
            "OcsBool" => Style::Numeric,
            "Elements" => Style::Wrapped,
            _ => Style::Plain,
        };
        value.serialize(Self { style, ..self })
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<Items<'a>, NoXml> {
        if self.style == Style::Wrapped {
            self.open();
        }
        Ok(Items(self))
    }

    fn serialize_struct(mut self, _: &'static str, _: usize) -> Result<Fields<'a>, NoXml> {
        self.open();
        Ok(Fields(self))
    }

    impossible! {
        serialize_char(value: char) -> ();
        serialize_bytes(value: &[u8]) -> ();
        serialize_unit_struct(name: &'static str) -> ();
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> ();
        serialize_tuple(len: usize) -> Self::SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Self::SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Self::SerializeStructVariant;
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoXml> {
        Err(NoXml(name.into()))
    }
}

/// The items of a list.
struct Items<'a>(Element<'a>);

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = NoXml;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoXml> {
        let tag = match self.0.style {
            Style::Wrapped => "element",
            _ => self.0.tag,
        };
        value.serialize(Element { text: self.0.text, tag, style: Style::Plain })
    }

    fn end(mut self) -> Result<(), NoXml> {
        if self.0.style == Style::Wrapped {
            self.0.close();
        }
        Ok(())
    }
}

/// The fields of a struct.
struct Fields<'a>(Element<'a>);

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = NoXml;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NoXml> {
        value.serialize(Element { text: self.0.text, tag: key, style: Style::Plain })
    }

    fn end(mut self) -> Result<(), NoXml> {
        self.0.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct Everything {
        text: &'static str,
        native: bool,
        numeric: OcsBool,
        plain: Vec<u8>,
        wrapped: Elements<&'static str>,
        empty: Elements<u8>,
        none: Option<u8>,
        fraction: f32,
    }

    #[test]
    fn the_form_is_that_of_ocs() {
        let value = Everything {
            text: "a<b>&\"'\u{1}é",
            native: true,
            numeric: OcsBool(true),
            plain: vec![1, 2],
            wrapped: Elements(vec!["x", "y"]),
            empty: Elements(Vec::new()),
            none: None,
            fraction: 0.5,
        };
        let text = String::from_utf8(document("ocs", &value).unwrap()).unwrap();
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ocs>\
            <text>a&lt;b&gt;&amp;&quot;&apos;\u{fffd}é</text><native>true</native>\
            <numeric>1</numeric><plain>1</plain><plain>2</plain>\
            <wrapped><element>x</element><element>y</element></wrapped><empty></empty>\
            <fraction>0.5</fraction></ocs>";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_has_no_form_is_an_error() {
        assert!(document("ocs", &std::collections::BTreeMap::from([(1, 2)])).is_err());
    }
}
