//! Where new ids come from.

use uuid::Uuid;

/// A new time-ordered id (UUIDv7); rising within a process, so that rows made one after the other also sort so.
pub fn new() -> Uuid {
    Uuid::now_v7()
}
