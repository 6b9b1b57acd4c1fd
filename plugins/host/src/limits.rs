//! What a module and a call may cost at most.

use serde::{Deserialize, Serialize};

/// Bounds of a module, judged before anything is compiled: compiling is work that a small file can make large.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of the file.
    pub bytes: usize,
    /// Core modules and components in it, itself included.
    pub modules: usize,
    /// How deep they may be nested.
    pub nesting: usize,
    /// Functions with a body, over all core modules.
    pub functions: usize,
    /// Bytes of one function's body.
    pub function_bytes: usize,
    /// Local variables of one function.
    pub locals: u64,
    /// How deep blocks may be nested in a function.
    pub blocks: usize,
    /// Types, imports, exports, globals, elements and the like, over all sections.
    pub items: u64,
}

impl Default for Bounds {
    /// Enough for Rust, C and Zig, and for JavaScript with its interpreter (1.6 MB).
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            modules: 128,
            nesting: 8,
            functions: 10_000,
            function_bytes: 256 << 10,
            locals: 2_000,
            blocks: 1_000,
            items: 50_000,
        }
    }
}

/// Budget of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time in milliseconds, waiting for a place and for capabilities included.
    pub time_ms: u64,
    /// Instructions, roughly. The same call costs the same fuel every time.
    pub fuel: u64,
    /// Bytes of linear memory, over all memories.
    pub memory_bytes: usize,
    /// Entries of tables, over all tables.
    pub table_elements: usize,
    /// Calls of capabilities, logging included.
    pub host_calls: u32,
    /// Bytes of log lines and explanations.
    pub log_bytes: usize,
    /// Bytes that one crossing between plugin and host may copy: one answer, one argument list.
    pub crossing_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 250,
            fuel: 50_000_000,
            memory_bytes: 32 << 20,
            table_elements: 20_000,
            host_calls: 200,
            log_bytes: 16 << 10,
            crossing_bytes: 256 << 10,
        }
    }
}

/// What the host as a whole may use.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Calls that run at the same time; others wait for their turn within their own time.
    pub calls: usize,
    /// The largest `memory_bytes` that any call can be given.
    pub memory_bytes: usize,
    /// The largest `table_elements` that any call can be given.
    pub table_elements: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            calls: 16,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
        }
    }
}
