//! A page of a sorted list out of entries that come in any order.
//!
//! Servers sort at most what an index allows, so every entry comes by; but no more of them are kept
//! than the page holds, however many there are.

use std::collections::BTreeMap;

use ocis_core::port::{Cursor, Page, PageRequest};

/// The most items of a page.
const MAX_PAGE: u32 = 1000;

/// The first items after a cursor.
#[derive(Debug)]
pub(super) struct Selection<T> {
    after: Option<String>,
    most: usize,
    /// One more than the page holds, so that it is known whether there is a next one.
    found: BTreeMap<String, T>,
}

impl<T> Selection<T> {
    pub(super) fn new(request: &PageRequest) -> Self {
        Self {
            after: request.cursor.as_ref().map(|Cursor(key)| key.clone()),
            most: request.limit.clamp(1, MAX_PAGE) as usize,
            found: BTreeMap::new(),
        }
    }

    /// Keeps the item if it belongs to the page, by its name without regard to case.
    pub(super) fn offer(&mut self, name: &str, item: impl FnOnce() -> Option<T>) {
        let key = name.to_lowercase();
        let too_early = self.after.as_ref().is_some_and(|after| key <= *after);
        let is_full = self.found.len() > self.most;
        let too_late = is_full && self.found.last_key_value().is_some_and(|(last, _)| key > *last);
        if too_early || too_late || self.found.contains_key(&key) {
            return;
        }
        if let Some(item) = item() {
            self.found.insert(key, item);
        }
        if self.found.len() > self.most + 1 {
            self.found.pop_last();
        }
    }

    /// The items in order, and where the next page begins.
    pub(super) fn page(mut self) -> Page<T> {
        let more = self.found.len() > self.most;
        if more {
            self.found.pop_last();
        }
        let last = self.found.last_key_value().map(|(key, _)| Cursor(key.clone()));
        Page { next: last.filter(|_| more), items: self.found.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sorted_and_whole_whatever_the_order_of_entries() {
        let names: Vec<String> = (0..50).map(|n| format!("User{:02}", (n * 37) % 50)).collect();
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let mut selection = Selection::new(&PageRequest { cursor, limit: 7 });
            for name in &names {
                selection.offer(name, || Some(name.clone()));
                assert!(selection.found.len() <= 8);
            }
            let page = selection.page();
            assert!(page.items.len() <= 7);
            all.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let mut sorted = names;
        sorted.sort();
        assert_eq!(all, sorted);
    }

    #[test]
    fn an_exact_page_has_no_next() {
        let mut selection = Selection::new(&PageRequest { cursor: None, limit: 2 });
        selection.offer("b", || Some(1));
        selection.offer("A", || Some(2));
        let page = selection.page();
        assert_eq!((page.items, page.next), (vec![2, 1], None));
    }
}
