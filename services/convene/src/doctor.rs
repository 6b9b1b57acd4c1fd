//! What is wrong with an installation, and what mends it. Everything is read and nothing changed; nothing here needs a running node.

mod certificates;
mod configuration;
mod database;
mod findings;
mod peers;
mod provider;

use std::path::PathBuf;

use convene_kit::{Clock, finding::Finding};

pub use findings::FINDINGS;

use crate::{config::Config, roles::RoleName};
use findings as found;

/// What is examined.
#[derive(Debug, Default)]
pub struct Scope {
    /// TOML file of the process; defaults and environment only when left out.
    pub file: Option<PathBuf>,
    /// Data folder, in place of the configuration's.
    pub data: Option<PathBuf>,
    /// Roles of the process; all when empty.
    pub roles: Vec<RoleName>,
    /// Users of the provider; those of the hosts when empty.
    pub users: Vec<String>,
}

/// Examines configuration, keys, certificates, databases, peers and provider, in this order; each look is bounded in time.
pub async fn examine(scope: Scope) -> Vec<Finding> {
    let subject = match &scope.file {
        Some(file) => file.display().to_string(),
        None => "defaults and environment".to_owned(),
    };
    let mut config = match Config::load(scope.file.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            let detail = [("detail", error.message.as_str())];
            return vec![found::CONFIGURATION_UNUSABLE.with(&subject, &detail)];
        }
    };
    if let Some(data) = scope.data {
        config.data = data;
    }
    let roles = match scope.roles.is_empty() {
        true => RoleName::all(),
        false => scope.roles,
    };
    let mut findings = vec![found::CONFIGURATION_LOADS.of(&subject)];
    findings.extend(configuration::addresses(&config));
    findings.push(configuration::keys(&config, &roles));
    if let Some(tls) = &config.tls {
        let listening: Vec<_> = config.listen.keys().copied().collect();
        findings.extend(certificates::examine(tls, &listening, &Clock::default()));
    }
    findings.extend(database::examine(&config, &roles).await);
    // What keeps TLS from being used has been told.
    if let Ok(tls) = config.tls() {
        findings.extend(peers::examine(&config, tls.as_ref()).await);
    }
    if calls_provider(&roles) {
        findings.extend(provider::examine(&config, scope.users).await);
    }
    findings
}

/// Only the broker talks to the provider.
fn calls_provider(roles: &[RoleName]) -> bool {
    let broker = |role: &RoleName| role.as_str() == convene_meeting_broker::NAME;
    roles.iter().any(broker)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use convene_kit::finding::Severity;

    use super::*;

    #[test]
    fn codes_are_told_apart_and_only_good_ones_lack_a_remedy() {
        let all = FINDINGS.iter().chain(convene_meeting_broker::FINDINGS);
        let codes: BTreeSet<_> = all.clone().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), all.count());
        for kind in FINDINGS {
            assert_eq!(
                kind.remedy.is_empty(),
                kind.severity == Severity::Ok,
                "{}",
                kind.code
            );
        }
    }
}
