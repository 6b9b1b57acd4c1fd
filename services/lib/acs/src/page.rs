//! One page of a list that is ordered by ids: a page goes on behind the last id of the one before, whatever was added or removed meanwhile.

use serde::{Deserialize, Serialize};

/// Items of a page.
pub const PAGE_MAX: usize = 100;

/// A page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// At most [`PAGE_MAX`].
    pub items: Vec<T>,
    /// The last id, when there is more behind it.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The first page of what comes, each item with its id in rising order.
    pub fn of(items: impl Iterator<Item = (String, T)>) -> Self {
        let mut items = items.peekable();
        let mut page = Self {
            items: Vec::new(),
            next: None,
        };
        while let Some((id, item)) = items.next() {
            page.items.push(item);
            if page.items.len() == PAGE_MAX {
                page.next = items.peek().is_some().then_some(id);
                break;
            }
        }
        page
    }
}
