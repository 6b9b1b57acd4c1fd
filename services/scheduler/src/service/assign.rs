//! Who takes a booking: decided in its transaction, behind the locks of all hosts who might.

use std::collections::{BTreeMap, BTreeSet};

use convene_domain::{
    HostId, Interval, Refused, ServiceId, TenantId,
    assignment::{self, Assignment, Member, Mode},
};
use convene_kit::{Context, Error, Origin, Result, Tx, Writes};

use super::{Scheduler, book::NewGuest};
use crate::store::{self, host_load, service};

/// Whom a wish is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// These; those of the service's assignment when empty.
    pub hosts: Vec<HostId>,
    /// All of them together, not one of them. Without hosts the assignment says.
    pub all: bool,
    /// What whoever takes it has to be able to.
    pub skills: BTreeSet<String>,
}

/// Who takes a booking.
pub struct Assigned {
    /// Who organises the meeting.
    pub host: HostId,
    /// Who else is taken.
    pub co_hosts: Vec<HostId>,
    /// Whether it counts for the shares of the service's assignment.
    pub counted: bool,
}

const NOBODY: Refused = Refused::new(
    "HOST_MISSING",
    "the service has no assignment; name hosts, or set one with setServiceAssignment",
);
pub const NOT_ABLE: Refused = Refused::new(
    "NO_HOST_WITH_SKILLS",
    "no host of the service has all these skills; ask for fewer",
);
const NOT_A_MEMBER: Refused = Refused::new(
    "HOST_NOT_ASSIGNED",
    "this host does not take bookings of the service; setServiceAssignment says who does",
);

/// The hosts that may take a wish, and how many of them have to.
pub fn candidates(assignment: Option<Assignment>, whom: &Whom) -> Result<(Mode, Vec<Member>)> {
    assignment::check_skills(&whom.skills)?;
    let mode = match whom.all {
        true => Mode::Collective,
        false => Mode::RoundRobin,
    };
    match (whom.hosts.as_slice(), assignment) {
        ([], None) => Err(Error::from(NOBODY).on_field("hostId")),
        ([], Some(assignment)) => Ok((assignment.mode, assignment.members)),
        (hosts, None) => Ok((mode, hosts.iter().copied().map(Member::equal).collect())),
        (hosts, Some(assignment)) => {
            let members = hosts.iter().map(|host| {
                let mut members = assignment.members.iter();
                let member = members.find(|member| member.host == *host).cloned();
                member.ok_or_else(|| Error::from(NOT_A_MEMBER).on_field("hostId"))
            });
            Ok((mode, members.collect::<Result<_>>()?))
        }
    }
}

/// Those of the candidates who are able, in the order in which they are asked; all of them for a collective wish.
async fn asked(
    tx: &Tx,
    tenant: TenantId,
    service: ServiceId,
    (mode, members): (Mode, &[Member]),
    (whom, sticky): (&Whom, Option<HostId>),
) -> Result<Vec<HostId>> {
    let loads = match (mode, members.len()) {
        (Mode::Collective, _) | (_, 1) => BTreeMap::new(),
        _ => host_load::of(tx, tenant, service).await?,
    };
    let order = assignment::order(members, &whom.skills, &loads, sticky);
    let enough = match mode {
        Mode::Collective => order.len() == members.len(),
        Mode::Single | Mode::RoundRobin => !order.is_empty(),
    };
    match (enough, mode) {
        (false, _) => Err(Error::from(NOT_ABLE).on_field("skills")),
        // The first one who is named organises the meeting.
        (true, Mode::Collective) => Ok(members.iter().map(|member| member.host).collect()),
        (true, _) => Ok(order),
    }
}

/// Chooses who takes the slot, and holds the locks of all who might until the change ends.
pub async fn assign(
    tx: &Tx,
    origin: &Origin,
    service: &service::Model,
    whom: &Whom,
    interval: Interval,
    guests: &[NewGuest],
) -> Result<Assigned> {
    let tenant = origin.tenant;
    let assignment = service.assignment()?;
    let counted = assignment.is_some();
    let sticky = match &assignment {
        Some(one) if one.sticky && whom.hosts.is_empty() => {
            let email = guests.first().map_or("", |guest| guest.email.trim());
            let of = ServiceId::from_uuid(service.id);
            store::booking::last_host(tx, tenant, of, email).await?
        }
        _ => None,
    };
    let (mode, members) = candidates(assignment, whom)?;
    let ids: BTreeSet<_> = members.iter().map(|member| member.host).collect();
    let hosts = store::host::lock_all(tx, tenant, &ids).await?;
    let of = ServiceId::from_uuid(service.id);
    let asked = asked(tx, tenant, of, (mode, &members), (whom, sticky)).await?;
    let known = store::availability::load(tx, tenant, origin.now, service, &hosts, interval);
    let known = known.await?;
    let judged = |host: HostId| known.may_take(interval, host);
    let refused = |refused: Refused| Error::from(refused).on_field("start");
    if mode == Mode::Collective {
        asked
            .iter()
            .try_for_each(|host| judged(*host))
            .map_err(refused)?;
        let mut asked = asked.into_iter();
        let host = asked.next().ok_or_else(|| Error::from(NOBODY))?;
        return Ok(Assigned {
            host,
            co_hosts: asked.collect(),
            counted,
        });
    }
    let mut why = None;
    for host in asked {
        match judged(host) {
            Ok(()) => {
                return Ok(Assigned {
                    host,
                    co_hosts: Vec::new(),
                    counted,
                });
            }
            // The first one who was asked is the best reason: the others may be closed for good.
            Err(refused) => why = why.or(Some(refused)),
        }
    }
    Err(refused(why.unwrap_or(NOBODY)))
}

impl Assigned {
    /// Those who were chosen before, the organiser first.
    pub fn of(service: &service::Model, hosts: Vec<HostId>) -> Result<Self> {
        let mut hosts = hosts.into_iter();
        Ok(Self {
            host: hosts
                .next()
                .ok_or_else(|| Error::internal("a hold without hosts"))?,
            co_hosts: hosts.collect(),
            counted: service.assignment.is_some(),
        })
    }

    /// Everybody whose time it takes.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> {
        std::iter::once(self.host).chain(self.co_hosts.iter().copied())
    }

    /// Counts it, with the writes that follow.
    pub fn count(&self, writes: &mut Writes, tenant: TenantId, service: ServiceId) {
        if self.counted {
            for host in self.hosts() {
                host_load::one_more(writes, tenant, service, host);
            }
        }
    }
}

impl Scheduler {
    /// Replaces who takes the bookings of a service. Whoever is new begins with the share of those who are furthest behind, or it would take all.
    pub async fn set_service_assignment(
        &self,
        context: &Context,
        id: ServiceId,
        assignment: Option<Assignment>,
    ) -> Result<service::Model> {
        context.caller.ensure_admin()?;
        if let Some(assignment) = &assignment {
            assignment.check()?;
        }
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut row = service::lock(tx, tenant, id).await?;
                    let members = assignment.iter().flat_map(|one| &one.members);
                    let members: Vec<_> = members.cloned().collect();
                    let ids: BTreeSet<_> = members.iter().map(|member| member.host).collect();
                    store::host::lock_all(tx, tenant, &ids).await?;
                    let loads = host_load::of(tx, tenant, id).await?;
                    for (host, assigned) in beginnings(&members, &loads) {
                        host_load::begin(tx, tenant, id, host, assigned).await?;
                    }
                    service::set_assignment(tx, &mut row, assignment.as_ref()).await?;
                    Ok(row)
                })
            })
            .await
    }
}

/// With how many bookings each new member begins.
fn beginnings(members: &[Member], loads: &BTreeMap<HostId, u64>) -> Vec<(HostId, u64)> {
    let known = members.iter().filter_map(|member| {
        let assigned = loads.get(&member.host)?;
        Some(assigned / u64::from(member.weight.max(1)))
    });
    let least = known.min().unwrap_or(0);
    let new = members
        .iter()
        .filter(|member| !loads.contains_key(&member.host));
    new.map(|member| (member.host, least * u64::from(member.weight)))
        .collect()
}

#[cfg(test)]
mod tests {
    use convene_kit::ids;

    use super::*;

    #[test]
    fn a_new_member_begins_where_the_others_are() {
        let [old, late, new] = [(); 3].map(|()| HostId::from_uuid(ids::new()));
        let members = [(old, 2), (late, 1), (new, 3)].map(|(host, weight)| Member {
            weight,
            ..Member::equal(host)
        });
        let loads = [(old, 20), (late, 8)].into_iter().collect();
        assert_eq!(beginnings(&members, &loads), [(new, 24)]);
        assert_eq!(beginnings(&members[2..], &BTreeMap::new()), [(new, 0)]);
    }

    #[test]
    fn a_wish_is_about_those_it_names_or_those_who_are_assigned() {
        let [one, two, stranger] = [(); 3].map(|()| HostId::from_uuid(ids::new()));
        let assignment = || {
            Some(Assignment {
                mode: Mode::Collective,
                sticky: false,
                members: vec![Member::equal(one), Member::equal(two)],
            })
        };
        let whom = |hosts: &[HostId]| Whom {
            hosts: hosts.to_vec(),
            ..Whom::default()
        };
        let reason = |result: Result<_>| {
            result
                .map(|_| ())
                .map_err(|error| error.reason.into_owned())
        };
        assert_eq!(
            reason(candidates(None, &whom(&[]))),
            Err("HOST_MISSING".into())
        );
        assert_eq!(
            reason(candidates(assignment(), &whom(&[one, stranger]))),
            Err("HOST_NOT_ASSIGNED".into())
        );
        assert_eq!(
            candidates(assignment(), &whom(&[])).unwrap().0,
            Mode::Collective
        );
        assert_eq!(
            candidates(assignment(), &whom(&[two])).unwrap().0,
            Mode::RoundRobin
        );
        assert_eq!(candidates(None, &whom(&[stranger])).unwrap().1.len(), 1);
    }
}
