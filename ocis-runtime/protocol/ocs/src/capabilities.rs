//! `/cloud/capabilities`: what the server can do, by which clients decide how they behave.
//!
//! A client uses what is advertised. So each feature is off until the composition of the services
//! switches it on, and a document without any is one that the clients understand: they sync with
//! plain `PUT`, and hide what is not there.

use std::borrow::Cow;

use ocis_core::checksum::ChecksumKind;
use serde::Serialize;

use crate::OcsParts;
use crate::xml::{Elements, OcsBool};

/// The version of ownCloud's protocol that is spoken. Clients enable features by it; it is that of
/// oCIS, a constant there too.
pub const PROTOCOL_VERSION: &str = "10.11.0";

/// What the server's web page, WebDAV and OCS call the product.
pub const PRODUCT_NAME: &str = "Infinite Scale";

/// Below the root, where the files of the caller are.
const WEBDAV_ROOT: &str = "remote.php/webdav";

/// How often clients look for changes, in seconds.
const POLL_SECONDS: u32 = 60;

/// What is advertised. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Features {
    /// The digests that uploads are verified with, the one to prefer first.
    pub checksums: Vec<ChecksumKind>,
    /// Spaces; without them clients know only the caller's own files.
    pub spaces: Option<SpacesFeature>,
    /// Links of the form `/f/<id>` lead to a file.
    pub private_links: bool,
    /// Uploads can be resumed (tus); without it clients send each file with one `PUT`.
    pub tus: Option<TusFeature>,
    /// The trash can be listed and restored from.
    pub trash: bool,
    /// Versions of files can be listed and restored.
    pub versions: bool,
    /// Files can be marked as favourites.
    pub favorites: bool,
    /// Files can carry tags.
    pub tags: bool,
    /// Names can be searched by `REPORT`.
    pub search: bool,
    /// Contents can be searched.
    pub full_text_search: bool,
    /// URLs can be signed.
    pub signed_urls: bool,
    /// Clients can listen for events.
    pub sse: bool,
    /// Files can be shared with users and groups.
    pub sharing: bool,
    /// Public links can be made.
    pub public_links: bool,
    /// Accounts can be made and removed through Graph.
    pub manage_users: bool,
    /// Users can change their password through Graph.
    pub change_password: bool,
}

/// What is advertised of resumable uploads.
#[derive(Debug, Clone, Default)]
pub struct TusFeature {
    /// Bytes that a request should hold at most; 0 for any number.
    pub max_chunk_size: u64,
    /// The method to be used in place of `PATCH`; empty for none.
    pub method_override: String,
}

/// What is advertised of spaces.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpacesFeature {
    /// Project spaces can be made.
    pub projects: bool,
    /// What others share stands in a space of its own.
    pub share_jail: bool,
    /// The largest quota that can be set, in bytes; 0 for any.
    pub max_quota: u64,
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    capabilities: Capabilities<'a>,
    version: Version<'a>,
}

#[derive(Debug, Serialize)]
struct Capabilities<'a> {
    core: Core<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksums: Option<Checksums>,
    files: Files<'a>,
    dav: Dav,
    files_sharing: FilesSharing,
    #[serde(skip_serializing_if = "Option::is_none")]
    spaces: Option<Spaces>,
    graph: Graph,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Core<'a> {
    pollinterval: u32,
    webdav_root: &'static str,
    status: Status<'a>,
    support_url_signing: OcsBool,
    support_sse: OcsBool,
}

/// The same facts as `/status.php`.
#[derive(Debug, Serialize)]
struct Status<'a> {
    installed: OcsBool,
    maintenance: OcsBool,
    #[serde(rename = "needsDbUpgrade")]
    needs_db_upgrade: OcsBool,
    version: Cow<'static, str>,
    versionstring: &'static str,
    edition: &'a str,
    productname: &'static str,
    product: &'static str,
    productversion: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksums {
    supported_types: Elements<&'static str>,
    preferred_upload_type: &'static str,
}

#[derive(Debug, Serialize)]
struct TusSupport<'a> {
    version: &'static str,
    resumable: &'static str,
    extension: &'static str,
    max_chunk_size: u64,
    http_method_override: &'a str,
}

#[derive(Debug, Serialize)]
struct Files<'a> {
    #[serde(rename = "privateLinks")]
    private_links: OcsBool,
    bigfilechunking: OcsBool,
    undelete: OcsBool,
    versioning: OcsBool,
    favorites: OcsBool,
    full_text_search: OcsBool,
    tags: OcsBool,
    blacklisted_files: Elements<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tus_support: Option<TusSupport<'a>>,
}

#[derive(Debug, Serialize)]
struct Dav {
    chunking: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trashbin: Option<&'static str>,
    reports: Elements<&'static str>,
    #[serde(rename = "chunkingParallelUploadDisabled")]
    chunking_parallel_upload_disabled: bool,
}

#[derive(Debug, Serialize)]
struct FilesSharing {
    api_enabled: OcsBool,
    group_sharing: OcsBool,
    resharing: OcsBool,
    public: PublicSharing,
}

#[derive(Debug, Serialize)]
struct PublicSharing {
    enabled: OcsBool,
}

#[derive(Debug, Serialize)]
struct Spaces {
    version: &'static str,
    enabled: bool,
    projects: bool,
    share_jail: bool,
    max_quota: u64,
}

#[derive(Debug, Serialize)]
struct Graph {
    #[serde(rename = "personal-data-export")]
    personal_data_export: OcsBool,
    users: GraphUsers,
}

#[derive(Debug, Serialize)]
struct GraphUsers {
    read_only_attributes: Vec<&'static str>,
    create_disabled: OcsBool,
    delete_disabled: OcsBool,
    change_password_self_disabled: OcsBool,
}

#[derive(Debug, Serialize)]
struct Version<'a> {
    major: u32,
    minor: u32,
    micro: u32,
    string: &'static str,
    edition: &'a str,
    product: &'static str,
    productversion: &'a str,
}

/// The document for these parts.
pub(crate) fn document(parts: &OcsParts) -> Document<'_> {
    let features = &parts.features;
    let (edition, productversion) = (&*parts.product.edition, &*parts.product.version);
    Document {
        capabilities: Capabilities {
            core: core(features, edition, productversion),
            checksums: checksums(&features.checksums),
            files: files(features),
            dav: Dav {
                chunking: "",
                trashbin: features.trash.then_some("1.0"),
                reports: Elements(features.search.then_some("search-files").into_iter().collect()),
                chunking_parallel_upload_disabled: false,
            },
            files_sharing: FilesSharing {
                api_enabled: OcsBool(features.sharing),
                group_sharing: OcsBool(features.sharing),
                resharing: OcsBool(false),
                public: PublicSharing { enabled: OcsBool(features.public_links) },
            },
            spaces: features.spaces.map(|spaces| Spaces {
                version: "1.0.0",
                enabled: true,
                projects: spaces.projects,
                share_jail: spaces.share_jail,
                max_quota: spaces.max_quota,
            }),
            graph: Graph {
                personal_data_export: OcsBool(false),
                users: GraphUsers {
                    read_only_attributes: Vec::new(),
                    create_disabled: OcsBool(!features.manage_users),
                    delete_disabled: OcsBool(!features.manage_users),
                    change_password_self_disabled: OcsBool(!features.change_password),
                },
            },
        },
        version: Version {
            major: 10,
            minor: 11,
            micro: 0,
            string: PROTOCOL_VERSION,
            edition,
            product: PRODUCT_NAME,
            productversion,
        },
    }
}

fn core<'a>(features: &Features, edition: &'a str, productversion: &'a str) -> Core<'a> {
    Core {
        pollinterval: POLL_SECONDS,
        webdav_root: WEBDAV_ROOT,
        status: Status {
            installed: OcsBool(true),
            maintenance: OcsBool(false),
            needs_db_upgrade: OcsBool(false),
            version: format!("{PROTOCOL_VERSION}.0").into(),
            versionstring: PROTOCOL_VERSION,
            edition,
            productname: PRODUCT_NAME,
            product: PRODUCT_NAME,
            productversion,
        },
        support_url_signing: OcsBool(features.signed_urls),
        support_sse: OcsBool(features.sse),
    }
}

fn checksums(kinds: &[ChecksumKind]) -> Option<Checksums> {
    let preferred = kinds.first()?;
    Some(Checksums {
        supported_types: Elements(kinds.iter().map(|kind| kind.as_str()).collect()),
        preferred_upload_type: preferred.as_str(),
    })
}

fn files(features: &Features) -> Files<'_> {
    Files {
        private_links: OcsBool(features.private_links),
        bigfilechunking: OcsBool(false),
        undelete: OcsBool(features.trash),
        versioning: OcsBool(features.versions),
        favorites: OcsBool(features.favorites),
        full_text_search: OcsBool(features.full_text_search),
        tags: OcsBool(features.tags),
        blacklisted_files: Elements(Vec::new()),
        tus_support: features.tus.as_ref().map(|tus| TusSupport {
            version: "1.0.0",
            resumable: "1.0.0",
            extension: "creation,creation-with-upload",
            max_chunk_size: tus.max_chunk_size,
            http_method_override: &tus.method_override,
        }),
    }
}
