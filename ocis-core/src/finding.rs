//! What a check of a storage finds: files that do not fit together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::SpaceId;

/// A group of findings, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Category {
    /// Files and folders, and what describes them.
    Nodes,
    /// The names by which folders list what is in them.
    Links,
    /// Contents.
    Blobs,
    /// Files that refer to contents.
    BlobReferences,
    /// Sizes of folders.
    TreeSizes,
    /// Lists of spaces.
    Indexes,
    /// Who may do what.
    Grants,
    /// Files that nobody needs any more.
    Leftovers,
    /// Uploads under way.
    Uploads,
}

impl Category {
    /// The heading above findings of this group.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Nodes => "Inconsistent Nodes",
            Self::Links => "Inconsistent Links",
            Self::Blobs => "Inconsistent Blobs",
            Self::BlobReferences => "Inconsistent BlobReferences",
            Self::TreeSizes => "Inconsistent TreeSizes",
            Self::Indexes => "Inconsistent Indexes",
            Self::Grants => "Inconsistent Grants",
            Self::Leftovers => "Leftovers",
            Self::Uploads => "Inconsistent Uploads",
        }
    }
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $category:ident, $text:literal;)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Problem {
            $($(#[$doc])* $name,)*
        }

        impl Problem {
            /// The group that it belongs to.
            pub fn category(self) -> Category {
                match self {
                    $(Self::$name => Category::$category,)*
                }
            }

            /// Its name for a person: oCIS's, where oCIS knows it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

problems! {
    /// A space without the node that is its root.
    RootMissing = Nodes, "root missing";
    /// A node without metadata.
    MetadataMissing = Nodes, "metadata missing";
    /// Metadata that cannot be read, or that lacks what every node has.
    MetadataDamaged = Nodes, "malformed file";
    /// Metadata without the file or folder that it describes.
    FilesMissing = Nodes, "files missing";
    /// A node that its parent does not list.
    SymlinkMissing = Nodes, "symlink missing";
    /// A node that is there and in the trash at once.
    InTwoPlaces = Nodes, "in two places";
    /// Something that is no space lies where spaces are.
    NoSpace = Nodes, "no space";
    /// A folder lists a node that does not exist.
    NodeMissing = Links, "node missing";
    /// A folder lists a node that says that it lies elsewhere.
    NodeElsewhere = Links, "node elsewhere";
    /// Something in a folder of the tree that names no node.
    NoLink = Links, "no link";
    /// A content that nothing refers to.
    BlobOrphaned = Blobs, "blob orphaned";
    /// The content of a file or version is not there.
    BlobMissing = BlobReferences, "blob missing";
    /// The content has another length than its file says.
    BlobLength = BlobReferences, "blob of wrong length";
    /// Two files refer to one content.
    BlobShared = BlobReferences, "blob of two nodes";
    /// A folder says another size than that of all below it.
    TreeSize = TreeSizes, "wrong tree size";
    /// A deleted node that the trash does not list.
    TrashLinkMissing = Nodes, "symlink missing";
    /// The trash lists what is not there.
    TrashNodeMissing = Links, "node missing";
    /// An index that cannot be read.
    IndexDamaged = Indexes, "malformed file";
    /// A space that an index does not list.
    IndexEntryMissing = Indexes, "space not listed";
    /// An index lists a space that is not there.
    IndexEntryStale = Indexes, "space missing";
    /// A grant that cannot be read, and so counts for nothing.
    GrantDamaged = Grants, "unreadable grant";
    /// A temporary file that a crash left.
    TemporaryFile = Leftovers, "temporary file";
    /// What was purged is still there, because it is damaged.
    PurgeUnfinished = Leftovers, "purge unfinished";
    /// A lock file of a node that is not there.
    LockOrphaned = Leftovers, "lock without node";
    /// What describes an upload cannot be read.
    UploadDamaged = Uploads, "malformed file";
    /// A file that waits for an upload that does not exist.
    UploadMissing = Uploads, "upload missing";
}

/// What becomes of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// A repair mends it, and how.
    Repairable(String),
    /// A repair mended it, and how.
    Repaired(String),
    /// Somebody has to decide, and what there is to decide.
    Decide(String),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repairable(how) => write!(f, "can be repaired: {how}"),
            Self::Repaired(how) => write!(f, "repaired: {how}"),
            Self::Decide(what) => write!(f, "not repaired: {what}"),
        }
    }
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub problem: Problem,
    /// The space, where it is in one.
    pub space: Option<SpaceId>,
    /// The node: `<id>`, `<id>.T.<time>` in the trash, `<id>.REV.<time>` for a version; or the blob.
    pub node: Option<String>,
    /// The file, relative to the root of the store; of what refers to a content, the content.
    pub path: String,
    /// The other side, relative to the root of the store: the node that a link misses, or that refers
    /// to a content.
    #[serde(default)]
    pub other: Option<String>,
    /// What is there and what should be, for a person.
    pub detail: String,
    /// What becomes of it.
    pub remedy: Remedy,
}

impl Finding {
    /// Whether it is still there: not repaired.
    pub fn is_open(&self) -> bool {
        !matches!(self.remedy, Remedy::Repaired(_))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {} ({})", self.problem.as_str(), self.path, self.detail, self.remedy)
    }
}
