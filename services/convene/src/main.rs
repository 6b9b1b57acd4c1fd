//! The `convene` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Once per process, before any TLS: there is no default provider otherwise.
    let _ = rustls::crypto::ring::default_provider().install_default();
    convene::cli::main()
}
