//! Compiles the contracts with protox, so that no protoc has to be installed.

use std::{env, error::Error, fs, path::PathBuf};

const PROTOS: [&str; 9] = [
    "convene/event/v1/event.proto",
    "convene/clock/v1/clock.proto",
    "convene/scheduler/v1/scheduler.proto",
    "convene/meeting/v1/meeting.proto",
    "convene/lobby/v1/lobby.proto",
    "convene/recording/v1/recording.proto",
    "convene/webhook/v1/webhook.proto",
    "convene/plugin/v1/plugin.proto",
    "convene/workflow/v1/workflow.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=convene");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(PROTOS)?;

    let descriptors = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(&descriptors, compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
