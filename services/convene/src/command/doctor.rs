//! `convene doctor`.

use convene_kit::{
    Error, Result,
    finding::{Finding, Severity, worst},
};
use serde_json::json;

use super::print;
use crate::doctor::{Scope, examine};

/// Examines and prints; fails when there is a failure among the findings.
pub async fn run(scope: Scope, as_json: bool) -> Result<()> {
    let findings = examine(scope).await;
    let said = match as_json {
        true => for_programs(&findings)?,
        false => for_people(&findings),
    };
    print(&said);
    match count(&findings, Severity::Failure) {
        0 => Ok(()),
        failures => Err(Error::refused(
            "DOCTOR_FOUND_FAILURES",
            format!("{failures} of the findings are failures; each says its remedy"),
        )),
    }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    let all = findings.iter();
    all.filter(|finding| finding.severity == severity).count()
}

fn for_programs(findings: &[Finding]) -> Result<String> {
    let all = json!({"severity": worst(findings), "findings": findings});
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn for_people(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!(
            "{:<7}  {}  {}\n         {}\n",
            finding.severity.as_str(),
            finding.code,
            finding.subject,
            finding.says
        ));
        if !finding.remedy.is_empty() {
            text.push_str(&format!("         -> {}\n", finding.remedy));
        }
    }
    text.push_str(&format!(
        "\n{} failures, {} warnings, {} as it should be\n",
        count(findings, Severity::Failure),
        count(findings, Severity::Warning),
        count(findings, Severity::Ok)
    ));
    text
}
