//! The changes that are cut, one after the other.

use ocis_core::Result;
use ocis_core::port::{Conditions, Nodes, SetMetadata, Touch, Unlock};

use crate::world::{World, me};

pub(crate) const LARGE: usize = 70_000;

macro_rules! ops {
    ($($op:ident,)*) => {
        /// A change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Op {
            $($op,)*
        }

        /// All of them.
        pub(crate) const ALL: &[Op] = &[$(Op::$op,)*];
    };
}

ops! {
    CreateSpace,
    CreateFolder,
    Touch,
    UploadInline,
    UploadStaged,
    Overwrite,
    OverwriteStaged,
    Rename,
    RenameOver,
    DeleteFile,
    DeleteFolder,
    CopyDeep,
    CopyOver,
    SetMetadata,
    Lock,
    Unlock,
    CreateProject,
    UpdateSpace,
    DisableSpace,
    RestoreSpace,
    PurgeSpace,
    AddMember,
    RemoveMember,
    Share,
    Tag,
    MoveAway,
}

impl World {
    /// What is there before every operation; gives the token of a lock.
    pub(crate) async fn prepare(&self, op: Op) -> String {
        self.home("einstein").await.unwrap();
        self.mkdir("d").await.unwrap();
        self.put("d/x", b"x").await.unwrap();
        self.put("f", b"old").await.unwrap();
        if op == Op::CopyDeep {
            self.mkdir("d/e").await.unwrap();
            self.put("d/e/y", b"yy").await.unwrap();
        }
        self.prepare_spaces(op).await;
        if op == Op::Unlock { self.lock("f").await.unwrap() } else { String::new() }
    }

    pub(crate) async fn run(&self, op: Op, token: String) -> Result<()> {
        match op {
            Op::CreateSpace => self.home("marie").await,
            Op::CreateFolder => self.mkdir("d/new").await,
            Op::Touch => {
                let request = Touch { target: me("d/t"), conditions: Conditions::default() };
                self.driver.touch(&self.cx, request).await.map(drop)
            }
            Op::UploadInline => self.put("d/i", b"inline").await,
            Op::UploadStaged => self.put("d/s", &[7; LARGE]).await,
            Op::Overwrite => self.put("f", b"newer").await,
            Op::OverwriteStaged => self.put("f", &[8; LARGE]).await,
            Op::Rename => self.rename("d/x", "r").await,
            Op::RenameOver => self.rename("f", "d").await,
            Op::DeleteFile => self.delete("d/x").await,
            Op::DeleteFolder => self.delete("d").await,
            Op::CopyDeep => self.copy("d", "c").await,
            Op::CopyOver => self.copy("d", "f").await,
            Op::SetMetadata => {
                let request = SetMetadata {
                    target: me("d/x"),
                    set: vec![("key".into(), "value".into())],
                    unset: Vec::new(),
                    mtime: Some(self.cx.now),
                    favorite: Some(true),
                    conditions: Conditions::default(),
                };
                self.driver.set_metadata(&self.cx, request).await.map(drop)
            }
            Op::Lock => self.lock("d/x").await.map(drop),
            Op::Unlock => self.driver.unlock(&self.cx, Unlock { target: me("f"), token }).await,
            _ => self.run_spaces(op).await,
        }
    }
}
