//! Plugins on a developer's desk: the host of a node, without a node.

use std::path::Path;

use convene_kit::{Error, Result};
use convene_plugin_host::{
    Call, Grants, Host, Limits, Outcome, Plugin, Record, Settings,
    hook::lobby::{Lobby, Verdict},
};
use serde_json::{Value, json};

use super::{fixture::Fixture, read};
use crate::command::print;

/// The module, as a node would take it.
async fn taken(path: &Path) -> Result<(Host, Plugin)> {
    let host = Host::new(Settings::default());
    let host = host.map_err(|unable| Error::internal(unable.to_string()))?;
    let limits = Limits {
        time_ms: 10_000,
        ..Limits::default()
    };
    let module = read(path).await?;
    let taken = host.validate(module, &Grants::all(), &limits).await;
    let plugin = taken.map_err(|refusal| {
        let text = refusal.to_string();
        let text = text
            .split_once(": ")
            .map_or("", |(_, text)| text)
            .to_owned();
        Error::refused(refusal.name(), text)
    })?;
    Ok((host, plugin))
}

/// Says what a module is and asks for.
pub async fn check(path: &Path) -> Result<()> {
    let (_, plugin) = taken(path).await?;
    print(&format!(
        "{}\nhooks: {}\nto be granted: {}\n",
        plugin.digest(),
        plugin.hooks().join(", "),
        match plugin.capabilities() {
            none if none.is_empty() => "nothing".to_owned(),
            some => some.join(", "),
        },
    ));
    Ok(())
}

/// Puts one fixture to a module.
pub async fn run(path: &Path, fixture: &Path, whole: bool) -> Result<()> {
    let (host, plugin) = taken(path).await?;
    let fixture = Fixture::parse(&read(fixture).await?)?;
    let record = asked(&host, &plugin, &fixture).await;
    if whole {
        print(&format!("{}\n", serde_json::to_string_pretty(&record)?));
        return Ok(());
    }
    for line in &record.logs {
        print(&format!("{:<5}  {}\n", line.level, line.message));
    }
    for node in &record.because {
        let holds = if node.outcome { "yes" } else { "no" };
        print(&format!("because {}: {holds} {}\n", node.rule, node.detail));
    }
    for write in &record.writes {
        let what = if write.entry.is_some() {
            "keeps"
        } else {
            "deletes"
        };
        print(&format!("{what} {}\n", write.key));
    }
    print(&format!(
        "{}  ({} fuel, {} KiB, {} us)\n",
        said(&record),
        record.fuel,
        record.memory_bytes >> 10,
        record.duration_us
    ));
    Ok(())
}

/// Puts every fixture of a folder to a module; fails when one expects something else.
pub async fn test(path: &Path, folder: &Path) -> Result<()> {
    let (host, plugin) = taken(path).await?;
    let cannot = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", folder.display());
        Error::invalid("fixtures", "CANNOT_READ", message)
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let fixture = Fixture::parse(&read(&file).await?).map_err(|error| {
            Error::invalid(
                "fixtures",
                "FIXTURE_MALFORMED",
                format!("{name}: {}", error.message),
            )
        })?;
        let Some(expected) = fixture.expect.clone() else {
            let message = format!(
                "{name} expects nothing; add \"expect\": {{\"admit\": \"VIP\"}} or the like"
            );
            return Err(Error::invalid("fixtures", "NOTHING_EXPECTED", message));
        };
        let said = said(&asked(&host, &plugin, &fixture).await);
        if said == expected {
            passed += 1;
            print(&format!("ok      {name}  {said}\n"));
        } else {
            failed += 1;
            print(&format!("FAILED  {name}  {said}, expected {expected}\n"));
        }
    }
    print(&format!("{passed} passed, {failed} failed\n"));
    match (passed, failed) {
        (0, 0) => Err(Error::invalid(
            "fixtures",
            "NOTHING_EXPECTED",
            "the folder holds no .json file",
        )),
        (_, 0) => Ok(()),
        _ => Err(Error::refused(
            "FIXTURES_FAILED",
            format!("{failed} fixtures expected something else"),
        )),
    }
}

async fn asked(host: &Host, plugin: &Plugin, fixture: &Fixture) -> Record {
    let (context, input, limits) = (fixture.context(), fixture.arrival(), fixture.limits());
    let call = Call::<Lobby> {
        context: &context,
        input: &input,
        grants: &fixture.grants,
        limits: &limits,
    };
    host.call(plugin, call, fixture.ports()).await.record
}

/// The verdict, such as `{"admit":"VIP"}`; a fault as `{"fault":"TRAP"}`.
fn said(record: &Record) -> Value {
    match &record.outcome {
        Outcome::Verdict(verdict) => match serde_json::from_value::<Verdict>(verdict.clone()) {
            Ok(_) => verdict.clone(),
            Err(error) => json!({ "malformed": error.to_string() }),
        },
        Outcome::Fault(fault) => json!({ "fault": fault.reason.name() }),
    }
}

#[cfg(test)]
mod tests {
    use convene_plugin_fixtures::{Lobby as Module, case};

    use super::*;

    fn desk(module: &Module, fixtures: &[(&str, &str)]) -> tempfile::TempDir {
        let desk = tempfile::tempdir().unwrap();
        std::fs::write(desk.path().join("plugin.wasm"), module.build()).unwrap();
        for (name, text) in fixtures {
            std::fs::write(desk.path().join(name), text).unwrap();
        }
        desk
    }

    async fn tested(desk: &tempfile::TempDir) -> Result<()> {
        test(&desk.path().join("plugin.wasm"), desk.path()).await
    }

    /// Admits whoever has a name.
    fn named() -> Module {
        Module::does(
            "(call $decide (i32.eqz (i32.load8_u offset=88 (local.get $told)))
                           (global.get $text) (global.get $text_bytes))",
        )
    }

    #[tokio::test]
    async fn fixtures_say_what_they_expect() {
        let known = r#"{"input": {"guest": {"displayName": "Ada"}}, "expect": {"admit": "OK"}}"#;
        let unknown = r#"{"grants": {"kvBytes": 10}, "expect": {"wait": "OK"}}"#;
        let desk = desk(&named(), &[("a.json", known), ("b.json", unknown)]);
        tested(&desk).await.unwrap();
        check(&desk.path().join("plugin.wasm")).await.unwrap();
        run(
            &desk.path().join("plugin.wasm"),
            &desk.path().join("a.json"),
            true,
        )
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn what_does_not_fit_fails() {
        let wrong = r#"{"expect": {"admit": "OK"}}"#;
        let refused = async |fixture| {
            let desk = desk(&named(), &[("a.json", fixture)]);
            tested(&desk).await.unwrap_err().reason
        };
        assert_eq!(refused(wrong).await, "FIXTURES_FAILED");
        assert_eq!(refused("{}").await, "NOTHING_EXPECTED");
        assert_eq!(refused(r#"{"inputs": {}}"#).await, "FIXTURE_MALFORMED");
        let empty = desk(&Module::always(case::ADMIT, "OK"), &[]);
        assert_eq!(tested(&empty).await.unwrap_err().reason, "NOTHING_EXPECTED");
        let broken = desk(
            &Module::does("(unreachable)"),
            &[("a.json", r#"{"expect": {"fault": "TRAP"}}"#)],
        );
        tested(&broken).await.unwrap();
        let core = tempfile::tempdir().unwrap();
        std::fs::write(core.path().join("plugin.wasm"), b"\0asm\x01\0\0\0").unwrap();
        let refused = check(&core.path().join("plugin.wasm")).await.unwrap_err();
        assert_eq!(refused.reason, "NOT_A_COMPONENT");
    }
}
