//! Who takes a service's bookings, between proto and domain.

use convene_domain::assignment::{Assignment, Member, Mode};
use convene_kit::{Error, Result, convert::id};
use convene_proto::scheduler::v1 as wire;

pub fn to_wire(assignment: Assignment) -> wire::Assignment {
    let mode = match assignment.mode {
        Mode::Single => wire::AssignmentMode::Single,
        Mode::RoundRobin => wire::AssignmentMode::RoundRobin,
        Mode::Collective => wire::AssignmentMode::Collective,
    };
    wire::Assignment {
        mode: mode.into(),
        sticky: assignment.sticky,
        members: assignment
            .members
            .into_iter()
            .map(|member| wire::Member {
                host_id: member.host.to_string(),
                weight: member.weight,
                tier: member.tier,
                skills: member.skills.into_iter().collect(),
            })
            .collect(),
    }
}

pub fn from_wire(assignment: wire::Assignment) -> Result<Assignment> {
    let mode = match assignment.mode() {
        wire::AssignmentMode::Single => Mode::Single,
        wire::AssignmentMode::RoundRobin => Mode::RoundRobin,
        wire::AssignmentMode::Collective => Mode::Collective,
        wire::AssignmentMode::Unspecified => {
            let message = "mode is SINGLE, ROUND_ROBIN or COLLECTIVE";
            return Err(Error::invalid("mode", "REQUIRED", message));
        }
    };
    let members = assignment.members.into_iter().map(|member| {
        Ok(Member {
            host: id("hostId", &member.host_id)?,
            weight: member.weight.max(1),
            tier: member.tier,
            skills: member.skills.into_iter().collect(),
        })
    });
    Ok(Assignment {
        mode,
        sticky: assignment.sticky,
        members: members.collect::<Result<_>>()?,
    })
}
