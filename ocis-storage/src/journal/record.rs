//! What stands in the journal: redo records, framed so that a torn end is seen.

use ocis_core::event::Event;
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One change, whole: what becomes of which files, in order. Applying it a second time, also after
/// later records, leaves the same files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The number of the change; one more than that of the change before.
    pub(crate) lsn: u64,
    /// What becomes of files. Paths are relative to the root of the store.
    pub(crate) actions: Vec<Action>,
    /// What becomes of the folders above the changed nodes, as absolute values.
    pub(crate) ancestors: Vec<Ancestor>,
    /// What is told of the change once it is durable.
    #[serde(default, with = "told")]
    pub(crate) events: Vec<Event>,
}

/// One step of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// A folder is there, and those above it.
    Folder(String),
    /// A file has this content.
    Put(String, #[serde(with = "serde_bytes")] Vec<u8>),
    /// A symbolic link has this target.
    Link(String, String),
    /// A file or symbolic link is gone.
    Remove(String),
    /// A file or folder has another name, unless that was done before.
    Rename(String, String),
    /// A blob has this content.
    Blob(SpaceId, BlobId, #[serde(with = "serde_bytes")] Vec<u8>),
    /// A blob is gone.
    DropBlob(SpaceId, BlobId),
    /// The staged file of a blob is gone: the blob belongs to a file now.
    Unstage(SpaceId, BlobId),
    /// A file's content was written at this time.
    Modified(String, Timestamp),
    /// A folder is gone, and the symbolic links in it.
    RemoveFolder(String),
    /// The folders above a path are gone up to the first that something else is in.
    Prune(String),
    /// An index holds this space under this value.
    Index(String, SpaceId, String),
    /// An index does not hold this space.
    Unindex(String, SpaceId),
    /// An empty folder is gone; one that is not empty stays.
    RemoveEmpty(String),
}

impl Action {
    /// Some more bytes than it has when it is written.
    fn length(&self) -> usize {
        let texts = match self {
            Self::Folder(path)
            | Self::Remove(path)
            | Self::Modified(path, _)
            | Self::RemoveFolder(path)
            | Self::Prune(path)
            | Self::RemoveEmpty(path) => path.len(),
            Self::Put(path, content) => path.len() + content.len(),
            Self::Link(one, other) | Self::Rename(one, other) => one.len() + other.len(),
            Self::Blob(space, blob, content) => {
                space.as_str().len() + blob.as_str().len() + content.len()
            }
            Self::DropBlob(space, blob) | Self::Unstage(space, blob) => {
                space.as_str().len() + blob.as_str().len()
            }
            Self::Index(path, space, value) => path.len() + space.as_str().len() + value.len(),
            Self::Unindex(path, space) => path.len() + space.as_str().len(),
        };
        texts + 64
    }
}

/// The change time and size of a folder above a changed node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ancestor {
    pub(crate) space: SpaceId,
    pub(crate) node: NodeId,
    pub(crate) mtime: Timestamp,
    pub(crate) size: u64,
}

impl Record {
    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.ancestors.is_empty() && self.events.is_empty()
    }

    /// Whether it may be longer than [`next`] takes: what is read back as the end of the journal must
    /// not be written.
    pub(crate) fn is_too_long(&self) -> bool {
        self.most() > (MAX_RECORD / 4 * 3) as usize
    }

    /// The bytes that it has at most when it is written, but for a few events.
    fn most(&self) -> usize {
        // Not worth the time: each names three paths at most.
        const FEW: usize = 64;
        let told = |event: &Event| serde_json::to_string(event).map_or(0, |text| text.len());
        let events: usize = match self.events.len() {
            0..=FEW => 0,
            _ => self.events.iter().map(told).sum(),
        };
        let steps: usize = self.actions.iter().map(Action::length).sum();
        steps + events + (1 + self.ancestors.len() + self.events.len()) * 512
    }
}

/// Events are texts of their own inside a record: one that this version cannot read must not make
/// the change unreadable that it tells of.
mod told {
    use ocis_core::event::Event;
    use serde::ser::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(events: &[Event], to: S) -> Result<S::Ok, S::Error> {
        let texts: Result<Vec<_>, _> = events.iter().map(serde_json::to_string).collect();
        texts.map_err(S::Error::custom)?.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Event>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let read = texts.iter().filter_map(|text| {
            serde_json::from_str(text)
                .inspect_err(|error| tracing::error!(%error, text, "an event is left out"))
                .ok()
        });
        Ok(read.collect())
    }
}

const HEADER: usize = 8;
/// No record is longer: it holds one small content and a few files of metadata.
const MAX_RECORD: u32 = 256 * 1024 * 1024;

/// Appends the frame of a record: length, CRC-32 of the payload, payload. Little endian.
pub(crate) fn frame(record: &Record, out: &mut Vec<u8>) -> Result<(), rmp_serde::encode::Error> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    record.serialize(&mut rmp_serde::Serializer::new(&mut *out))?;
    let payload = out.get(start + HEADER..).unwrap_or_default();
    let (length, sum) = (payload.len() as u32, crc32fast::hash(payload));
    for (place, byte) in
        out.iter_mut().skip(start).zip(length.to_le_bytes().into_iter().chain(sum.to_le_bytes()))
    {
        *place = byte;
    }
    Ok(())
}

/// Reads the next record; none at the end, or where what follows was not written whole.
pub(crate) fn next(bytes: &mut &[u8]) -> Option<Record> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == 0 || length > MAX_RECORD {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(length as usize)?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*sum) {
        return None;
    }
    *bytes = rest;
    rmp_serde::from_slice(payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::event::{EventKind, NodeRef};
    use ocis_core::path::SpacePath;
    use ocis_core::{Caller, Cx};

    fn touched() -> Event {
        let cx = Cx::new(Caller::Anonymous, Timestamp::from_unix(1, 2).unwrap());
        let (id, path) = ("s$p!n".parse().unwrap(), SpacePath::parse("a/b").unwrap());
        let node = NodeRef { id, parent: None, path, space_owner: None };
        Event::new(&cx, EventKind::FileTouched { node })
    }

    #[test]
    fn a_record_without_events_is_read_and_one_with_unknown_events_too() {
        #[derive(Serialize)]
        struct Other(u64, Vec<Action>, Vec<Ancestor>);
        let old = rmp_serde::to_vec(&Other(7, vec![Action::Remove("b".into())], vec![])).unwrap();
        let record: Record = rmp_serde::from_slice(&old).unwrap();
        assert_eq!(record.actions, [Action::Remove("b".into())]);
        assert_eq!(record.events, []);

        #[derive(Serialize)]
        struct Newer(u64, Vec<Action>, Vec<Ancestor>, Vec<String>);
        let known = touched();
        let text = serde_json::to_string(&known).unwrap();
        let unknown = text.replace("FileTouched", "FilePainted");
        let newer = rmp_serde::to_vec(&Newer(7, vec![], vec![], vec![unknown, text])).unwrap();
        assert_eq!(rmp_serde::from_slice::<Record>(&newer).unwrap().events, [known]);
    }

    #[test]
    fn what_could_not_be_read_back_is_too_long() {
        let put = |bytes: usize| Action::Put("a".into(), vec![0; bytes]);
        let of = |action: Action| Record { actions: vec![action], ..Record::default() };
        assert!(!of(put(100 << 20)).is_too_long());
        assert!(of(put(MAX_RECORD as usize)).is_too_long());
        let (space, blob) = (SpaceId::random(), BlobId::random());
        let path = || "x".repeat(500);
        let actions = vec![
            Action::Folder(path()),
            put(1000),
            Action::Link(path(), path()),
            Action::Remove(path()),
            Action::Rename(path(), path()),
            Action::Blob(space.clone(), blob.clone(), vec![1; 1000]),
            Action::DropBlob(space.clone(), blob.clone()),
            Action::Unstage(space.clone(), blob),
            Action::Modified(path(), Timestamp::from_unix(1, 2).unwrap()),
            Action::RemoveFolder(path()),
            Action::Prune(path()),
            Action::Index(path(), space.clone(), path()),
            Action::Unindex(path(), space),
            Action::RemoveEmpty(path()),
        ];
        let steps = Record { actions, ..Record::default() };
        let told = Record { events: vec![touched(); 100], ..Record::default() };
        for record in [steps, told] {
            let mut bytes = Vec::new();
            frame(&record, &mut bytes).unwrap();
            assert!(bytes.len() <= record.most(), "{} {}", bytes.len(), record.most());
        }
    }

    #[test]
    fn a_torn_end_is_no_record() {
        let record = Record {
            lsn: 7,
            actions: vec![Action::Put("a".into(), vec![1; 100]), Action::Remove("b".into())],
            ancestors: Vec::new(),
            events: vec![touched()],
        };
        let mut bytes = Vec::new();
        frame(&record, &mut bytes).unwrap();
        let whole = bytes.len();
        frame(&record, &mut bytes).unwrap();
        for cut in whole..bytes.len() {
            let mut rest = &bytes[..cut];
            assert_eq!(next(&mut rest).unwrap(), record);
            assert_eq!(next(&mut rest), None, "cut at {cut}");
        }
        for flip in whole..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[flip] ^= 1;
            let mut rest = &damaged[whole..];
            assert_eq!(next(&mut rest), None, "flipped at {flip}");
        }
    }
}
