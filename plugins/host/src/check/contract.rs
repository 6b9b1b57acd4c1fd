//! Holds a module's imports and exports against the contract, so that a refusal names what to change. (The runtime says the same sentence for a wrong version
//! and for a capability that is withheld.)

use super::Outline;
use crate::{CONTRACT, Grants, refusal::Refusal};

const PACKAGE: &str = "convene:plugin/";
/// Hooks that services call.
const SERVED: [&str; 1] = ["lobby"];
/// Hooks of the contract that nobody calls yet.
const UNSERVED: [&str; 5] = ["booking", "meeting", "call", "recording", "workflow"];

/// The served hooks that a module exports; at least one.
pub fn hooks(outline: &Outline) -> Result<Vec<&'static str>, Refusal> {
    let mut hooks = Vec::new();
    let mut unserved = Vec::new();
    for name in &outline.exports {
        let Some(interface) = of_contract(name)? else {
            // Some compilers add exports of their own.
            continue;
        };
        if let Some(hook) = SERVED.iter().find(|hook| **hook == interface) {
            hooks.push(*hook);
        } else if UNSERVED.contains(&interface) {
            unserved.push(interface);
        } else {
            return Err(Refusal::HookNotServed(format!(
                "the module exports {name}, and the contract has no such hook"
            )));
        }
    }
    match (hooks.is_empty(), unserved.first()) {
        (false, _) => Ok(hooks),
        (true, Some(hook)) => Err(Refusal::HookNotServed(format!(
            "the module exports {hook} only, which no service calls yet; served: {}",
            SERVED.join(", ")
        ))),
        (true, None) => Err(Refusal::NoHook),
    }
}

/// Capabilities that have to be granted.
const GRANTED: [&str; 3] = ["kv", "http", "facts"];

/// The capabilities among a module's imports that have to be granted.
pub fn capabilities(outline: &Outline) -> Vec<&'static str> {
    let imported = |capability: &&&str| {
        let wanted = format!("{PACKAGE}{capability}@");
        outline.imports.iter().any(|name| name.starts_with(&wanted))
    };
    GRANTED.iter().filter(imported).copied().collect()
}

/// `Ok` when every import is there and granted.
pub fn imports(outline: &Outline, grants: &Grants) -> Result<(), Refusal> {
    for name in &outline.imports {
        let Some(interface) = of_contract(name)? else {
            return Err(Refusal::ImportUnknown(foreign(name)));
        };
        let granted = match interface {
            "types" | "log" | "explain" => true,
            "kv" => grants.kv_bytes > 0,
            "http" => !grants.http.is_empty(),
            "facts" => grants.facts,
            _ => {
                return Err(Refusal::ImportUnknown(format!(
                    "the module imports {name}, and the contract has no such capability"
                )));
            }
        };
        if !granted {
            return Err(Refusal::CapabilityNotGranted(format!(
                "the module imports {name}, which is not granted; grant {interface}, or build it without"
            )));
        }
    }
    Ok(())
}

fn foreign(name: &str) -> String {
    let hint = if name.starts_with("wasi:") {
        ": a plugin has no files, sockets, clocks or random numbers. Build it for wasm32-unknown-unknown, or with --stub-wasi"
    } else {
        "; a plugin may import interfaces of convene:plugin only"
    };
    format!("the module imports {name}{hint}")
}

/// The interface of a name such as `convene:plugin/lobby@0.1.0`, when it is the contract's, in a version that is served.
fn of_contract(name: &str) -> Result<Option<&str>, Refusal> {
    let Some(rest) = name.strip_prefix(PACKAGE) else {
        return Ok(None);
    };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    if !is_served(version) {
        let found = if version.is_empty() { "none" } else { version };
        return Err(Refusal::ContractUnsupported(format!(
            "the module names version {found} of the contract ({name}); this host serves 0.1.0 to {CONTRACT}"
        )));
    }
    Ok(Some(interface))
}

/// Whether the host has everything that a plugin built for `version` may use: the same minor version, and no later patch.
fn is_served(version: &str) -> bool {
    let parts = |text: &str| -> Option<[u32; 3]> {
        let mut parts = text.splitn(3, '.').map(|part| part.parse().ok());
        Some([parts.next()??, parts.next()??, parts.next()??])
    };
    let (Some(theirs), Some(ours)) = (parts(version), parts(CONTRACT)) else {
        return false;
    };
    theirs[..2] == ours[..2] && theirs[2] <= ours[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_same_minor_are_served_up_to_ours() {
        assert!(is_served("0.1.0"));
        for other in ["", "0.1", "0.1.1", "0.2.0", "1.1.0", "0.1.0-dev", "0.1.x"] {
            assert!(!is_served(other), "{other}");
        }
    }

    #[test]
    fn foreign_exports_are_ignored() {
        let outline = Outline {
            imports: vec![],
            exports: vec!["init".into(), "convene:plugin/lobby@0.1.0".into()],
        };
        assert_eq!(hooks(&outline).unwrap(), ["lobby"]);
    }
}
