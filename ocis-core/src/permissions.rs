//! The permissions of CS3, one bit each, and the letters under which oCIS stores them.

use std::ops::{BitAnd, BitOr};

use serde::{Deserialize, Serialize};

/// A set of permissions on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(u32);

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Permissions {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
            /// Every permission: what the owner of a space has, and its managers.
            pub const MANAGER: Self = Self($((1 << $bit))|*);
        }
    };
}

permissions! {
    /// Share with others.
    ADD_GRANT = 0;
    /// Make folders inside.
    CREATE_CONTAINER = 1;
    /// Move to the trash.
    DELETE = 2;
    /// Learn the path.
    GET_PATH = 3;
    /// Learn the quota.
    GET_QUOTA = 4;
    /// Read the content.
    DOWNLOAD = 5;
    /// Write the content, make files inside.
    UPLOAD = 6;
    /// See with whom it is shared.
    LIST_GRANTS = 7;
    /// List a folder.
    LIST_CONTAINER = 8;
    /// List versions.
    LIST_VERSIONS = 9;
    /// List the trash.
    LIST_TRASH = 10;
    /// Rename and move.
    MOVE = 11;
    /// Stop sharing.
    REMOVE_GRANT = 12;
    /// Remove from the trash for ever.
    PURGE_TRASH = 13;
    /// Bring back a version.
    RESTORE_VERSION = 14;
    /// Bring back from the trash.
    RESTORE_TRASH = 15;
    /// See that it exists, and its properties.
    STAT = 16;
    /// Change with whom and how it is shared.
    UPDATE_GRANT = 17;
    /// Deny access to others.
    DENY_GRANT = 18;
}

/// The order and meaning of the letters in an access control entry on disk. `o` and `w` and `t`
/// each stand for two permissions.
const LETTERS: [(char, Permissions); 17] = [
    ('t', Permissions(Permissions::STAT.0 | Permissions::GET_PATH.0)),
    ('x', Permissions::LIST_CONTAINER),
    ('r', Permissions::DOWNLOAD),
    ('w', Permissions(Permissions::UPLOAD.0 | Permissions::MOVE.0)),
    ('a', Permissions::CREATE_CONTAINER),
    ('d', Permissions::DELETE),
    ('C', Permissions::ADD_GRANT),
    ('c', Permissions::LIST_GRANTS),
    ('o', Permissions(Permissions::REMOVE_GRANT.0 | Permissions::UPDATE_GRANT.0)),
    ('O', Permissions::DENY_GRANT),
    ('u', Permissions::LIST_TRASH),
    ('U', Permissions::RESTORE_TRASH),
    ('P', Permissions::PURGE_TRASH),
    ('v', Permissions::LIST_VERSIONS),
    ('V', Permissions::RESTORE_VERSION),
    ('q', Permissions::GET_QUOTA),
    // Read on a folder implies listing it; oCIS reads `r` so but writes both letters.
    (
        'r',
        Permissions(Permissions::STAT.0 | Permissions::GET_PATH.0 | Permissions::LIST_CONTAINER.0),
    ),
];

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Whether every permission of `other` is in this set.
    pub fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the letters of an entry on disk; unknown letters are ignored as oCIS does.
    pub fn from_letters(text: &str) -> Self {
        text.chars().fold(Self::NONE, |set, letter| {
            LETTERS.iter().filter(|(c, _)| *c == letter).fold(set, |set, (_, more)| set | *more)
        })
    }

    /// The letters of an entry on disk, in oCIS's order.
    pub fn letters(self) -> String {
        LETTERS.iter().take(16).filter(|(_, bits)| self.0 & bits.0 != 0).map(|(c, _)| c).collect()
    }
}

impl BitOr for Permissions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_in_the_order_of_ocis() {
        let all = Permissions::MANAGER;
        assert_eq!(all.letters(), "txrwadCcoOuUPvVq");
        assert_eq!(Permissions::from_letters("txrwadCcoOuUPvVq"), all);
    }
}
