//! What the memory of the provider holds of one kind, so many at most: of one person, so that
//! nobody puts others out, and of all.

use std::collections::{HashMap, HashSet};

use ocis_core::id::UserId;
use ocis_core::time::Timestamp;

/// How many there can be, of one person and of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) of_one: usize,
    pub(super) of_all: usize,
}

/// Something of a person that ends.
pub(super) trait Entry {
    fn user(&self) -> &UserId;
    fn until(&self) -> Timestamp;
}

/// Entries by their ids.
#[derive(Debug)]
pub(super) struct Kept<T> {
    entries: HashMap<String, T>,
    by_user: HashMap<UserId, HashSet<String>>,
    most: Most,
}

impl<T: Entry> Kept<T> {
    pub(super) fn new(most: Most) -> Self {
        Self { entries: HashMap::new(), by_user: HashMap::new(), most }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(id)
    }

    /// The entry, to be changed; its person stays.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.entries.get_mut(id)
    }

    /// Adds or replaces an entry. Where there is no room for one more, that which would end first
    /// goes: its id is returned.
    pub(super) fn insert(&mut self, id: &str, entry: T) -> Option<String> {
        let gone = match self.entries.contains_key(id) {
            true => self.remove(id).and(None),
            false => self.make_room(entry.user()),
        };
        self.by_user.entry(entry.user().clone()).or_default().insert(id.to_owned());
        self.entries.insert(id.to_owned(), entry);
        gone
    }

    fn make_room(&mut self, user: &UserId) -> Option<String> {
        let own = self.by_user.get(user);
        let gone = match own.filter(|own| own.len() >= self.most.of_one) {
            Some(own) => {
                let mine = own.iter().filter_map(|id| self.entries.get_key_value(id));
                mine.min_by_key(|(_, entry)| entry.until()).map(|(id, _)| id.clone())
            }
            None if self.entries.len() >= self.most.of_all => {
                self.entries.iter().min_by_key(|(_, entry)| entry.until()).map(|(id, _)| id.clone())
            }
            None => None,
        };
        gone.inspect(|id| drop(self.remove(id)))
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<T> {
        let entry = self.entries.remove(id)?;
        if let Some(own) = self.by_user.get_mut(entry.user()) {
            own.remove(id);
            if own.is_empty() {
                self.by_user.remove(entry.user());
            }
        }
        Some(entry)
    }

    /// Removes what has ended; returns the ids.
    pub(super) fn sweep(&mut self, now: Timestamp) -> Vec<String> {
        let ended = self.entries.iter().filter(|(_, entry)| entry.until() <= now);
        let ids: Vec<String> = ended.map(|(id, _)| id.clone()).collect();
        for id in &ids {
            self.remove(id);
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(UserId, i64);

    impl Entry for Thing {
        fn user(&self) -> &UserId {
            &self.0
        }

        fn until(&self) -> Timestamp {
            Timestamp::from_unix(self.1, 0).unwrap()
        }
    }

    fn thing(user: &str, until: i64) -> Thing {
        Thing(UserId::parse(user).unwrap(), until)
    }

    #[test]
    fn nobody_puts_others_out() {
        let mut kept = Kept::new(Most { of_one: 3, of_all: 5 });
        for (id, user, until) in [("a", "x", 1), ("b", "y", 5), ("c", "y", 9), ("d", "y", 7)] {
            assert_eq!(kept.insert(id, thing(user, until)), None);
        }
        assert_eq!(kept.insert("b", thing("y", 8)), None, "it is there already");
        assert_eq!(kept.insert("e", thing("y", 6)).as_deref(), Some("d"), "their own");
        assert_eq!(kept.insert("f", thing("z", 9)), None);
        assert_eq!(kept.insert("g", thing("z", 9)).as_deref(), Some("a"), "the first to end");
        assert_eq!(kept.sweep(Timestamp::from_unix(8, 0).unwrap()).len(), 2);
        let users: Vec<_> = kept.by_user.values().map(HashSet::len).collect();
        assert_eq!((kept.len(), users.iter().sum::<usize>()), (3, 3));
    }
}
