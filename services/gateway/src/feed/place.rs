//! Where an execution stands, for those who run it.

use std::sync::{Arc, Mutex, PoisonError};

use super::Cursor;

/// Begins an execution behind a cursor, whatever the request says, and follows it. Without a cursor the request's word holds.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<Mutex<Option<Cursor>>>);

impl Place {
    pub fn at(cursor: Option<Cursor>) -> Self {
        Self(Arc::new(Mutex::new(cursor)))
    }

    /// Behind the newest event that was taken in.
    pub fn get(&self) -> Option<Cursor> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, cursor: Cursor) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor);
    }
}
