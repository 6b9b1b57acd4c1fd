//! The folder of the pages holds together: nothing stale, nothing forgotten, every language whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files with this ending below a folder of the pages, by their path there.
fn found(below: &str, ending: &str) -> BTreeMap<String, String> {
    let root = folder().join(below);
    let (mut open, mut files) = (vec![root.clone()], BTreeMap::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.display().to_string().ends_with(ending) {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                files.insert(name, read(&path));
            }
        }
    }
    files
}

#[test]
fn what_is_built_is_of_these_sources() {
    let kept = read(&folder().join("built/sources.sha256"));
    let mut now = String::new();
    for part in ["client", "shared", "wait"] {
        for (name, text) in found(part, ".ts") {
            let digest = digest::sha256(text.as_bytes());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            now.push_str(&format!("{hex}  {part}/{name}\n"));
        }
    }
    assert!(kept == now, "run scripts/pages: built/ is of other sources");
}

#[test]
fn every_file_is_served() {
    let mut wanted = found("built", ".js");
    for (below, ending) in [("style", ".css"), ("locales", ".json")] {
        let files = found(below, ending).into_iter();
        wanted.extend(files.map(|(name, text)| (format!("{below}/{name}"), text)));
    }
    let served = FILES
        .iter()
        .map(|(path, body)| ((*path).to_owned(), (*body).to_owned()));
    let served: BTreeMap<String, String> = served.collect();
    assert_eq!(
        served.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>(),
        "name them in src/pages/files.rs"
    );
    assert!(served == wanted);
}

#[test]
fn pages_ask_for_what_there_is_and_run_nothing_of_their_own() {
    let known: BTreeSet<&str> = FILES.iter().map(|(path, _)| *path).collect();
    for page in [WAIT] {
        for (at, _) in page.match_indices("\"/pages/") {
            let path = page[at + 8..].split('"').next().unwrap();
            assert!(known.contains(path), "{path}");
        }
        let tags = page.split('<').filter(|tag| tag.starts_with("script"));
        for tag in tags {
            assert!(
                tag.contains(" src=\"/pages/") && tag.trim_end().ends_with('>'),
                "{tag}"
            );
        }
        for forbidden in [" style=", "<style", " onclick=", "javascript:", "http"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
    for (path, body) in FILES.iter().filter(|(path, _)| path.ends_with(".js")) {
        for (at, _) in body.match_indices(" from \"") {
            let import = body[at + 7..].split('"').next().unwrap();
            assert!(import.starts_with('.'), "{path} imports {import}");
        }
    }
}

/// What a text is made of: its forms, and for each form the parts that stand in it.
fn shape(text: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let parts = |text: &str| {
        let parts = text.split('{').skip(1);
        parts
            .map(|part| part.split('}').next().unwrap().to_owned())
            .collect()
    };
    match text {
        Value::String(text) => BTreeMap::from([(String::new(), parts(text))]),
        Value::Object(forms) => {
            let forms = forms.iter();
            forms
                .map(|(form, text)| (form.clone(), parts(text.as_str().unwrap())))
                .collect()
        }
        _ => panic!("{text}"),
    }
}

#[test]
fn every_language_says_everything() {
    // The forms that a language has, after Unicode's rules for cardinal numbers.
    let forms: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("ar", &["few", "many", "one", "other", "two", "zero"][..]),
        ("de", &["one", "other"]),
        ("en", &["one", "other"]),
        ("es", &["many", "one", "other"]),
        ("fr", &["many", "one", "other"]),
    ]);
    let texts = found("locales", ".json").into_iter().map(|(name, text)| {
        let texts: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        (name.replace(".json", ""), texts)
    });
    let texts: BTreeMap<String, BTreeMap<String, Value>> = texts.collect();
    assert!(texts.keys().eq(forms.keys()), "{:?}", texts.keys());
    let listed = read(&folder().join("shared/locale.ts"));
    let english = &texts["en"];
    for (locale, own) in &texts {
        assert!(listed.contains(&format!("\n  {locale}: \"")), "{locale}");
        assert_eq!(
            own.keys().collect::<Vec<_>>(),
            english.keys().collect::<Vec<_>>(),
            "{locale}"
        );
        for (key, text) in own {
            let (shape, wanted) = (shape(text), shape(&english[key]));
            if text.is_string() {
                assert_eq!(shape, wanted, "{locale} {key}");
                continue;
            }
            let found: Vec<_> = shape.keys().map(String::as_str).collect();
            assert_eq!(found, forms[locale.as_str()], "{locale} {key}");
            assert_eq!(shape["other"], wanted["other"], "{locale} {key}");
        }
    }
    // And every text that the pages ask for by its name is there.
    for (_, page) in [("wait", WAIT)] {
        for (at, _) in page.match_indices("data-t=\"") {
            let key = page[at + 8..].split('"').next().unwrap();
            assert!(english.contains_key(key), "{key}");
        }
    }
}
