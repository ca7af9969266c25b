//! What can be offered and needed: ports, and the slots in which they are looked for.

use std::fmt;

/// A port that a service may need or offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Port {
    /// [`Nodes`](ocis_core::port::Nodes), keyed by storage id.
    Nodes,
    /// [`Spaces`](ocis_core::port::Spaces), keyed by storage id.
    Spaces,
    /// [`Uploads`](ocis_core::port::Uploads), keyed by storage id.
    Uploads,
    /// [`Grants`](ocis_core::port::Grants), keyed by storage id.
    Grants,
    /// [`UploadSessions`](ocis_core::port::UploadSessions), keyed by storage id.
    UploadSessions,
    /// [`Maintenance`](ocis_core::port::Maintenance), keyed by storage id.
    Maintenance,
    /// [`Trash`](ocis_core::port::Trash), keyed by storage id.
    Trash,
    /// [`Versions`](ocis_core::port::Versions), keyed by storage id.
    Versions,
    /// The data plane ([`ocis_core::data`]), keyed by storage id.
    Data,
    /// [`Users`](ocis_core::port::Users), keyed by directory.
    Users,
    /// [`Groups`](ocis_core::port::Groups), keyed by directory.
    Groups,
    /// [`Provisioning`](ocis_core::port::Provisioning), keyed by directory.
    Provisioning,
    /// [`Roles`](ocis_core::port::Roles).
    Roles,
    /// [`Settings`](ocis_core::port::Settings).
    Settings,
    /// [`KeyValue`](ocis_core::port::KeyValue).
    KeyValue,
    /// [`AppTokens`](ocis_core::port::AppTokens).
    AppTokens,
    /// [`Authenticate`](ocis_core::port::Authenticate), keyed by the kind of credentials (`basic`) or by directory.
    Authenticate,
    /// [`EventBus`](ocis_core::port::EventBus).
    Events,
}

impl Port {
    /// The name in errors and, later, on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Spaces => "spaces",
            Self::Uploads => "uploads",
            Self::Grants => "grants",
            Self::UploadSessions => "upload-sessions",
            Self::Maintenance => "maintenance",
            Self::Trash => "trash",
            Self::Versions => "versions",
            Self::Data => "data",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Provisioning => "provisioning",
            Self::Roles => "roles",
            Self::Settings => "settings",
            Self::KeyValue => "key-value",
            Self::AppTokens => "app-tokens",
            Self::Authenticate => "authenticate",
            Self::Events => "events",
        }
    }
}

/// A place where something can be offered: what a service's `NEEDS` and `OFFERS` list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The one un-keyed port.
    Plain(Port),
    /// The port under any key, as the storages' ids are known from settings only.
    AnyKey(Port),
    /// The port under exactly this key.
    Key(Port, &'static str),
}

impl Slot {
    /// The port, whatever the key.
    pub fn port(self) -> Port {
        match self {
            Self::Plain(port) | Self::AnyKey(port) | Self::Key(port, _) => port,
        }
    }

    /// Whether something offered under `offered` answers what is needed here.
    pub fn is_met_by(self, offered: Self) -> bool {
        match (self, offered) {
            (Self::AnyKey(need), Self::Key(port, _)) => need == port,
            (need, offered) => need == offered,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(port) => write!(f, "\"{}\"", port.as_str()),
            Self::AnyKey(port) => write!(f, "\"{}\" of at least one owner", port.as_str()),
            Self::Key(port, key) => write!(f, "\"{}\" of {key}", port.as_str()),
        }
    }
}
