//! What people may do with a service's bookings, and until when.

use async_graphql::{InputObject, SimpleObject};
use convene_proto::scheduler::v1 as wire;

/// What people may do with a service's bookings, and until when.
#[derive(SimpleObject)]
pub struct ServicePolicy {
    /// Somebody of the organisation has to agree before a booking stands; it takes its time meanwhile.
    confirmation: bool,
    /// Booking apps cancel so long before the start at the latest, in milliseconds.
    cancel_notice_ms: i64,
    /// Booking apps reschedule so long before the start at the latest, in milliseconds.
    reschedule_notice_ms: i64,
    /// Reasons for cancelling; any when empty.
    cancel_reasons: Vec<String>,
}

impl From<wire::Policy> for ServicePolicy {
    fn from(policy: wire::Policy) -> Self {
        Self {
            confirmation: policy.confirmation,
            cancel_notice_ms: policy.cancel_notice_ms,
            reschedule_notice_ms: policy.reschedule_notice_ms,
            cancel_reasons: policy.cancel_reasons,
        }
    }
}

/// What people may do with a service's bookings, and until when; what is left out lets everything happen.
#[derive(InputObject)]
pub struct ServicePolicyInput {
    /// Somebody of the organisation has to agree before a booking stands: `confirmBooking`, before the start.
    #[graphql(default)]
    confirmation: bool,
    /// Booking apps cancel so long before the start at the latest, in milliseconds; hosts and admins at any time.
    #[graphql(default)]
    cancel_notice_ms: i64,
    /// Booking apps reschedule so long before the start at the latest, in milliseconds; hosts and admins until the start.
    #[graphql(default)]
    reschedule_notice_ms: i64,
    /// Reasons for cancelling, as codes such as NO_LONGER_NEEDED; any when empty. At most 32.
    #[graphql(default)]
    cancel_reasons: Vec<String>,
}

impl From<ServicePolicyInput> for wire::Policy {
    fn from(policy: ServicePolicyInput) -> Self {
        Self {
            confirmation: policy.confirmation,
            cancel_notice_ms: policy.cancel_notice_ms,
            reschedule_notice_ms: policy.reschedule_notice_ms,
            cancel_reasons: policy.cancel_reasons,
        }
    }
}
