//! A session as it is written down: what survives a restart beside the bytes.

use ocis_core::id::{NodeId, SpaceId, StorageId, UserId};
use ocis_core::port::Conditions;
use ocis_core::time::Timestamp;
use ocis_core::upload::{Scan, SessionId, UploadSession};
use ocis_core::{Caller, Error, Result};
use serde::{Deserialize, Serialize};

use crate::layout::session::{InfoFile, time, time_text};
use crate::store::Prepared;

/// Under this key of `Storage` stands what oCIS has no place for.
const OURS: &str = "Rust";

/// An upload session.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) id: SessionId,
    pub(crate) storage: StorageId,
    /// The place, as it was found when the upload was begun; the blob has the session's id.
    pub(crate) prepared: Prepared,
    /// The path of the folder from the root of the space, with a leading slash.
    pub(crate) folder: String,
    pub(crate) owner: Option<UserId>,
    pub(crate) length: Option<u64>,
    pub(crate) mtime: Option<Timestamp>,
    pub(crate) checksum: Option<ocis_core::checksum::ExpectedChecksum>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) scan: Option<Scan>,
    /// The whole path of the version with the former content, while this one is processed.
    pub(crate) versions_path: Option<String>,
    /// Bytes by which the file became longer.
    pub(crate) size_difference: Option<i64>,
    /// Whether it was written here, and not by oCIS.
    pub(crate) is_ours: bool,
    pub(crate) ours: Ours,
    /// What stands in the file beside all that.
    file: InfoFile,
}

/// What oCIS has no place for, or not an exact one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ours {
    pub(crate) caller: Caller,
    pub(crate) conditions: Conditions,
    pub(crate) metadata: Vec<(String, String)>,
    /// Whether the file was meant by its id.
    #[serde(default)]
    pub(crate) by_id: bool,
    /// Where a chunk began whose checksum was not verified yet: what is behind does not count.
    pub(crate) tentative: Option<u64>,
    /// How far it is.
    pub(crate) stage: Stage,
}

/// How far a session is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Bytes are to come, or the last one could not be answered yet.
    #[default]
    Receiving,
    /// A file shows the content, and steps are to be done before it can be read.
    Processing(Progress),
    /// A step aborted it: the bytes are kept.
    GivenUp(Progress),
}

/// How far the processing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The name of the step that is to be done.
    pub(crate) step: String,
    /// How often it failed.
    pub(crate) failures: u32,
    /// When the content was whole.
    pub(crate) since: Timestamp,
    /// One more each time that it is moved on by hand.
    pub(crate) run: u64,
}

impl Stage {
    /// What becomes of it when a step aborts the upload.
    pub(crate) fn given_up(self) -> Self {
        match self {
            Self::Processing(progress) => Self::GivenUp(progress),
            other => other,
        }
    }
}

impl Saved {
    /// A session that begins.
    pub(crate) fn new(id: SessionId, storage: StorageId, prepared: Prepared, ours: Ours) -> Self {
        Self {
            id,
            storage,
            prepared,
            folder: "/".into(),
            owner: None,
            length: None,
            mtime: None,
            checksum: None,
            expires: None,
            scan: None,
            versions_path: None,
            size_difference: None,
            is_ours: true,
            ours,
            file: InfoFile::default(),
        }
    }

    /// Reads an `.info` file, one of oCIS's as well.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let file = InfoFile::decode(bytes)?;
        let id = SessionId::parse(&file.id)?;
        let need = |key: &str| {
            file.stored(key).ok_or_else(|| {
                Error::internal("the description of an upload is damaged").with("missing", key)
            })
        };
        let ours = file.stored(OURS).and_then(|text| serde_json::from_str(text).ok());
        let is_ours = ours.is_some();
        let ours = match ours {
            Some(ours) => ours,
            None => Ours {
                caller: file.caller()?,
                conditions: file.conditions(),
                metadata: Vec::new(),
                by_id: false,
                tentative: None,
                stage: Stage::Receiving,
            },
        };
        let prepared = Prepared {
            space: SpaceId::parse(need("SpaceRoot")?)?,
            parent: NodeId::parse(need("NodeParentId")?)?,
            name: need("NodeName")?.to_owned(),
            node: NodeId::parse(need("NodeId")?)?,
            exists: file.stored("NodeExists") == Some("true"),
            blob: id.clone(),
            by_id: ours.by_id,
        };
        let scanned = file.told("scanDate").and_then(|text| text.parse().ok());
        Ok(Self {
            storage: StorageId::parse(file.told("providerID").unwrap_or("none"))?,
            prepared,
            folder: file.stored("Dir").unwrap_or("/").to_owned(),
            owner: file.stored("SpaceOwnerOrManager").and_then(|id| id.parse().ok()),
            length: (!file.size_is_deferred).then_some(file.size),
            mtime: file.told("mtime").and_then(time),
            checksum: file.told("checksum").and_then(|text| text.parse().ok()),
            expires: file.told("expires").and_then(time),
            scan: scanned.map(|time| Scan {
                time,
                found: file.told("scanResult").unwrap_or_default().to_owned(),
            }),
            versions_path: file.told("versionsPath").map(str::to_owned),
            size_difference: file.told("sizeDiff").and_then(|text| text.parse().ok()),
            is_ours,
            ours,
            id,
            file,
        })
    }

    /// The bytes of the `.info` file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut file = self.file.clone();
        file.id = self.id.to_string();
        file.size = self.length.unwrap_or(0);
        file.size_is_deferred = self.length.is_none();
        let Prepared { space, parent, name, node, exists, .. } = &self.prepared;
        file.tell("filename", Some(name.clone()));
        file.tell("dir", Some(self.folder.clone()));
        file.tell("providerID", Some(self.storage.to_string()));
        file.tell("mtime", self.mtime.map(time_text));
        file.tell("expires", self.expires.map(time_text));
        file.tell("checksum", self.checksum.as_ref().map(ToString::to_string));
        file.tell("scanResult", self.scan.as_ref().map(|scan| scan.found.clone()));
        file.tell("scanDate", self.scan.as_ref().map(|scan| scan.time.to_string()));
        file.tell("versionsPath", self.versions_path.clone());
        file.tell("sizeDiff", self.size_difference.map(|size| size.to_string()));
        file.set_conditions(&self.ours.conditions);
        file.store("Type", "OCISStore");
        file.store("NodeName", name);
        file.store("Dir", &self.folder);
        file.store("SpaceRoot", space.as_str());
        let owner = self.owner.as_ref().map(ToString::to_string);
        file.store("SpaceOwnerOrManager", owner.unwrap_or_default());
        file.store("NodeId", node.as_str());
        file.store("NodeParentId", parent.as_str());
        if *exists {
            file.store("NodeExists", "true");
        }
        // What oCIS knows of the person who began it there is more than we do.
        if file.stored("UserId").is_none() {
            file.set_caller(&self.ours.caller);
        }
        // Texts, numbers and lists are always JSON.
        file.store(OURS, serde_json::to_string(&self.ours).unwrap_or_default());
        file.encode()
    }

    /// As callers see it, with so many bytes there.
    pub(crate) fn view(&self, offset: u64) -> UploadSession {
        UploadSession {
            id: self.id.clone(),
            space: self.prepared.space.clone(),
            node: self.prepared.node.clone(),
            name: self.prepared.name.clone(),
            offset,
            length: self.length,
            executant: self.ours.caller.identity().ok().map(|person| person.id.clone()),
            space_owner: self.owner.clone(),
            expires: self.expires,
            processing: self.step(offset),
            scan: self.scan.clone(),
            metadata: self.ours.metadata.clone(),
        }
    }

    /// The step that it is in. Of oCIS's sessions it is not known which; they are processed when all
    /// bytes are there and no virus scan was made, as oCIS says itself.
    fn step(&self, offset: u64) -> Option<String> {
        match &self.ours.stage {
            Stage::Processing(progress) => Some(progress.step.clone()),
            Stage::GivenUp(_) => None,
            Stage::Receiving => {
                let is_theirs = !self.is_ours && self.length == Some(offset) && self.scan.is_none();
                is_theirs.then(String::new)
            }
        }
    }

    /// Whether its time is over.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Refuses with `NotFound` unless the caller may know of it.
    pub(crate) fn of(&self, caller: &Caller) -> Result<()> {
        let is_theirs = match caller {
            Caller::Service(_) => true,
            Caller::User(person) => {
                self.ours.caller.identity().is_ok_and(|executant| executant.id == person.id)
            }
            Caller::Anonymous => false,
        };
        if is_theirs { Ok(()) } else { Err(gone()) }
    }
}

/// The error for a session that is not there, or not the caller's.
pub(crate) fn gone() -> Error {
    Error::not_found("there is no such upload")
}
