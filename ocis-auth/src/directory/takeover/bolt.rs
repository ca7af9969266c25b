//! Reading a BoltDB file (go.etcd.io/bbolt, format version 2): pages, buckets, keys and values.
//!
//! Read only, from bytes in memory, every offset checked: a damaged file is an error and never
//! more. A page is 16 bytes of header (id, kind, number of elements, number of further pages) and
//! its elements; two meta pages at the start name the root, the one with the higher transaction and
//! a right checksum counts.

use std::collections::BTreeMap;

use super::Broken;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
const HEADER: usize = 16;
const ELEMENT: usize = 16;
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// The flag of an element whose value is a bucket.
const IS_BUCKET: u32 = 0x01;
/// The bytes of a meta page that its checksum is over.
const CHECKED: usize = 56;

/// A database.
pub(super) struct Bolt<'a> {
    bytes: &'a [u8],
    page_size: usize,
    root: u64,
}

/// One key with its value; `bucket` when the value is one.
struct Element<'a> {
    key: &'a [u8],
    value: &'a [u8],
    bucket: bool,
}

impl<'a> Bolt<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Broken> {
        // The second meta page lies a page further, and only a meta page tells how long a page is.
        let sizes = std::iter::successors(Some(1024), |size| Some(size * 2)).take(7);
        let places = std::iter::once(0).chain(sizes);
        let metas =
            places.filter_map(|at| meta(bytes, at).filter(|meta| at == 0 || at == meta.page_size));
        let meta = metas.max_by_key(|meta| meta.transaction);
        let meta = meta.ok_or(Broken("there is no valid meta page"))?;
        Ok(Self { bytes, page_size: meta.page_size, root: meta.root })
    }

    /// The keys and values of the bucket `name` at the top.
    pub(super) fn bucket(&self, name: &str) -> Result<BTreeMap<&'a [u8], &'a [u8]>, Broken> {
        let top = self.elements(Start::Page(self.root))?;
        let found =
            top.into_iter().find(|element| element.bucket && element.key == name.as_bytes());
        let bucket = found.ok_or(Broken("a bucket is missing"))?.value;
        let start = match u64_at(bucket, 0)? {
            // A small bucket stands inside of the value, as a page of its own.
            0 => Start::Inline(bucket.get(HEADER..).ok_or(CUT)?),
            page => Start::Page(page),
        };
        Ok(self.elements(start)?.into_iter().map(|element| (element.key, element.value)).collect())
    }

    fn elements(&self, start: Start<'a>) -> Result<Vec<Element<'a>>, Broken> {
        let mut found = Vec::new();
        // No page of a tree is visited twice, so there are no more of them than pages in the file.
        let mut budget = self.bytes.len() / self.page_size + 1;
        let mut waiting = vec![start];
        while let Some(next) = waiting.pop() {
            let page = match next {
                Start::Inline(page) => page,
                Start::Page(id) => self.page(id)?,
            };
            let count = usize::from(u16_at(page, 10)?);
            match u16_at(page, 8)? {
                LEAF => {
                    for index in 0..count {
                        found.push(leaf(page, HEADER + index * ELEMENT)?);
                    }
                }
                BRANCH => {
                    budget = budget.checked_sub(count).ok_or(Broken("its pages go in circles"))?;
                    for index in 0..count {
                        let at = HEADER + index * ELEMENT;
                        waiting.push(Start::Page(u64_at(page, at + 8)?));
                    }
                }
                _ => return Err(Broken("a page is of an unknown kind")),
            }
        }
        Ok(found)
    }

    /// A page with those that continue it.
    fn page(&self, id: u64) -> Result<&'a [u8], Broken> {
        let page = usize::try_from(id).ok().and_then(|id| id.checked_mul(self.page_size));
        let rest = page.and_then(|at| self.bytes.get(at..)).ok_or(CUT)?;
        if u64_at(rest, 0)? != id {
            return Err(Broken("a page is not where it says"));
        }
        let further = usize::try_from(u32_at(rest, 12)?).map_err(|_| CUT)?;
        let length = further.checked_add(1).and_then(|pages| pages.checked_mul(self.page_size));
        length.and_then(|length| rest.get(..length)).ok_or(CUT)
    }
}

/// Where a tree of pages begins.
enum Start<'a> {
    Page(u64),
    Inline(&'a [u8]),
}

struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

/// The meta page at this offset; none when it is none, or half written.
fn meta(bytes: &[u8], at: usize) -> Option<Meta> {
    let page = bytes.get(at.checked_add(HEADER)?..)?;
    let checked = page.get(..CHECKED)?;
    let right = u32_at(page, 0).ok()? == MAGIC
        && u32_at(page, 4).ok()? == VERSION
        && u64_at(page, CHECKED).ok()? == fnv(checked);
    let page_size = usize::try_from(u32_at(page, 8).ok()?).ok()?;
    if !right || !(1024..=64 * 1024).contains(&page_size) || !page_size.is_power_of_two() {
        return None;
    }
    Some(Meta { page_size, root: u64_at(page, 16).ok()?, transaction: u64_at(page, 48).ok()? })
}

fn leaf(page: &[u8], at: usize) -> Result<Element<'_>, Broken> {
    let number = |offset| u32_at(page, at + offset).map(|number| number as usize);
    let (flags, position) = (u32_at(page, at)?, number(4)?);
    let key_at = at.checked_add(position).ok_or(CUT)?;
    let value_at = key_at.checked_add(number(8)?).ok_or(CUT)?;
    let end = value_at.checked_add(number(12)?).ok_or(CUT)?;
    Ok(Element {
        key: page.get(key_at..value_at).ok_or(CUT)?,
        value: page.get(value_at..end).ok_or(CUT)?,
        bucket: flags & IS_BUCKET != 0,
    })
}

const CUT: Broken = Broken("it ends in the middle");

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Broken> {
    let end = at.checked_add(N).ok_or(CUT)?;
    bytes.get(at..end).and_then(|slice| slice.try_into().ok()).ok_or(CUT)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Broken> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Broken> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Broken> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// FNV-1a with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
