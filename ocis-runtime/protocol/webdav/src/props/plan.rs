//! Which properties an answer holds, and one `response` element after the other.

use ocis_core::node::Node;

use crate::props::{Facts, Live};
use crate::xml::propfind::Wanted;
use crate::xml::{Name, value, write};

/// A property of the plan.
#[derive(Debug)]
struct Slot {
    source: Source,
    open: String,
    close: String,
}

/// Where its value comes from.
#[derive(Debug)]
enum Source {
    Live(Live),
    /// What a client stored, under this key.
    Stored(String),
}

impl Slot {
    fn new(name: &Name) -> Self {
        let (open, close) = write::tags(name);
        let source = Live::find(name).map_or_else(|| Source::Stored(name.key()), Source::Live);
        Self { source, open, close }
    }

    /// Appends the value; false when the node has none.
    fn write(&self, out: &mut Vec<u8>, node: &Node, facts: &Facts) -> bool {
        match &self.source {
            Source::Live(live) => live.write(out, node, facts),
            Source::Stored(key) => match node.info.metadata.get(key) {
                Some(stored) => {
                    value::write(out, stored);
                    true
                }
                None => false,
            },
        }
    }
}

/// Which properties are wanted, ready to be written for any number of nodes.
#[derive(Debug)]
pub(crate) struct Plan {
    slots: Vec<Slot>,
    /// Whether everything that clients stored is wanted as well.
    stored: bool,
    /// Whether names are wanted instead of values.
    names: bool,
    /// Whether properties that a node does not have are named.
    name_missing: bool,
    /// How many slots of the plan, from the first, are never named when missing.
    silent: usize,
    /// Scratch: the slots that the node at hand does not have.
    missing: Vec<usize>,
}

impl Plan {
    /// Works out a request.
    pub(crate) fn new(wanted: &Wanted, minimal: bool) -> Self {
        let mut slots: Vec<Slot> = Vec::new();
        let mut silent = 0;
        let (stored, names) = match wanted {
            Wanted::All(more) => {
                slots.extend(
                    Live::EVERY
                        .iter()
                        .filter(|live| live.is_common())
                        .map(|live| Slot::new(&live.name())),
                );
                silent = slots.len();
                for name in more {
                    let slot = Slot::new(name);
                    let is_new = match &slot.source {
                        Source::Live(live) => !live.is_common(),
                        Source::Stored(_) => false,
                    };
                    if is_new {
                        slots.push(slot);
                    }
                }
                (true, false)
            }
            Wanted::Names => {
                slots.extend(Live::EVERY.iter().map(|live| Slot::new(&live.name())));
                silent = slots.len();
                (true, true)
            }
            Wanted::These(list) => {
                slots.extend(list.iter().map(Slot::new));
                (false, false)
            }
        };
        Self { slots, stored, names, name_missing: !minimal, silent, missing: Vec::new() }
    }

    /// Whether this property is in the plan.
    pub(crate) fn wants(&self, live: Live) -> bool {
        self.slots.iter().any(|slot| matches!(slot.source, Source::Live(other) if other == live))
    }

    /// Appends the `response` of one node. `href` is its path, percent-encoded and escaped.
    pub(crate) fn response(&mut self, out: &mut Vec<u8>, href: &[u8], node: &Node, facts: &Facts) {
        write::raw(out, "<d:response><d:href>");
        out.extend_from_slice(href);
        write::raw(out, "</d:href>");
        let start = out.len();
        write::raw(out, "<d:propstat><d:prop>");
        let empty = out.len();
        let mut missing = std::mem::take(&mut self.missing);
        missing.clear();
        for (index, slot) in self.slots.iter().enumerate() {
            let before = out.len();
            write::raw(out, &slot.open);
            let inside = out.len();
            if slot.write(out, node, facts) {
                if self.names {
                    out.truncate(inside);
                }
                write::raw(out, &slot.close);
            } else {
                out.truncate(before);
                if index >= self.silent && self.name_missing {
                    missing.push(index);
                }
            }
        }
        if self.stored {
            stored(out, node, self.names);
        }
        // A file on its way through postprocessing has properties, but they are not its last word.
        let processing = node.info.processing.is_some();
        if out.len() == empty && !missing.is_empty() && !processing {
            out.truncate(start);
        } else {
            let status = if processing { "425 TOO EARLY" } else { "200 OK" };
            end_propstat(out, status);
        }
        if !missing.is_empty() && !processing {
            write::raw(out, "<d:propstat><d:prop>");
            for slot in missing.iter().filter_map(|index| self.slots.get(*index)) {
                write::raw(out, &slot.open);
                write::raw(out, &slot.close);
            }
            end_propstat(out, "404 Not Found");
        }
        write::raw(out, "</d:response>");
        self.missing = missing;
    }
}

fn end_propstat(out: &mut Vec<u8>, status: &str) {
    write::raw(out, "</d:prop><d:status>HTTP/1.1 ");
    write::raw(out, status);
    write::raw(out, "</d:status></d:propstat>");
}

/// Appends everything that clients stored, and their names alone when those are wanted.
fn stored(out: &mut Vec<u8>, node: &Node, names: bool) {
    for (key, stored) in &node.info.metadata {
        let Some(name) = Name::from_key(key) else { continue };
        if Live::find(&name).is_some() {
            continue;
        }
        let (open, close) = write::tags(&name);
        write::raw(out, &open);
        if !names {
            value::write(out, stored);
        }
        write::raw(out, &close);
    }
}
