//! What becomes of bookings, and what people may do with them.

use async_graphql::{Context, ID, InputObject, Object, Result};
use convene_proto::scheduler::v1 as wire;

use super::{Call, payloads};
use crate::{
    ids::{self, Kind},
    model::{booking::Booking, catalogue::Service, policy::ServicePolicyInput},
};

payloads! {
    ConfirmBookingPayload { booking: Booking },
    DeclineBookingPayload { booking: Booking },
    MarkNoShowPayload { booking: Booking },
    SetServicePolicyPayload { service: Service },
}

/// What is agreed to.
#[derive(InputObject)]
struct ConfirmBookingInput {
    /// Which booking.
    booking_id: ID,
}

/// What is not agreed to.
#[derive(InputObject)]
struct DeclineBookingInput {
    /// Which booking.
    booking_id: ID,
    /// A short reason; free of personal data, because it is kept in the audit trail.
    reason: String,
}

/// Where nobody came.
#[derive(InputObject)]
struct MarkNoShowInput {
    /// Which booking.
    booking_id: ID,
}

/// What people may do with a service's bookings from now on.
#[derive(InputObject)]
struct SetServicePolicyInput {
    /// Which service.
    service_id: ID,
    /// All of it: what is left out lets everything happen.
    policy: ServicePolicyInput,
}

#[derive(Default)]
pub struct Outcomes;

#[Object]
impl Outcomes {
    /// Agrees to a booking that waits for it: now its meeting is made and its lobby opens. The host and admins; repeats change nothing.
    async fn confirm_booking(
        &self,
        ctx: &Context<'_>,
        input: ConfirmBookingInput,
    ) -> Result<ConfirmBookingPayload> {
        let call = Call::new(ctx)?;
        let settled = async {
            let message = wire::ConfirmBookingRequest {
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
            };
            let request = call.request(message)?;
            let settled = call.api.scheduler().confirm_booking(request).await?;
            Ok(Booking(settled.into_inner()))
        };
        ConfirmBookingPayload::of(settled.await)
    }

    /// Does not agree to a booking that waits for it: its slot is free again. The host and admins; repeats change nothing.
    async fn decline_booking(
        &self,
        ctx: &Context<'_>,
        input: DeclineBookingInput,
    ) -> Result<DeclineBookingPayload> {
        let call = Call::new(ctx)?;
        let settled = async {
            let message = wire::DeclineBookingRequest {
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
                reason: input.reason,
            };
            let request = call.request(message)?;
            let settled = call.api.scheduler().decline_booking(request).await?;
            Ok(Booking(settled.into_inner()))
        };
        DeclineBookingPayload::of(settled.await)
    }

    /// Nobody who was invited came; from the start on, and afterwards too. The host and admins; repeats change nothing.
    async fn mark_no_show(
        &self,
        ctx: &Context<'_>,
        input: MarkNoShowInput,
    ) -> Result<MarkNoShowPayload> {
        let call = Call::new(ctx)?;
        let settled = async {
            let message = wire::MarkNoShowRequest {
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
            };
            let request = call.request(message)?;
            let settled = call.api.scheduler().mark_no_show(request).await?;
            Ok(Booking(settled.into_inner()))
        };
        MarkNoShowPayload::of(settled.await)
    }

    /// Replaces what people may do with the bookings of a service, and until when. Admins.
    async fn set_service_policy(
        &self,
        ctx: &Context<'_>,
        input: SetServicePolicyInput,
    ) -> Result<SetServicePolicyPayload> {
        let call = Call::new(ctx)?;
        let set = async {
            let message = wire::SetServicePolicyRequest {
                service_id: ids::text(Kind::Service, "serviceId", &input.service_id)?,
                policy: Some(input.policy.into()),
            };
            let request = call.request(message)?;
            let set = call.api.scheduler().set_service_policy(request).await?;
            Ok(Service(set.into_inner()))
        };
        SetServicePolicyPayload::of(set.await)
    }
}
