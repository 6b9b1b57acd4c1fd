//! The gRPC contracts between the roles, generated from `proto/convene/**`. No logic lives here.
#![allow(
    missing_docs,
    clippy::all,
    clippy::large_futures,
    unused_qualifications
)]

/// Names every contract as `module::v1`.
macro_rules! contracts {
    ($($module:ident),*) => {$(
        pub mod $module {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/convene.", stringify!($module), ".v1.rs"));
            }
        }
    )*};
}

contracts!(
    event, clock, scheduler, meeting, lobby, recording, webhook, plugin, workflow
);

/// Encoded `FileDescriptorSet` of all contracts, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
