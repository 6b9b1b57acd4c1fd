//! Counts what makes compiling and starting expensive.

use wasmparser::{FunctionBody, Operator, Payload};

use super::malformed;
use crate::{Bounds, Limits, refusal::Refusal};

const PAGE: u64 = 64 << 10;

pub struct Count<'a> {
    bounds: &'a Bounds,
    limits: &'a Limits,
    modules: usize,
    functions: usize,
    items: u64,
}

impl<'a> Count<'a> {
    pub fn new(bounds: &'a Bounds, limits: &'a Limits) -> Self {
        Self {
            bounds,
            limits,
            modules: 0,
            functions: 0,
            items: 0,
        }
    }

    /// Counts one section or function body; `depth` is that of the module it stands in.
    pub fn add(&mut self, payload: &Payload<'_>, depth: usize) -> Result<(), Refusal> {
        match payload {
            Payload::Version { .. } => {
                self.modules += 1;
                bound("modules", self.modules, self.bounds.modules)?;
                bound("levels of nesting", depth, self.bounds.nesting)?;
            }
            Payload::CodeSectionStart { count, .. } => {
                // Before the bodies are read.
                self.functions = self.functions.saturating_add(*count as usize);
                bound("functions", self.functions, self.bounds.functions)?;
            }
            Payload::CodeSectionEntry(body) => self.body(body)?,
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let initial = memory.map_err(|error| malformed(&error))?.initial;
                    let bytes = initial.saturating_mul(PAGE);
                    starts("memory bytes", bytes, self.limits.memory_bytes)?;
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let initial = table.map_err(|error| malformed(&error))?.ty.initial;
                    starts("table elements", initial, self.limits.table_elements)?;
                }
            }
            _ => {}
        }
        self.items = self.items.saturating_add(items(payload));
        if self.items > self.bounds.items {
            return Err(Refusal::TooComplex {
                what: "items in its sections",
                found: self.items,
                limit: self.bounds.items,
            });
        }
        Ok(())
    }

    fn body(&self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        let bytes = body.range().len();
        bound("bytes in a function", bytes, self.bounds.function_bytes)?;
        let mut locals = 0_u64;
        let reader = body.get_locals_reader();
        for local in reader.map_err(|error| malformed(&error))? {
            locals += u64::from(local.map_err(|error| malformed(&error))?.0);
        }
        if locals > self.bounds.locals {
            return Err(Refusal::TooComplex {
                what: "locals in a function",
                found: locals,
                limit: self.bounds.locals,
            });
        }
        let mut depth = 0_usize;
        let reader = body.get_operators_reader();
        for operator in reader.map_err(|error| malformed(&error))? {
            match operator.map_err(|error| malformed(&error))? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    depth += 1;
                    bound("nested blocks in a function", depth, self.bounds.blocks)?;
                }
                Operator::End => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

fn bound(what: &'static str, found: usize, limit: usize) -> Result<(), Refusal> {
    if found <= limit {
        return Ok(());
    }
    Err(Refusal::TooComplex {
        what,
        found: found as u64,
        limit: limit as u64,
    })
}

fn starts(what: &'static str, found: u64, limit: usize) -> Result<(), Refusal> {
    let limit = limit as u64;
    if found <= limit {
        return Ok(());
    }
    Err(Refusal::StartsTooLarge { what, found, limit })
}

/// Entries of a section.
fn items(payload: &Payload<'_>) -> u64 {
    let count = match payload {
        Payload::TypeSection(section) => section.count(),
        Payload::ImportSection(section) => section.count(),
        Payload::FunctionSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::TagSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentTypeSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    };
    u64::from(count)
}
