//! Everything that can be seen of a store.

use std::collections::{BTreeMap, BTreeSet};

use ocis_core::node::NodeKind;
use ocis_core::port::{Grants, ListGrants, ListSpaces, Nodes, PageRequest, Spaces, Stat};
use ocis_core::{ErrorKind, Result};

use crate::world::{World, at, person, server};

/// What is seen, by owner and path.
pub(crate) type Seen = BTreeMap<String, String>;

impl World {
    pub(crate) async fn see(&self) -> Result<Seen> {
        let mut seen = Seen::new();
        for owner in ["einstein", "marie"] {
            let world = self.by(person(owner));
            let nodes = match world.below(&format!("{owner}:")).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                nodes => nodes?,
            };
            seen.insert(owner.into(), "space".into());
            for (path, node) in nodes {
                if node.is_folder() {
                    seen.insert(path, "folder".into());
                    continue;
                }
                let bytes = world.read(&path).await?.unwrap_or_default();
                let (length, first) = (bytes.len(), bytes.first());
                let (metadata, locks) = (&node.info.metadata, node.locks.len());
                let versions = world.versions(&path).await?;
                let versions: BTreeSet<_> = versions.iter().map(|version| version.size).collect();
                let favorite = node.favorite;
                let text =
                    format!("{length} {first:?} {metadata:?} {locks} {favorite} {versions:?}");
                seen.insert(path, text);
            }
        }
        self.see_spaces(&mut seen).await?;
        let mut rest = vec![None];
        while let Some(key) = rest.pop() {
            for item in self.trash(key).await? {
                seen.insert(format!("trash/{}", item.origin), item.size.to_string());
                if item.kind == NodeKind::Folder {
                    rest.push(Some(item.key));
                }
            }
        }
        Ok(seen)
    }

    /// What can be seen of spaces, by the server and in the lists of their members.
    async fn see_spaces(&self, seen: &mut Seen) -> Result<()> {
        let page = || PageRequest { cursor: None, limit: 100 };
        for (who, cx) in
            [("", server()), ("einstein", person("einstein")), ("marie", person("marie"))]
        {
            let request = ListSpaces { page: page(), ..ListSpaces::default() };
            for space in Spaces::list(&self.driver, &cx, request).await?.items {
                let (used, disabled) = (space.quota.used, space.disabled.is_some());
                seen.insert(
                    format!("space of {who:?}: {}", space.name),
                    format!("{used} {disabled}"),
                );
            }
        }
        let shared = [at("project:"), at(""), at("d")];
        for target in shared {
            match self.driver.stat(&server(), Stat { target: target.clone() }).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                node => node?,
            };
            let name = format!("grants on {target:?}");
            let grants = Grants::list(&self.driver, &server(), ListGrants { target }).await?;
            seen.insert(name, format!("{grants:?}"));
        }
        let (target, cx) = (at("project:in/d/x"), server());
        match self.store.content(&cx, &target).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            content => {
                let (node, content) = content?;
                let has_content = content.is_some_and(|content| content.blob.is_some());
                seen.insert("project/in/d/x".into(), format!("{} {has_content}", node.info.size));
            }
        }
        Ok(())
    }
}
