//! What a service lets people do, between proto and domain.

use convene_domain::policy::Policy;
use convene_proto::scheduler::v1 as wire;

pub fn to_wire(policy: Policy) -> wire::Policy {
    wire::Policy {
        confirmation: policy.confirmation,
        cancel_notice_ms: policy.cancel_notice_ms,
        reschedule_notice_ms: policy.reschedule_notice_ms,
        cancel_reasons: policy.cancel_reasons,
    }
}

pub fn from_wire(policy: wire::Policy) -> Policy {
    Policy {
        confirmation: policy.confirmation,
        cancel_notice_ms: policy.cancel_notice_ms,
        reschedule_notice_ms: policy.reschedule_notice_ms,
        cancel_reasons: policy.cancel_reasons,
    }
}
