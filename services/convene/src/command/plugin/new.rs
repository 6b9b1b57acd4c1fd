//! A project to begin with: it builds, passes its fixtures, and decides something.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use convene_kit::{Error, Result};

use crate::command::print;

/// In what a plugin is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    /// Rust
    Rust,
}

/// A file of the repository, kept in the program.
macro_rules! kept {
    ($path:literal) => {
        include_str!(concat!("../../../../../plugins/", $path))
    };
}

/// Path in the project, and what stands there.
type File = (&'static str, &'static str);

/// The contract: a project holds its own copy, so it builds anywhere.
const CONTRACT: [File; 8] = [
    ("booking.wit", kept!("wit/0.1.0/booking.wit")),
    ("call.wit", kept!("wit/0.1.0/call.wit")),
    ("capabilities.wit", kept!("wit/0.1.0/capabilities.wit")),
    ("lobby.wit", kept!("wit/0.1.0/lobby.wit")),
    ("meeting.wit", kept!("wit/0.1.0/meeting.wit")),
    ("recording.wit", kept!("wit/0.1.0/recording.wit")),
    ("types.wit", kept!("wit/0.1.0/types.wit")),
    ("workflow.wit", kept!("wit/0.1.0/workflow.wit")),
];

const ALL: [File; 3] = [
    ("wit/world.wit", kept!("sdk/template.wit")),
    (
        "fixtures/expected.json",
        kept!("sdk/fixtures/expected.json"),
    ),
    (
        "fixtures/stranger.json",
        kept!("sdk/fixtures/stranger.json"),
    ),
];

const JS: [File; 5] = [
    ("package.json", kept!("sdk/js/template/package.json")),
    ("convene.js", kept!("sdk/js/convene.js")),
    ("convene.d.ts", kept!("sdk/js/convene.d.ts")),
    ("capabilities.d.ts", kept!("sdk/js/capabilities.d.ts")),
    ("README.md", kept!("sdk/js/template/README.md")),
];

const RUST: [File; 5] = [
    ("Cargo.toml", kept!("sdk/rust/template/Cargo.toml.txt")),
    (".cargo/config.toml", kept!("sdk/rust/template/config.toml")),
    ("src/lib.rs", kept!("sdk/rust/template/lib.rs")),
    ("src/sdk.rs", kept!("sdk/rust/sdk.rs")),
    ("README.md", kept!("sdk/rust/template/README.md")),
];

/// What is built is not kept.
const IGNORED: File = (
    ".gitignore",
    "/build\n/node_modules\n/plugin.wasm\n/target\n",
);

fn files(language: Language) -> Vec<File> {
    let (entry, own): (Option<File>, &[File]) = match language {
        Language::Js => {
            let entry = ("plugin.js", kept!("sdk/js/template/plugin.js"));
            (Some(entry), &JS)
        }
        Language::Ts => {
            let entry = ("plugin.ts", kept!("sdk/js/template/plugin.ts"));
            (Some(entry), &JS)
        }
        Language::Rust => (None, &RUST),
    };
    let files = own.iter().chain(&ALL).copied();
    files.chain(entry).chain([IGNORED]).collect()
}

/// Writes a project into a folder that is not there yet, or empty; the folder's name is the plugin's.
pub fn new(folder: &Path, language: Language) -> Result<()> {
    let name = name(folder)?;
    let cannot = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Error::invalid("folder", "CANNOT_WRITE", message)
        }
    };
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} holds files; name a new folder", folder.display());
        return Err(Error::invalid("folder", "NOT_EMPTY", message));
    }
    let entry = match language {
        Language::Ts => "plugin.ts",
        Language::Js | Language::Rust => "plugin.js",
    };
    let contract = CONTRACT
        .iter()
        .map(|(file, text)| (format!("wit/deps/convene-plugin/{file}"), *text));
    let own = files(language).into_iter();
    let own = own.map(|(file, text)| (file.to_owned(), text));
    for (file, text) in own.chain(contract) {
        let text = text
            .replace("{{name}}", &name)
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{entry}}", entry);
        let path: PathBuf = folder.join(file);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).map_err(cannot(above))?;
        }
        std::fs::write(&path, text).map_err(cannot(&path))?;
    }
    let next = match language {
        Language::Js | Language::Ts => "npm install && npm run build && npm test",
        Language::Rust => "cargo build --release (README.md says how to test it)",
    };
    print(&format!("{}: {next}\n", folder.join("README.md").display()));
    Ok(())
}

/// The folder's name: it becomes the name of an npm package or a crate, and of a WIT package.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<_> = name.split('-').collect();
    let is_word = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if name.len() <= 40 && words.iter().all(is_word) {
        return Ok(name.into_owned());
    }
    Err(Error::invalid(
        "folder",
        "MALFORMED_NAME",
        "the folder's name becomes the plugin's: at most 40 of a-z, 0-9 and -, each word beginning with a letter",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_holds_what_it_needs_and_no_gap() {
        let desk = tempfile::tempdir().unwrap();
        for language in [Language::Js, Language::Ts, Language::Rust] {
            let folder = desk
                .path()
                .join(format!("door-{language:?}").to_lowercase());
            new(&folder, language).unwrap();
            let mut open = vec![folder.clone()];
            let mut files = 0;
            while let Some(path) = open.pop() {
                if path.is_dir() {
                    open.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
                    continue;
                }
                files += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("{{"), "{}", path.display());
            }
            assert!(files > 14, "{files}");
            let world = std::fs::read_to_string(folder.join("wit/world.wit")).unwrap();
            assert!(world.contains("package plugin:door-"), "{world}");
            assert_eq!(new(&folder, language).unwrap_err().reason, "NOT_EMPTY");
        }
    }

    #[test]
    fn every_file_of_the_contract_comes_along() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/wit/0.1.0");
        let mut there: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wit"))
            .collect();
        there.sort();
        assert_eq!(there, CONTRACT.map(|(name, _)| name));
    }

    #[test]
    fn names_that_no_toolchain_takes_are_refused() {
        for good in ["door", "vip-lane2", "x/y/front-desk"] {
            assert!(name(Path::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "..", "Door", "2door", "a--b", "vip-2", "a_b", "döör"] {
            let refused = name(Path::new(bad)).unwrap_err();
            assert_eq!(refused.reason, "MALFORMED_NAME", "{bad}");
        }
    }
}
