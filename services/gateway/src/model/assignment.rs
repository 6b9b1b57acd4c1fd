//! Who takes a service's bookings.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use convene_kit::Result;
use convene_proto::scheduler::v1 as wire;

use crate::ids::{self, Kind, encode};

/// How many hosts take one booking.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AssignmentMode {
    /// One member takes them all.
    Single,
    /// One of them, by tier and load.
    RoundRobin,
    /// All of them; the first one organises the meeting.
    Collective,
}

/// Who takes a service's bookings.
#[derive(SimpleObject)]
pub struct Assignment {
    /// How many of them take one.
    mode: AssignmentMode,
    /// A guest meets the host of the last time again, when that one is free.
    sticky: bool,
    /// Who may.
    members: Vec<AssignmentMember>,
}

/// A host who takes a service's bookings.
#[derive(SimpleObject)]
pub struct AssignmentMember {
    /// Who.
    host_id: ID,
    /// Its share: with 2 it takes twice as many as with 1.
    weight: u32,
    /// Those of a higher tier are asked when nobody of a lower one is free.
    tier: u32,
    /// What it can do, as the tenant names it.
    skills: Vec<String>,
}

impl From<wire::Assignment> for Assignment {
    fn from(assignment: wire::Assignment) -> Self {
        let mode = match assignment.mode() {
            wire::AssignmentMode::RoundRobin => AssignmentMode::RoundRobin,
            wire::AssignmentMode::Collective => AssignmentMode::Collective,
            wire::AssignmentMode::Single | wire::AssignmentMode::Unspecified => {
                AssignmentMode::Single
            }
        };
        let members = assignment.members.into_iter().map(|one| AssignmentMember {
            host_id: encode(Kind::Host, &one.host_id),
            weight: one.weight,
            tier: one.tier,
            skills: one.skills,
        });
        Self {
            mode,
            sticky: assignment.sticky,
            members: members.collect(),
        }
    }
}

/// Who takes a service's bookings.
#[derive(InputObject)]
pub struct AssignmentInput {
    /// How many of them take one.
    mode: AssignmentMode,
    /// A guest, known by the first e-mail address of a booking, meets the host of the last time again, when that one is free.
    #[graphql(default)]
    sticky: bool,
    /// Who may: 1 to 100.
    members: Vec<AssignmentMemberInput>,
}

/// A host who takes a service's bookings.
#[derive(InputObject)]
struct AssignmentMemberInput {
    /// Who.
    host_id: ID,
    /// Its share, 1 to 100: with 2 it takes twice as many as with 1.
    #[graphql(default = 1)]
    weight: u32,
    /// 0 to 9; those of a higher tier are asked when nobody of a lower one is free.
    #[graphql(default)]
    tier: u32,
    /// What it can do, as the tenant names it; at most 16.
    #[graphql(default)]
    skills: Vec<String>,
}

impl AssignmentInput {
    /// For the scheduler.
    pub fn into_wire(self) -> Result<wire::Assignment> {
        let mode = match self.mode {
            AssignmentMode::Single => wire::AssignmentMode::Single,
            AssignmentMode::RoundRobin => wire::AssignmentMode::RoundRobin,
            AssignmentMode::Collective => wire::AssignmentMode::Collective,
        };
        let members = self.members.into_iter().map(|one| {
            Ok(wire::Member {
                host_id: ids::text(Kind::Host, "hostId", &one.host_id)?,
                weight: one.weight,
                tier: one.tier,
                skills: one.skills,
            })
        });
        Ok(wire::Assignment {
            mode: mode.into(),
            sticky: self.sticky,
            members: members.collect::<Result<_>>()?,
        })
    }
}
