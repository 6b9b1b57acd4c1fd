//! What the contract's files generate, one module a version and hook.

/// Version 0.1.
pub mod v0_1 {
    #![allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
    wasmtime::component::bindgen!({
        path: "../wit/0.1.0",
        world: "lobby-hook",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}
