//! Bounds that all roles share.

/// A call between roles that carries no deadline gets this one, in milliseconds.
pub const DEADLINE_MS: u64 = 10_000;
/// Longest deadline that a caller may ask for, in milliseconds.
pub const DEADLINE_MS_MAX: u64 = 60_000;
/// gRPC message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Items on a page.
pub const PAGE_MAX: u32 = 100;
/// Items on a page when none were asked for.
pub const PAGE_DEFAULT: u32 = 20;
/// Events on a page of a feed.
pub const FEED_PAGE_MAX: u32 = 500;
/// Idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 200;
/// How long an idempotency key is remembered, in milliseconds of business time: seven days.
pub const IDEMPOTENCY_MS: i64 = 7 * 24 * 3_600_000;
/// Names, reasons and other short texts, in characters.
pub const TEXT_CHARS_MAX: usize = 200;
/// Bytes of a chunk when media is streamed.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Making a connection to another process, in milliseconds.
pub const CONNECT_MS_MAX: u64 = 2_000;
/// A connection between processes is asked for a sign of life this often, in milliseconds.
pub const KEEP_ALIVE_MS: u64 = 5_000;
/// A connection without that sign is given up after this, in milliseconds.
pub const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 5_000;
/// Calls and watched feeds that one connection carries at the same time; more wait at their sender.
pub const STREAMS_MAX: u32 = 2_048;

/// The number of items to read for a wish of `first` (0: the default), at most [`PAGE_MAX`].
pub fn page(first: u32) -> u64 {
    u64::from(if first == 0 {
        PAGE_DEFAULT
    } else {
        first.min(PAGE_MAX)
    })
}
