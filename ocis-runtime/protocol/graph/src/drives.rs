//! `/me/drives` and `/me/drive`: the spaces that the caller may see.

use std::cmp::Reverse;

use ocis_core::etag::Etag;
use ocis_core::id::ResourceId;
use ocis_core::port::{GetSpace, ListSpaces};
use ocis_core::quota::Quota as SpaceQuota;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{Cx, Error, ErrorKind, Result};
use serde::Serialize;

use crate::GraphParts;
use crate::query::{Filter, Options, Order};

/// A list as OData has it.
#[derive(Debug, Serialize)]
pub(crate) struct Drives {
    value: Vec<Drive>,
}

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
    web_dav_url: String,
}

#[derive(Debug, Serialize)]
struct Deleted {
    state: &'static str,
}

/// The spaces of the caller that `$filter` leaves over, in the order of `$orderby`.
pub(crate) async fn list(parts: &GraphParts, cx: &Cx, options: &Options) -> Result<Drives> {
    cx.caller.identity()?;
    let order = options.order()?;
    let mut spaces = match options.filter()? {
        None => all(parts, cx, ListSpaces::default()).await?,
        Some(filter) => filtered(parts, cx, &filter).await?,
    };
    if let Some(order) = order {
        sort(&mut spaces, &order)?;
    }
    Ok(Drives { value: spaces.into_iter().map(|space| drive(parts, space)).collect() })
}

/// The personal space of the caller; [`ErrorKind::NotFound`] when there is none.
pub(crate) async fn personal(parts: &GraphParts, cx: &Cx) -> Result<Drive> {
    let owner = Some(cx.caller.identity()?.id.clone());
    let kind = Some(SpaceKind::Personal);
    all(parts, cx, ListSpaces { kind, owner, ..ListSpaces::default() })
        .await?
        .into_iter()
        .next()
        .map(|space| drive(parts, space))
        .ok_or_else(|| Error::not_found("you have no personal drive"))
}

async fn filtered(parts: &GraphParts, cx: &Cx, filter: &Filter) -> Result<Vec<Space>> {
    match (&*filter.field, &*filter.value) {
        ("driveType", kind) => match [SpaceKind::Personal, SpaceKind::Project]
            .into_iter()
            .find(|known| known.as_str() == kind)
        {
            Some(kind) => {
                all(parts, cx, ListSpaces { kind: Some(kind), ..ListSpaces::default() }).await
            }
            // `virtual` and `mountpoint` come with sharing; of others there never is one.
            None => Ok(Vec::new()),
        },
        ("id", id) => {
            let Ok(space) = id.parse::<ResourceId>() else { return Ok(Vec::new()) };
            match parts.spaces.get(cx, GetSpace { space }).await {
                Ok(space) => Ok(Vec::from_iter(Some(space).filter(is_drive))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        }
        _ => Err(Error::invalid("drives can be filtered by driveType and by id")),
    }
}

async fn all(parts: &GraphParts, cx: &Cx, mut request: ListSpaces) -> Result<Vec<Space>> {
    let mut spaces = Vec::new();
    loop {
        let page = parts.spaces.list(cx, request.clone()).await?;
        spaces.extend(page.items.into_iter().filter(is_drive));
        if page.next.is_none() {
            return Ok(spaces);
        }
        request.page.cursor = page.next;
    }
}

/// The server's own records are nobody's drive.
fn is_drive(space: &Space) -> bool {
    space.kind != SpaceKind::Metadata
}

fn sort(spaces: &mut [Space], order: &Order) -> Result<()> {
    let name = |space: &Space| space.name.to_lowercase();
    match (&*order.field, order.descending) {
        ("name", false) => spaces.sort_by_cached_key(name),
        ("name", true) => spaces.sort_by_cached_key(|space| Reverse(name(space))),
        ("lastModifiedDateTime", false) => spaces.sort_by_key(|space| space.mtime),
        ("lastModifiedDateTime", true) => spaces.sort_by_key(|space| Reverse(space.mtime)),
        _ => return Err(Error::invalid("drives can be ordered by name and lastModifiedDateTime")),
    }
    Ok(())
}

fn drive(parts: &GraphParts, space: Space) -> Drive {
    let (id, url) = (space.root.space_id(), &parts.url);
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
            web_dav_url: format!("{url}/dav/spaces/{id}"),
        },
        web_url: format!("{url}/f/{id}"),
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
