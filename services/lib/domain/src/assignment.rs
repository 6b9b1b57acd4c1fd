//! Who takes a booking when several could: the order in which hosts are asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{HostId, Refused};

/// Who takes the bookings of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// How many of them.
    pub mode: Mode,
    /// A guest meets the host of the last time again, when that one is free.
    #[serde(default)]
    pub sticky: bool,
    /// Who may.
    pub members: Vec<Member>,
}

/// How many hosts take one booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// The one that takes them all.
    Single,
    /// One of them, by tier and load.
    RoundRobin,
    /// All of them.
    Collective,
}

/// A host who takes bookings of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub host: HostId,
    /// Its share: with 2 it takes twice as many as with 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// Those of a higher tier are asked when nobody of a lower one is free.
    #[serde(default)]
    pub tier: u32,
    /// What it can do, as the tenant names it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skills: BTreeSet<String>,
}

/// Members of one service.
pub const MEMBERS_MAX: usize = 100;
/// Largest weight.
pub const WEIGHT_MAX: u32 = 100;
/// Highest tier.
pub const TIER_MAX: u32 = 9;
/// Skills of one member, or of one wish.
pub const SKILLS_MAX: usize = 16;
/// A skill, in characters.
pub const SKILL_CHARS_MAX: usize = 40;

const MEMBERS: Refused = Refused::new(
    "MEMBERS_OUT_OF_RANGE",
    "an assignment has 1 to 100 members, none twice, and SINGLE has one",
);
const SHARES: Refused = Refused::new(
    "SHARE_OUT_OF_RANGE",
    "a weight is 1 to 100 and a tier 0 to 9",
);
const SKILLS: Refused = Refused::new(
    "SKILLS_OUT_OF_RANGE",
    "at most 16 skills of 1 to 40 characters",
);

fn one() -> u32 {
    1
}

impl Member {
    /// A host like every other.
    pub fn equal(host: HostId) -> Self {
        Self {
            host,
            weight: 1,
            tier: 0,
            skills: BTreeSet::new(),
        }
    }
}

impl Assignment {
    /// Refuses what is out of bounds or says two things of one host.
    pub fn check(&self) -> Result<(), Refused> {
        let hosts: BTreeSet<_> = self.members.iter().map(|one| one.host).collect();
        let count = self.members.len();
        let most = if self.mode == Mode::Single {
            1
        } else {
            MEMBERS_MAX
        };
        if hosts.len() != count || !(1..=most).contains(&count) {
            return Err(MEMBERS);
        }
        let shares = |one: &Member| (1..=WEIGHT_MAX).contains(&one.weight) && one.tier <= TIER_MAX;
        if !self.members.iter().all(shares) {
            return Err(SHARES);
        }
        self.members
            .iter()
            .try_for_each(|one| check_skills(&one.skills))
    }
}

/// Refuses too many skills, and long or empty ones.
pub fn check_skills(skills: &BTreeSet<String>) -> Result<(), Refused> {
    let fits = |skill: &String| (1..=SKILL_CHARS_MAX).contains(&skill.chars().count());
    match skills.len() <= SKILLS_MAX && skills.iter().all(fits) {
        true => Ok(()),
        false => Err(SKILLS),
    }
}

/// Those who can do what is asked for, the one to be asked first first: the sticky host, then by tier, then whoever is furthest behind its share of
/// bookings, then as they were given.
pub fn order(
    members: &[Member],
    skills: &BTreeSet<String>,
    assigned: &BTreeMap<HostId, u64>,
    sticky: Option<HostId>,
) -> Vec<HostId> {
    let mut able: Vec<_> = members
        .iter()
        .filter(|member| member.skills.is_superset(skills))
        .collect();
    let next = |member: &Member| {
        let taken = assigned.get(&member.host).copied().unwrap_or(0);
        u128::from(taken) + 1
    };
    able.sort_by(|a, b| {
        let apart = |member: &Member| (sticky != Some(member.host), member.tier);
        // next/weight, without division.
        let (ours, theirs) = (
            next(a) * u128::from(b.weight),
            next(b) * u128::from(a.weight),
        );
        apart(a).cmp(&apart(b)).then(ours.cmp(&theirs))
    });
    able.into_iter().map(|member| member.host).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn hosts(count: u128) -> Vec<Member> {
        let ids = (1..=count).map(|n| HostId::from_uuid(Uuid::from_u128(n)));
        ids.map(Member::equal).collect()
    }

    fn set(skills: &[&str]) -> BTreeSet<String> {
        skills.iter().map(|skill| (*skill).to_owned()).collect()
    }

    /// Gives `bookings` to whoever is asked first; answers how many each took.
    fn give(members: &[Member], bookings: usize) -> BTreeMap<HostId, u64> {
        let mut assigned = BTreeMap::new();
        for _ in 0..bookings {
            let first = order(members, &BTreeSet::new(), &assigned, None)[0];
            *assigned.entry(first).or_default() += 1;
        }
        assigned
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// At every moment, not at the end alone: bookings come and are called off at random.
        #[test]
        fn equal_hosts_who_are_always_free_take_the_same_number(count in 1u128..12, seed: u64) {
            let members = hosts(count);
            let mut assigned: BTreeMap<_, u64> = members.iter().map(|one| (one.host, 0)).collect();
            let mut random = seed | 1;
            for _ in 0..10_000 {
                let first = order(&members, &BTreeSet::new(), &assigned, None)[0];
                *assigned.get_mut(&first).unwrap() += 1;
                let most = assigned.values().max().unwrap();
                let least = assigned.values().min().unwrap();
                prop_assert!(most - least <= 1);
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                // One who has the most may lose a booking again.
                if random % 5 == 0 {
                    let (most, taken) = assigned.iter_mut().max_by_key(|(_, taken)| **taken).unwrap();
                    prop_assert!(members.iter().any(|one| one.host == *most));
                    *taken -= 1;
                }
            }
        }

        #[test]
        fn weights_are_shares(weights in prop::collection::vec(1u32..6, 1..8), rounds in 1usize..20) {
            let mut members = hosts(weights.len() as u128);
            for (member, weight) in members.iter_mut().zip(&weights) {
                member.weight = *weight;
            }
            let whole: usize = weights.iter().map(|weight| *weight as usize).sum();
            let assigned = give(&members, whole * rounds);
            for member in &members {
                prop_assert_eq!(assigned[&member.host], u64::from(member.weight) * rounds as u64);
            }
        }
    }

    #[test]
    fn skills_tiers_and_stickiness_come_before_load() {
        let mut members = hosts(4);
        let id = |n: usize| hosts(4)[n].host;
        members[0].skills = set(&["french"]);
        members[1].skills = set(&["french", "law"]);
        members[2].tier = 1;
        let busy = [(id(0), 9), (id(1), 5)].into_iter().collect();
        let all = order(&members, &BTreeSet::new(), &busy, None);
        assert_eq!(all, [id(3), id(1), id(0), id(2)]);
        let sticky = order(&members, &BTreeSet::new(), &busy, Some(id(2)));
        assert_eq!(sticky[0], id(2));
        assert_eq!(
            order(&members, &set(&["french"]), &busy, None),
            [id(1), id(0)]
        );
        assert_eq!(
            order(&members, &set(&["french"]), &busy, Some(id(3)))[0],
            id(1)
        );
        assert!(order(&members, &set(&["chess"]), &busy, None).is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let with = |mode, members| {
            Assignment {
                mode,
                sticky: false,
                members,
            }
            .check()
        };
        assert_eq!(with(Mode::Collective, hosts(100)), Ok(()));
        assert_eq!(with(Mode::Single, hosts(2)), Err(MEMBERS));
        assert_eq!(with(Mode::RoundRobin, hosts(101)), Err(MEMBERS));
        assert_eq!(with(Mode::RoundRobin, vec![]), Err(MEMBERS));
        assert_eq!(
            with(Mode::RoundRobin, [hosts(1), hosts(1)].concat()),
            Err(MEMBERS)
        );
        let mut members = hosts(1);
        members[0].weight = 0;
        assert_eq!(with(Mode::Single, members.clone()), Err(SHARES));
        members[0].weight = 1;
        members[0].skills = set(&[""]);
        assert_eq!(with(Mode::Single, members), Err(SKILLS));
    }
}
