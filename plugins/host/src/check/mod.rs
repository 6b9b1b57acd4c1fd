//! What can be seen of a module without compiling it.
//!
//! Compiling costs far more than reading: a few kilobytes can keep a compiler busy for minutes. So the sizes are counted first, then the format is
//! validated, then the names of imports and exports are held against the contract, and only then is anything compiled.

pub mod contract;
mod size;

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::{Bounds, Limits, refusal::Refusal};

/// Names of a component's own imports and exports.
#[derive(Debug, Default)]
pub struct Outline {
    /// In the order of the file.
    pub imports: Vec<String>,
    /// In the order of the file.
    pub exports: Vec<String>,
}

/// What plugins may use of WebAssembly: what compilers use today, nothing that could make two runs differ.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Reads a module and judges it by its size and form.
pub fn check(bytes: &[u8], bounds: &Bounds, limits: &Limits) -> Result<Outline, Refusal> {
    if bytes.len() > bounds.bytes {
        return Err(Refusal::TooLarge {
            bytes: bytes.len(),
            limit: bounds.bytes,
        });
    }
    if !bytes.starts_with(b"\0asm") {
        let text = "the file is not WebAssembly (it does not begin with \\0asm)";
        return Err(Refusal::NotAComponent(text.into()));
    }
    let outline = walk(bytes, bounds, limits)?;
    Validator::new_with_features(FEATURES)
        .validate_all(bytes)
        .map_err(|error| malformed(&error))?;
    Ok(outline)
}

fn walk(bytes: &[u8], bounds: &Bounds, limits: &Limits) -> Result<Outline, Refusal> {
    let mut outline = Outline::default();
    let mut count = size::Count::new(bounds, limits);
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| malformed(&error))?;
        match &payload {
            Payload::Version { encoding, .. } => {
                if depth == 0 && *encoding == Encoding::Module {
                    let text = "the file is a core module, not a component";
                    return Err(Refusal::NotAComponent(text.into()));
                }
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section.clone() {
                    let import = import.map_err(|error| malformed(&error))?;
                    outline.imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section.clone() {
                    let export = export.map_err(|error| malformed(&error))?;
                    outline.exports.push(export.name.name.to_owned());
                }
            }
            _ => {}
        }
        count.add(&payload, depth)?;
    }
    Ok(outline)
}

fn malformed(error: &wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Malformed(crate::reason::short(&format!(
        "{} (at byte {})",
        error.message(),
        error.offset()
    )))
}
