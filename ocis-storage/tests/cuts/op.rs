//! The changes that are cut, one after the other.

use std::time::Duration;

use ocis_core::Result;
use ocis_core::lock::LockScope;
use ocis_core::port::{Conditions, LockNode, Nodes, SetMetadata, Touch, Unlock};
use ocis_core::trash::Collision;

use crate::world::{World, at};

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
    RestoreTrash,
    RestoreFolder,
    RestoreOver,
    RestoreChild,
    PurgeItem,
    PurgeChild,
    PurgeFolder,
    PurgeAll,
    RestoreVersion,
    PurgeVersions,
}

impl Op {
    /// Whether it is done in steps, each of which is whole: what a cut leaves lies in between.
    pub(crate) fn is_stepwise(self) -> bool {
        matches!(self, Self::PurgeChild)
    }
}

impl World {
    /// What is there before every operation; gives the token of a lock.
    pub(crate) async fn prepare(&self, op: Op) -> String {
        self.home("einstein").await.unwrap();
        self.mkdir("d").await.unwrap();
        self.put("d/x", b"x").await.unwrap();
        self.put("f", b"old").await.unwrap();
        let is_deep = matches!(
            op,
            Op::CopyDeep | Op::RestoreFolder | Op::RestoreChild | Op::PurgeChild | Op::PurgeFolder
        );
        if is_deep {
            self.mkdir("d/e").await.unwrap();
            self.put("d/e/y", b"yy").await.unwrap();
        }
        self.prepare_spaces(op).await;
        match op {
            Op::Unlock => self.lock("f").await.unwrap(),
            Op::RestoreTrash | Op::RestoreOver => self.deleted("d/x").await,
            Op::RestoreFolder | Op::PurgeFolder => self.deleted("d").await,
            Op::RestoreChild => format!("{}/e/y", self.deleted("d").await),
            Op::PurgeChild => format!("{}/e", self.deleted("d").await),
            Op::PurgeItem => {
                self.put("f", b"newer").await.unwrap();
                self.deleted("f").await
            }
            Op::PurgeAll => {
                self.deleted("f").await;
                self.deleted("d").await
            }
            Op::RestoreVersion | Op::PurgeVersions => {
                self.put("f", b"newer").await.unwrap();
                self.put("f", &[9; LARGE]).await.unwrap();
                self.versions("f").await.unwrap()[1].key.clone()
            }
            _ => String::new(),
        }
    }

    async fn lock(&self, path: &str) -> Result<String> {
        let request = LockNode {
            target: at(path),
            scope: LockScope::Exclusive,
            deep: true,
            owner: None,
            app_name: String::new(),
            expires: Some(self.cx.now.plus(Duration::from_secs(600))),
            create: true,
            conditions: Conditions::default(),
        };
        Ok(self.driver.lock(&self.cx, request).await?.lock.lock.token)
    }

    /// Deletes and gives the key in the trash.
    async fn deleted(&self, path: &str) -> String {
        self.delete(path).await.unwrap();
        let items = self.trash(None).await.unwrap();
        items.into_iter().find(|item| item.origin.as_str() == path).unwrap().key
    }

    pub(crate) async fn run(&self, op: Op, token: String) -> Result<()> {
        match op {
            Op::CreateSpace => self.home("marie").await,
            Op::CreateFolder => self.mkdir("d/new").await,
            Op::Touch => {
                let request = Touch { target: at("d/t"), conditions: Conditions::default() };
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
                    target: at("d/x"),
                    set: vec![("key".into(), "value".into())],
                    unset: Vec::new(),
                    mtime: Some(self.cx.now),
                    favorite: Some(true),
                    conditions: Conditions::default(),
                };
                self.driver.set_metadata(&self.cx, request).await.map(drop)
            }
            Op::Lock => self.lock("d/x").await.map(drop),
            Op::RestoreTrash | Op::RestoreFolder => {
                self.restore(token, None, Collision::Refuse).await
            }
            Op::RestoreOver => self.restore(token, Some("f"), Collision::Replace).await,
            Op::RestoreChild => self.restore(token, Some("y"), Collision::Refuse).await,
            Op::PurgeItem | Op::PurgeChild | Op::PurgeFolder => self.purge(Some(token)).await,
            Op::PurgeAll => self.purge(None).await,
            Op::RestoreVersion => self.restore_version("f", token).await,
            Op::PurgeVersions => self.purge_versions("f").await,
            Op::Unlock => self.driver.unlock(&self.cx, Unlock { target: at("f"), token }).await,
            _ => self.run_spaces(op).await,
        }
    }
}
