//! How the provider is.

use async_graphql::{Context, Enum, ID, Result, SimpleObject};
use convene_kit::{Error, limits};
use convene_proto::{meeting::v1 as wire, scheduler::v1 as scheduler};

use super::{api, loaders, request, status};
use crate::{
    error::fault,
    ids::{self, Kind},
};

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
pub enum HealthSeverity {
    /// As it should be.
    Ok,
    /// It works, and something wants a look.
    Warning,
    /// Bookings fail, or the installation is not safe.
    Failure,
}

/// What an examination found out; all codes stand in schema/health-findings.md.
#[derive(SimpleObject)]
pub struct HealthFinding {
    /// Stable code, for programs.
    code: String,
    /// How much it matters.
    severity: HealthSeverity,
    /// What kind of thing the subject is: PROVIDER, PERMISSION, USER or CLOCK.
    about: String,
    /// Which permission, user …
    subject: String,
    /// What is wrong, or right.
    says: String,
    /// The command or the steps in a portal that mend it.
    remedy: Option<String>,
}

/// How the provider is, as seen by the meeting broker at this moment.
#[derive(SimpleObject)]
pub struct ProviderHealth {
    /// The worst of the findings.
    severity: HealthSeverity,
    /// Everything that was looked at.
    findings: Vec<HealthFinding>,
}

impl From<wire::Finding> for HealthFinding {
    fn from(finding: wire::Finding) -> Self {
        Self {
            severity: match finding.severity() {
                wire::FindingSeverity::Ok => HealthSeverity::Ok,
                wire::FindingSeverity::Failure => HealthSeverity::Failure,
                wire::FindingSeverity::Warning | wire::FindingSeverity::Unspecified => {
                    HealthSeverity::Warning
                }
            },
            code: finding.code,
            about: finding.about,
            subject: finding.subject,
            says: finding.says,
            remedy: Some(finding.remedy).filter(|remedy| !remedy.is_empty()),
        }
    }
}

/// Lets the broker examine the provider and the provider users of these hosts, of the tenant's first when none are named.
pub async fn examine(ctx: &Context<'_>, hosts: Option<Vec<ID>>) -> Result<ProviderHealth> {
    let users = match hosts {
        Some(hosts) => users_of(ctx, hosts).await?,
        None => first_users(ctx).await?,
    };
    let users = users.into_iter().filter(|user| !user.is_empty()).collect();
    let message = request(ctx, wire::ProviderHealthRequest { users })?;
    let examined = api(ctx)?.broker().provider_health(message).await;
    let findings = examined.map_err(status)?.into_inner().findings;
    let findings: Vec<HealthFinding> = findings.into_iter().map(Into::into).collect();
    let worst = findings.iter().map(|finding| finding.severity).max();
    Ok(ProviderHealth {
        severity: worst.unwrap_or(HealthSeverity::Ok),
        findings,
    })
}

async fn users_of(ctx: &Context<'_>, hosts: Vec<ID>) -> Result<Vec<String>> {
    if hosts.len() > limits::PAGE_MAX as usize {
        let message = format!("ask for at most {} hosts at once", limits::PAGE_MAX);
        return Err(fault(Error::invalid("hostIds", "TOO_MANY_IDS", message)));
    }
    let ids = hosts.iter();
    let ids = ids.map(|id| ids::text(Kind::Host, "hostIds", id).map_err(fault));
    let ids = ids.collect::<Result<Vec<_>>>()?;
    let known = loaders(ctx)?.hosts.load_many(ids.clone()).await;
    let mut known = known.map_err(fault)?;
    let users = ids.iter().map(|id| {
        let host = known.remove(id).ok_or_else(|| Error::not_found("host"));
        host.map(|host| host.provider_user).map_err(fault)
    });
    users.collect()
}

async fn first_users(ctx: &Context<'_>) -> Result<Vec<String>> {
    let page = scheduler::Page {
        first: limits::PAGE_MAX,
        after_id: String::new(),
    };
    let message = scheduler::ListHostsRequest { page: Some(page) };
    let mut scheduler = api(ctx)?.scheduler();
    let listed = scheduler.list_hosts(request(ctx, message)?).await;
    let hosts = listed.map_err(status)?.into_inner().hosts.into_iter();
    Ok(hosts.map(|host| host.provider_user).collect())
}
