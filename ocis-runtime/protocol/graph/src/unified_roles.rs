//! `/roleManagement/permissions/roleDefinitions`: the roles that somebody can be given in a space or
//! in what is shared, with what each of them allows.
//!
//! Ids, names and permissions are those of oCIS (`reference/roles.md`, section 3). Which of them are
//! in use is a setting; a role that is not can still be looked up by its id, as in oCIS.

use ocis_core::permissions::Permissions;
use serde::Serialize;

use crate::body::json;
use crate::error::{Answer, Failure};
use crate::language;
use crate::route::Call;

/// What a role can be given on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    File,
    Folder,
    Root,
    /// A file, to somebody of another server.
    FederatedFile,
    /// A folder, to somebody of another server.
    FederatedFolder,
}

impl On {
    fn condition(self) -> &'static str {
        match self {
            Self::File => "exists @Resource.File",
            Self::Folder => "exists @Resource.Folder",
            Self::Root => "exists @Resource.Root",
            Self::FederatedFile => r#"exists @Resource.File && @Subject.UserType=="Federated""#,
            Self::FederatedFolder => r#"exists @Resource.Folder && @Subject.UserType=="Federated""#,
        }
    }
}

/// A text in English and in German.
type Text = (&'static str, &'static str);

const VIEW: Text = ("Can view", "Darf ansehen");
const EDIT: Text = ("Can edit", "Darf bearbeiten");
const ALL_EDITING: Text = (
    "View, download, upload, edit, add and delete.",
    "Ansehen, herunterladen, hochladen, bearbeiten, anlegen und löschen.",
);
const EVERYTHING: [On; 4] = [On::File, On::Folder, On::FederatedFile, On::FederatedFolder];

/// A role.
pub(crate) struct UnifiedRole {
    pub(crate) id: &'static str,
    /// What it is called in `v1.0`; empty where it has no name there.
    pub(crate) legacy: &'static str,
    name: Text,
    about: Text,
    on: &'static [On],
    /// The permissions, as letters on disk, and those for which there is no letter of their own.
    letters: &'static str,
    more: Permissions,
}

const NO_ROLE: UnifiedRole = UnifiedRole {
    id: "",
    legacy: "",
    name: ("", ""),
    about: ("", ""),
    on: &[],
    letters: "",
    more: Permissions::NONE,
};

/// All of them, in oCIS's order.
const ROLES: [UnifiedRole; 13] = [
    UnifiedRole {
        id: "b1e2218d-eef8-4d4c-b82d-0f1a1b48f3b5",
        legacy: "viewer",
        name: VIEW,
        about: ("View and download.", "Ansehen und herunterladen."),
        on: &EVERYTHING,
        letters: "txruq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "d5041006-ebb3-4b4a-b6a4-7c180ecfb17d",
        name: VIEW,
        about: (
            "View, download and show all invited people.",
            "Ansehen, herunterladen und alle Eingeladenen sehen.",
        ),
        on: &EVERYTHING,
        letters: "txrcuq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "a8d5fe5e-96e3-418d-825b-534dbdf22b99",
        legacy: "viewer",
        name: VIEW,
        about: ("View and download.", "Ansehen und herunterladen."),
        on: &[On::Root],
        letters: "txrcuq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "fb6c3e19-e378-47e5-b277-9732f9de6e21",
        legacy: "editor",
        name: EDIT,
        about: ALL_EDITING,
        on: &[On::Folder, On::FederatedFolder],
        letters: "txrwaduUq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "e8ea8b21-abd4-45d2-b893-8d1546378e9e",
        name: EDIT,
        about: (
            "View, download, upload, edit, add, delete and show all invited people.",
            "Ansehen, herunterladen, hochladen, bearbeiten, anlegen, löschen und alle Eingeladenen \
             sehen.",
        ),
        on: &[On::Folder, On::FederatedFolder],
        letters: "txrwadcuUq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "58c63c02-1d89-4572-916a-870abc5a1b7d",
        legacy: "editor",
        name: EDIT,
        about: (
            "View, download, upload, edit, add, delete including the history.",
            "Ansehen, herunterladen, hochladen, bearbeiten, anlegen und löschen, auch Versionen.",
        ),
        on: &[On::Root],
        letters: "txrwadcuUvVq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "3284f2d5-0070-4ad8-ac40-c247f7c1fb27",
        legacy: "spaceeditor-without-versions",
        name: ("Can edit without versions", "Darf bearbeiten, ohne Versionen"),
        about: ALL_EDITING,
        on: &[On::Root],
        letters: "txrwadcuUq",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "2d00ce52-1fc2-4dbc-8b95-a73b73395f5a",
        legacy: "file-editor",
        name: EDIT,
        about: ("View, download and edit.", "Ansehen, herunterladen und bearbeiten."),
        on: &[On::File, On::FederatedFile],
        letters: "txruUq",
        more: Permissions::UPLOAD,
    },
    UnifiedRole {
        id: "c1235aea-d106-42db-8458-7d5610fb0a67",
        name: EDIT,
        about: (
            "View, download, edit and show all invited people.",
            "Ansehen, herunterladen, bearbeiten und alle Eingeladenen sehen.",
        ),
        on: &[On::File, On::FederatedFile],
        letters: "txrcuUq",
        more: Permissions::UPLOAD,
        ..NO_ROLE
    },
    UnifiedRole {
        id: "1c996275-f1c9-4e71-abdf-a42f6495e960",
        legacy: "editor-lite",
        name: ("Can upload", "Darf hochladen"),
        about: ("View, download and upload.", "Ansehen, herunterladen und hochladen."),
        on: &[On::Folder],
        letters: "txrwa",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "312c0871-5ef7-4b3a-85b6-0e4074c64049",
        legacy: "manager",
        name: ("Can manage", "Darf verwalten"),
        about: (
            "View, download, upload, edit, add, delete and manage members.",
            "Ansehen, herunterladen, hochladen, bearbeiten, anlegen, löschen und Mitglieder \
             verwalten.",
        ),
        on: &[On::Root],
        more: Permissions::MANAGER,
        ..NO_ROLE
    },
    UnifiedRole {
        id: "aa97fe03-7980-45ac-9e50-b325749fd7e6",
        legacy: "secure-viewer",
        name: ("Can view (secure)", "Darf ansehen (gesichert)"),
        about: (
            "View only documents, images and PDFs. Watermarks will be applied.",
            "Nur Dokumente, Bilder und PDFs ansehen, mit Wasserzeichen.",
        ),
        on: &[On::File, On::Folder],
        letters: "tx",
        ..NO_ROLE
    },
    UnifiedRole {
        id: "63e64e19-8d43-42ec-a738-2b6af2610efa",
        name: ("Cannot access", "Kein Zugriff"),
        about: ("Deny all access.", "Jeden Zugriff verweigern."),
        on: &[On::Folder],
        ..NO_ROLE
    },
];

/// The roles that are in use where nothing else is set (`GRAPH_AVAILABLE_ROLES`).
pub(crate) const USED: [&str; 7] = [
    "b1e2218d-eef8-4d4c-b82d-0f1a1b48f3b5",
    "a8d5fe5e-96e3-418d-825b-534dbdf22b99",
    "fb6c3e19-e378-47e5-b277-9732f9de6e21",
    "58c63c02-1d89-4572-916a-870abc5a1b7d",
    "2d00ce52-1fc2-4dbc-8b95-a73b73395f5a",
    "1c996275-f1c9-4e71-abdf-a42f6495e960",
    "312c0871-5ef7-4b3a-85b6-0e4074c64049",
];

/// What a permission is called, in oCIS's order.
const ACTIONS: [(Permissions, &str); 19] = [
    (Permissions::ADD_GRANT, "libre.graph/driveItem/permissions/create"),
    (Permissions::CREATE_CONTAINER, "libre.graph/driveItem/children/create"),
    (Permissions::DELETE, "libre.graph/driveItem/standard/delete"),
    (Permissions::GET_PATH, "libre.graph/driveItem/path/read"),
    (Permissions::GET_QUOTA, "libre.graph/driveItem/quota/read"),
    (Permissions::DOWNLOAD, "libre.graph/driveItem/content/read"),
    (Permissions::UPLOAD, "libre.graph/driveItem/upload/create"),
    (Permissions::LIST_GRANTS, "libre.graph/driveItem/permissions/read"),
    (Permissions::LIST_CONTAINER, "libre.graph/driveItem/children/read"),
    (Permissions::LIST_VERSIONS, "libre.graph/driveItem/versions/read"),
    (Permissions::LIST_TRASH, "libre.graph/driveItem/deleted/read"),
    (Permissions::MOVE, "libre.graph/driveItem/path/update"),
    (Permissions::REMOVE_GRANT, "libre.graph/driveItem/permissions/delete"),
    (Permissions::PURGE_TRASH, "libre.graph/driveItem/deleted/delete"),
    (Permissions::RESTORE_VERSION, "libre.graph/driveItem/versions/update"),
    (Permissions::RESTORE_TRASH, "libre.graph/driveItem/deleted/update"),
    (Permissions::STAT, "libre.graph/driveItem/basic/read"),
    (Permissions::UPDATE_GRANT, "libre.graph/driveItem/permissions/update"),
    (Permissions::DENY_GRANT, "libre.graph/driveItem/permissions/deny"),
];

/// The actions that permissions allow.
pub(crate) fn actions(given: Permissions) -> Vec<&'static str> {
    let allowed = ACTIONS.iter().filter(|(permission, _)| given.allows(*permission));
    allowed.map(|(_, action)| *action).collect()
}

impl UnifiedRole {
    fn permissions(&self) -> Permissions {
        Permissions::from_letters(self.letters) | self.more
    }

    /// The role in use that gives a member of a space exactly these permissions.
    pub(crate) fn in_space(call: &Call<'_>, given: Permissions) -> Option<&'static Self> {
        let is_it = |role: &&Self| role.on.contains(&On::Root) && role.permissions() == given;
        used(call).find(is_it)
    }
}

fn used<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'static UnifiedRole> + 'a {
    let available = &call.parts.options.available_roles;
    ROLES.iter().filter(|role| available.iter().any(|id| id == role.id))
}

/// A role as it is shown. Fields are in the order of their names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    /// The order in a list of roles that fit; outside of such lists there is none.
    #[serde(rename = "@libre.graph.weight")]
    weight: u32,
    description: &'static str,
    display_name: &'static str,
    id: &'static str,
    role_permissions: Vec<RolePermission>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RolePermission {
    allowed_resource_actions: Vec<&'static str>,
    condition: &'static str,
}

impl Definition {
    fn of(role: &UnifiedRole, language: &str) -> Self {
        let is_german = ocis_core::language::is(language, "de");
        let text = |(english, german): Text| if is_german { german } else { english };
        let on = role.on.iter();
        let role_permissions = on.map(|on| RolePermission {
            allowed_resource_actions: actions(role.permissions()),
            condition: on.condition(),
        });
        Self {
            weight: 0,
            description: text(role.about),
            display_name: text(role.name),
            id: role.id,
            role_permissions: role_permissions.collect(),
        }
    }
}

/// `GET`: the roles that are in use, as a plain list: so does oCIS.
pub(crate) async fn list(call: &Call<'_>) -> Answer {
    let language = language::to_answer_in(call).await?;
    let roles: Vec<_> = used(call).map(|role| Definition::of(role, &language)).collect();
    json(&roles)
}

/// `GET` with an id.
pub(crate) async fn read(call: &Call<'_>, id: &str) -> Answer {
    let language = language::to_answer_in(call).await?;
    match ROLES.iter().find(|role| role.id == id) {
        Some(role) => json(&Definition::of(role, &language)),
        None => Err(Failure::not_found("role not found")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permissions_of_roles_are_those_of_ocis() {
        // How many actions each role allows (`reference/roles.md`).
        let counts = [6, 7, 7, 11, 12, 14, 12, 8, 9, 7, 19, 3, 0];
        for (role, count) in ROLES.iter().zip(counts) {
            assert_eq!(actions(role.permissions()).len(), count, "{}", role.id);
        }
        let of = |at: usize| actions(ROLES[at].permissions());
        assert!(!of(7).contains(&"libre.graph/driveItem/path/update"), "files are not moved");
        assert!(!of(9).contains(&"libre.graph/driveItem/quota/read"));
        assert!(USED.iter().all(|id| ROLES.iter().any(|role| role.id == *id)));
    }
}
