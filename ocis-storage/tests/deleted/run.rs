//! How a store does what the model does.

use ocis_core::Result;
use ocis_core::node::NodeKind;
use ocis_core::trash::Collision;

use crate::model::{File, Op, Tree, content};
use crate::world::World;

/// What names in the trash what the model has there, in its order.
pub(crate) type Keys = Vec<String>;

fn key(keys: &Keys, number: usize) -> String {
    keys.get(number).cloned().unwrap_or_else(|| "none".into())
}

impl World {
    pub(crate) async fn run(&self, op: &Op, keys: &Keys) -> Result<()> {
        match op {
            Op::Folder(path) => self.mkdir(path).await,
            Op::Write(path, seed) => self.put(path, &content(*seed)).await,
            Op::Delete(path) => self.delete(path).await,
            Op::Move(from, to) => self.rename(from, to).await,
            Op::Copy(from, to) => self.copy(from, to).await,
            Op::Version(path) => {
                let versions = self.versions(path).await?;
                let largest = versions.into_iter().max_by_key(|version| version.size);
                let key = largest.map(|version| version.key).unwrap_or_default();
                self.restore_version(path, key).await
            }
            Op::Unversion(path) => self.purge_versions(path).await,
            Op::Restore(number, path) => {
                self.restore(key(keys, *number), Some(path), Collision::Replace).await
            }
            Op::Purge(number) => self.purge(Some(key(keys, *number))).await,
            Op::PurgeAll => self.purge(None).await,
            Op::Reopen => Ok(()),
        }
    }

    /// Notes what came into the trash and what left it; the rest keeps its order.
    pub(crate) async fn note(&self, keys: &mut Keys) {
        let items = self.trash(None).await.unwrap();
        let now: Vec<_> = items.into_iter().map(|item| item.key).collect();
        keys.retain(|key| now.contains(key));
        let new: Vec<_> = now.into_iter().filter(|key| !keys.contains(key)).collect();
        keys.extend(new);
    }

    /// What is in the trash, without contents: they are the store's to check.
    pub(crate) async fn see_trash(&self, keys: &Keys) -> Vec<(String, Vec<String>)> {
        let (mut seen, top) = (Vec::new(), self.trash(None).await.unwrap());
        for key in keys {
            let item = top.iter().find(|item| item.key == *key).unwrap();
            let (mut names, mut rest) = (Vec::new(), vec![item.clone()]);
            while let Some(folder) = rest.pop() {
                if folder.kind == NodeKind::Folder {
                    for item in self.trash(Some(folder.key)).await.unwrap() {
                        names.push(item.origin.to_string());
                        rest.push(item);
                    }
                }
            }
            names.sort();
            seen.push((item.origin.to_string(), names));
        }
        seen
    }

    pub(crate) async fn see(&self) -> Result<Tree> {
        let mut seen = Tree::new();
        for (path, _) in self.below("").await? {
            let file = match self.read(&path).await? {
                Some(content) => {
                    let versions = self.versions(&path).await?;
                    let mut versions: Vec<_> =
                        versions.iter().map(|version| version.size).collect();
                    versions.sort_unstable();
                    Some(File { content, versions })
                }
                None => None,
            };
            seen.insert(path, file);
        }
        Ok(seen)
    }
}
