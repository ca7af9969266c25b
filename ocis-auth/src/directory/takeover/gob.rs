//! Reading Go's gob encoding (package encoding/gob), as far as structures of texts and lists go.
//!
//! A gob is a row of messages, each with its length: definitions of types, which are values of
//! types known beforehand, and then the value. Every length is checked against what is left, and
//! the depth is bounded: hostile bytes are an error and never more.

use std::collections::HashMap;

use super::Broken;

/// How deep values may nest; an entry of the directory needs four.
const MAX_DEPTH: usize = 16;

/// A value. Numbers are read where types are defined and are of no use otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    /// Fields by name; those with Go's zero value are left out.
    Fields(Vec<(String, Self)>),
}

impl Value {
    /// The field of a structure with this name.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Fields(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The text, when it is one in UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Type {
    Struct(Vec<(String, i64)>),
    Slice(i64),
}

const BOOL: i64 = 1;
const INT: i64 = 2;
const UINT: i64 = 3;
const BYTES: i64 = 5;
const STRING: i64 = 6;
const WIRE_TYPE: i64 = 16;
const ARRAY_TYPE: i64 = 17;
const COMMON_TYPE: i64 = 18;
const SLICE_TYPE: i64 = 19;
const STRUCT_TYPE: i64 = 20;
const FIELD_TYPE: i64 = 21;
const FIELD_TYPES: i64 = 22;
const MAP_TYPE: i64 = 23;

/// The types that types are defined with.
fn known_types() -> HashMap<i64, Type> {
    let fields = |fields: &[(&str, i64)]| {
        Type::Struct(fields.iter().map(|(name, id)| ((*name).to_owned(), *id)).collect())
    };
    HashMap::from([
        (
            WIRE_TYPE,
            fields(&[
                ("Array", ARRAY_TYPE),
                ("Slice", SLICE_TYPE),
                ("Struct", STRUCT_TYPE),
                ("Map", MAP_TYPE),
            ]),
        ),
        (ARRAY_TYPE, fields(&[("Common", COMMON_TYPE), ("Elem", INT), ("Len", INT)])),
        (COMMON_TYPE, fields(&[("Name", STRING), ("Id", INT)])),
        (SLICE_TYPE, fields(&[("Common", COMMON_TYPE), ("Elem", INT)])),
        (STRUCT_TYPE, fields(&[("Common", COMMON_TYPE), ("Field", FIELD_TYPES)])),
        (FIELD_TYPE, fields(&[("Name", STRING), ("Id", INT)])),
        (FIELD_TYPES, Type::Slice(FIELD_TYPE)),
        (MAP_TYPE, fields(&[("Common", COMMON_TYPE), ("Key", INT), ("Elem", INT)])),
    ])
}

/// The first value of a gob.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Broken> {
    let mut types = known_types();
    let mut rest = Reader { bytes };
    while !rest.bytes.is_empty() {
        let length = rest.length()?;
        let mut message = Reader { bytes: rest.take(length)? };
        let id = message.int()?;
        if id >= 0 {
            if !matches!(types.get(&id), Some(Type::Struct(_))) {
                // What is no structure has a zero before it.
                message.uint()?;
            }
            return message.value(id, &types, MAX_DEPTH);
        }
        let wire = message.value(WIRE_TYPE, &types, MAX_DEPTH)?;
        let id = id.checked_neg().filter(|id| *id > MAP_TYPE).ok_or(ODD)?;
        types.insert(id, defined(&wire)?);
    }
    Err(Broken("an entry has no value"))
}

fn defined(wire: &Value) -> Result<Type, Broken> {
    let id = |value: &Value, name| value.field(name).and_then(Value::number).ok_or(ODD);
    if let Some(slice) = wire.field("Slice") {
        return Ok(Type::Slice(id(slice, "Elem")?));
    }
    let fields = wire.field("Struct").ok_or(Broken("an entry has a type that is not known"))?;
    let fields = fields.field("Field").map(Value::items).unwrap_or_default();
    let named = |field: &Value| {
        let name = field.field("Name").and_then(Value::text).ok_or(ODD)?;
        Ok((name.to_owned(), id(field, "Id")?))
    };
    fields.iter().map(named).collect::<Result<_, _>>().map(Type::Struct)
}

const ODD: Broken = Broken("an entry is not in the form that is expected");
const CUT: Broken = Broken("an entry ends in the middle");

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(CUT)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// A number below 128 is one byte; before a larger one stands, negated, how many bytes it has.
    fn uint(&mut self) -> Result<u64, Broken> {
        let first = self.take(1)?.first().copied().ok_or(CUT)?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let length = usize::from(first.wrapping_neg());
        if length > size_of::<u64>() {
            return Err(ODD);
        }
        Ok(self.take(length)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// The lowest bit tells whether the others are inverted.
    fn int(&mut self) -> Result<i64, Broken> {
        let number = self.uint()?;
        let half = i64::try_from(number >> 1).map_err(|_| ODD)?;
        Ok(if number & 1 == 0 { half } else { !half })
    }

    /// A number of bytes or items, each of at least a byte: no more than are left.
    fn length(&mut self) -> Result<usize, Broken> {
        let length = usize::try_from(self.uint()?).map_err(|_| CUT)?;
        if length > self.bytes.len() { Err(CUT) } else { Ok(length) }
    }

    fn value(
        &mut self,
        id: i64,
        types: &HashMap<i64, Type>,
        depth: usize,
    ) -> Result<Value, Broken> {
        let depth = depth.checked_sub(1).ok_or(Broken("an entry is too deep"))?;
        match id {
            BOOL | UINT => i64::try_from(self.uint()?).map(Value::Number).map_err(|_| ODD),
            INT => self.int().map(Value::Number),
            BYTES | STRING => {
                let length = self.length()?;
                Ok(Value::Bytes(self.take(length)?.to_vec()))
            }
            _ => match types.get(&id).ok_or(ODD)? {
                Type::Slice(item) => {
                    let length = self.length()?;
                    let items = (0..length).map(|_| self.value(*item, types, depth));
                    items.collect::<Result<_, _>>().map(Value::List)
                }
                Type::Struct(fields) => self.fields(fields, types, depth),
            },
        }
    }

    /// Before each field stands how far it is from the one before; a zero ends them.
    fn fields(
        &mut self,
        fields: &[(String, i64)],
        types: &HashMap<i64, Type>,
        depth: usize,
    ) -> Result<Value, Broken> {
        let (mut found, mut next) = (Vec::new(), 0_usize);
        loop {
            let step = usize::try_from(self.uint()?).map_err(|_| ODD)?;
            if step == 0 {
                return Ok(Value::Fields(found));
            }
            next = next.checked_add(step).ok_or(ODD)?;
            let (name, id) = fields.get(next - 1).ok_or(ODD)?;
            found.push((name.clone(), self.value(*id, types, depth)?));
        }
    }
}
