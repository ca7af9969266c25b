//! A space as libre.graph shows it.

use ocis_core::Result;
use ocis_core::etag::Etag;
use ocis_core::quota::Quota as SpaceQuota;
use ocis_core::space::{Space, SpaceKind};
use serde::Serialize;

use super::Version;
use super::members::{Members, Permission};
use super::special::{self, Item};
use crate::GraphOptions;
use crate::route::Call;

/// A space. Fields are in the order of their names, as oCIS writes them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drive {
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    drive_alias: String,
    drive_type: &'static str,
    id: String,
    last_modified_date_time: String,
    name: String,
    owner: Owner,
    quota: Quota,
    root: Root,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    special: Vec<Item>,
    web_url: String,
}

#[derive(Debug, Serialize)]
struct Owner {
    user: OwnerUser,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnerUser {
    /// Always empty in oCIS.
    display_name: &'static str,
    id: String,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Quota {
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Root {
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<Deleted>,
    e_tag: Etag,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<Permission>,
    web_dav_url: String,
}

#[derive(Debug, Serialize)]
struct Deleted {
    state: &'static str,
}

/// Shows the spaces of one answer; what belongs to several of them is asked for once.
pub(super) struct Shower<'a> {
    call: &'a Call<'a>,
    members: Members<'a>,
}

impl<'a> Shower<'a> {
    pub(super) fn new(call: &'a Call<'a>, version: Version) -> Self {
        Self { call, members: Members::new(call, version) }
    }

    /// Spaces, in their order.
    pub(super) async fn drives(&mut self, spaces: Vec<Space>) -> Result<Vec<Drive>> {
        let mut drives = Vec::with_capacity(spaces.len());
        for space in spaces {
            drives.push(self.drive(space).await?);
        }
        Ok(drives)
    }

    /// A space with its members and what is special in it.
    pub(super) async fn drive(&mut self, space: Space) -> Result<Drive> {
        let permissions = match space.kind {
            SpaceKind::Project => self.members.of(&space).await?,
            _ => Vec::new(),
        };
        let special = match space.disabled {
            None => special::items(self.call, &space).await,
            Some(_) => Vec::new(),
        };
        Ok(drive(&self.call.parts.options, space, permissions, special))
    }
}

fn drive(
    options: &GraphOptions,
    space: Space,
    permissions: Vec<Permission>,
    special: Vec<Item>,
) -> Drive {
    let id = space.root.space_id();
    Drive {
        description: space.description,
        drive_alias: space.alias,
        drive_type: space.kind.as_str(),
        last_modified_date_time: space.mtime.to_string(),
        name: space.name,
        owner: Owner {
            user: OwnerUser {
                display_name: "",
                // A project belongs to itself.
                id: match space.owner {
                    Some(owner) => owner.to_string(),
                    None => space.root.space.to_string(),
                },
            },
        },
        quota: match space.disabled {
            None => quota(space.quota),
            Some(_) => Quota { total: space.quota.total.unwrap_or(0), ..Quota::default() },
        },
        root: Root {
            deleted: space.disabled.map(|_| Deleted { state: "trashed" }),
            e_tag: space.etag,
            id: id.clone(),
            permissions,
            web_dav_url: options.webdav_url(&id),
        },
        special,
        web_url: format!("{}/f/{id}", options.url),
        id,
    }
}

/// Numbers are signed on the other side, and an unlimited quota is the largest of them remaining.
fn quota(quota: SpaceQuota) -> Quota {
    const MOST: u64 = i64::MAX as u64;
    let used = quota.used.min(MOST);
    let remaining = quota.remaining.unwrap_or(MOST).min(MOST);
    let total = quota.total.map(|total| total.min(MOST));
    // Without a limit, what the disk holds is the limit.
    let limit = u128::from(total.unwrap_or_else(|| used.saturating_add(remaining)));
    let state = match u128::from(used) * 100 {
        percents if percents <= 75 * limit => "normal",
        percents if percents <= 90 * limit => "nearing",
        percents if percents <= 99 * limit => "critical",
        _ => "exceeded",
    };
    Quota {
        remaining: Some(remaining),
        state: Some(state),
        total: total.unwrap_or(0),
        used: Some(used),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(total: Option<u64>, used: u64, remaining: Option<u64>) -> &'static str {
        quota(SpaceQuota { total, used, remaining }).state.unwrap()
    }

    #[test]
    fn the_state_of_a_quota_is_that_of_ocis() {
        for (used, expected) in [
            (0, "normal"),
            (75, "normal"),
            (76, "nearing"),
            (90, "nearing"),
            (91, "critical"),
            (99, "critical"),
            (100, "exceeded"),
            (200, "exceeded"),
        ] {
            assert_eq!(state(Some(100), used, Some(0)), expected, "{used}");
        }
        assert_eq!(state(None, u64::MAX, None), "normal");
        assert_eq!(state(None, 95, Some(5)), "critical", "a disk that is almost full");
    }

    #[test]
    fn no_number_is_too_large_for_others() {
        let huge = quota(SpaceQuota { total: Some(u64::MAX), used: u64::MAX, remaining: None });
        let most = i64::MAX as u64;
        assert_eq!((huge.total, huge.used, huge.remaining), (most, Some(most), Some(most)));
    }
}
