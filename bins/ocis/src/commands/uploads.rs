//! `ocis storage-users uploads sessions`: uploads under way, and moving them on.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use ocis_core::id::{BlobId, UserId};
use ocis_core::port::{ActOnSession, ListSessions, SessionAction};
use ocis_core::time::Timestamp;
use ocis_core::upload::UploadSession;
use ocis_core::{Error, Result};
use ocis_runtime::settings::StorageUsers;
use serde_json::{Value, json};

use super::store::with_configured;
use super::{layers, load};
use crate::cli::{Failure, print};
use crate::table::draw;

/// What oCIS writes where there is no time.
const NEVER: &str = "0001-01-01T00:00:00Z";
const HEADER: [&str; 11] = [
    "Space",
    "Upload Id",
    "Name",
    "Offset",
    "Size",
    "Executant",
    "Owner",
    "Expires",
    "Processing",
    "Scan Date",
    "Scan Result",
];

pub(crate) fn command() -> Command {
    let filter = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(value_parser!(bool))
            .help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let action = |name: &'static str, help: &'static str| flag(name, help).group("action");
    Command::new("uploads")
        .about("manage unfinished uploads")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommand(
            Command::new("sessions")
                .about("Print a list of upload sessions")
                .arg(Arg::new("id").long("id").help("filter sessions by upload session id"))
                .arg(filter("processing", "filter sessions by processing status"))
                .arg(filter("expired", "filter sessions by expired status"))
                .arg(filter("has-virus", "filter sessions by virus scan result"))
                .arg(flag("json", "output as json"))
                .arg(action("restart", "begin the processing of all listed sessions again"))
                .arg(action("resume", "go on with the processing of all listed sessions"))
                .arg(action("clean", "give all listed sessions up")),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some((_, matches)) = matches.subcommand() else { return Ok(()) };
    let settings: StorageUsers = load(&layers(&["storage-users"])).map_err(Error::from)?;
    let filter = filter(matches)?;
    let action = [
        ("restart", SessionAction::Restart),
        ("resume", SessionAction::Resume),
        ("clean", SessionAction::Clean),
    ];
    let action = action.into_iter().find(|(name, _)| matches.get_flag(name));
    let sessions = with_configured(settings, async |reached, cx| {
        let (mut found, mut request) = (Vec::new(), filter.clone());
        loop {
            let page = reached.sessions.list(cx, request.clone()).await?;
            found.extend(page.items);
            request.page.cursor = page.next;
            if request.page.cursor.is_none() {
                break;
            }
        }
        if let Some((_, action)) = action {
            for session in &found {
                let id = session.id.clone();
                reached.sessions.act(cx, ActOnSession { id, action }).await?;
            }
        }
        Ok(found)
    })?;
    if matches.get_flag("json") {
        let all: Vec<Value> = sessions.iter().map(json_of).collect();
        print(&format!("{}\n", Value::from(all)));
    } else {
        let rows: Vec<_> = sessions.iter().map(row_of).collect();
        print(&format!("{}\n{}", heading(&filter), draw(HEADER, &rows)));
    }
    Ok(())
}

fn filter(matches: &ArgMatches) -> Result<ListSessions> {
    let id = matches.get_one::<String>("id").map(|id| BlobId::parse(id)).transpose()?;
    let on = |name: &str| matches.get_one::<bool>(name).copied();
    Ok(ListSessions {
        id,
        processing: on("processing"),
        expired: on("expired"),
        has_virus: on("has-virus"),
        ..ListSessions::default()
    })
}

/// The line above the table, which names the filters.
fn heading(filter: &ListSessions) -> String {
    let filters = [
        (filter.processing, "processing"),
        (filter.expired, "expired"),
        (filter.has_virus, "virusinfected"),
    ];
    let words = filters.into_iter().filter_map(|(on, word)| match on? {
        true => Some(word.to_owned()),
        false => Some(format!("not {word}")),
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let noun = match &filter.id {
        Some(id) => format!("session with id '{id}'"),
        None => "sessions".to_owned(),
    };
    let line = if words.is_empty() { noun } else { format!("{words} {noun}") };
    let (first, rest) = line.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}:", first.to_uppercase())
}

fn seconds(time: Option<Timestamp>) -> String {
    let whole = time.and_then(|time| Timestamp::from_unix(time.unix_seconds(), 0).ok());
    whole.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
}

fn row_of(session: &UploadSession) -> [String; 11] {
    let person = |id: &Option<UserId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
    let scan = session.scan.as_ref();
    [
        session.space.to_string(),
        session.id.to_string(),
        session.name.clone(),
        session.offset.to_string(),
        session.length.unwrap_or(0).to_string(),
        person(&session.executant),
        person(&session.space_owner),
        seconds(session.expires),
        session.processing.is_some().to_string(),
        seconds(scan.map(|scan| scan.time)),
        scan.map(|scan| scan.found.clone()).unwrap_or_default(),
    ]
}

fn json_of(session: &UploadSession) -> Value {
    let person = |id: &Option<UserId>| match id {
        Some(id) => json!({ "opaque_id": id.as_str() }),
        None => json!({}),
    };
    let scan = session.scan.as_ref();
    json!({
        "id": session.id.as_str(),
        "space": session.space.as_str(),
        "filename": session.name,
        "offset": session.offset,
        "size": session.length.unwrap_or(0),
        "executant": person(&session.executant),
        "spaceowner": person(&session.space_owner),
        "expires": seconds(session.expires),
        "processing": session.processing.is_some(),
        "virus_scan_date": seconds(scan.map(|scan| scan.time)),
        "virus_scan_result": scan.map(|scan| scan.found.as_str()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heading_names_the_filters() {
        let none = ListSessions::default();
        assert_eq!(heading(&none), "Sessions:");
        let expired = ListSessions { expired: Some(false), ..none.clone() };
        assert_eq!(heading(&expired), "Not expired sessions:");
        let id = BlobId::parse("x").unwrap();
        let both =
            ListSessions { processing: Some(true), has_virus: Some(false), id: Some(id), ..none };
        assert_eq!(heading(&both), "Processing, not virusinfected session with id 'x':");
    }
}
