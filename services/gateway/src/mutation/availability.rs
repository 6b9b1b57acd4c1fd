//! Opening hours, what limits slots, and who takes bookings.

use async_graphql::{Context, ID, InputObject, Object, Result};
use convene_proto::scheduler::v1 as wire;

use super::{Call, payloads};
use crate::{
    ids::{self, Kind},
    model::{
        assignment::AssignmentInput,
        availability::{HostAvailabilityInput, ServiceAvailabilityInput},
        catalogue::{Host, Service},
        schedule::{HoursInput, Schedule},
    },
};

payloads! {
    SetServiceAvailabilityPayload { service: Service },
    SetServiceAssignmentPayload { service: Service },
    SetHostAvailabilityPayload { host: Host },
    CreateSchedulePayload { schedule: Schedule },
    UpdateSchedulePayload { schedule: Schedule },
}

/// What shall limit the slots of a service.
#[derive(InputObject)]
struct SetServiceAvailabilityInput {
    /// Which service.
    service_id: ID,
    /// All of it: what is left out limits nothing any more.
    availability: ServiceAvailabilityInput,
}

/// Who shall take a service's bookings.
#[derive(InputObject)]
struct SetServiceAssignmentInput {
    /// Which service.
    service_id: ID,
    /// All of it; left out, each wish names its hosts again.
    assignment: Option<AssignmentInput>,
}

/// What shall limit the time of a host.
#[derive(InputObject)]
struct SetHostAvailabilityInput {
    /// Which host.
    host_id: ID,
    /// All of it: what is left out limits nothing any more.
    availability: HostAvailabilityInput,
}

/// Opening hours to be made.
#[derive(InputObject)]
struct CreateScheduleInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// For people.
    name: String,
    /// When it is open.
    hours: HoursInput,
}

/// Opening hours to be replaced.
#[derive(InputObject)]
struct UpdateScheduleInput {
    /// Which.
    schedule_id: ID,
    /// For people.
    name: String,
    /// When it is open from now on.
    hours: HoursInput,
}

#[derive(Default)]
pub struct Schedules;

#[Object]
impl Schedules {
    /// Replaces what limits the slots of a service; bookings that stand stay. Admins.
    async fn set_service_availability(
        &self,
        ctx: &Context<'_>,
        input: SetServiceAvailabilityInput,
    ) -> Result<SetServiceAvailabilityPayload> {
        let call = Call::new(ctx)?;
        let set = async {
            let message = wire::SetServiceAvailabilityRequest {
                service_id: ids::text(Kind::Service, "serviceId", &input.service_id)?,
                availability: Some(input.availability.into_wire()?),
            };
            let request = call.request(message)?;
            let set = call.api.scheduler().set_service_availability(request).await;
            Ok(Service(set?.into_inner()))
        };
        SetServiceAvailabilityPayload::of(set.await)
    }

    /// Replaces who takes the bookings of a service; bookings that stand stay. Admins.
    async fn set_service_assignment(
        &self,
        ctx: &Context<'_>,
        input: SetServiceAssignmentInput,
    ) -> Result<SetServiceAssignmentPayload> {
        let call = Call::new(ctx)?;
        let set = async {
            let assignment = input.assignment.map(AssignmentInput::into_wire);
            let message = wire::SetServiceAssignmentRequest {
                service_id: ids::text(Kind::Service, "serviceId", &input.service_id)?,
                assignment: assignment.transpose()?,
            };
            let request = call.request(message)?;
            let set = call.api.scheduler().set_service_assignment(request).await;
            Ok(Service(set?.into_inner()))
        };
        SetServiceAssignmentPayload::of(set.await)
    }

    /// Replaces what limits the time of a host; bookings that stand stay. Admins.
    async fn set_host_availability(
        &self,
        ctx: &Context<'_>,
        input: SetHostAvailabilityInput,
    ) -> Result<SetHostAvailabilityPayload> {
        let call = Call::new(ctx)?;
        let set = async {
            let message = wire::SetHostAvailabilityRequest {
                host_id: ids::text(Kind::Host, "hostId", &input.host_id)?,
                availability: Some(input.availability.into_wire()?),
            };
            let request = call.request(message)?;
            let set = call.api.scheduler().set_host_availability(request).await;
            Ok(Host(set?.into_inner()))
        };
        SetHostAvailabilityPayload::of(set.await)
    }

    /// Makes opening hours, for services and hosts to name. Admins.
    async fn create_schedule(
        &self,
        ctx: &Context<'_>,
        input: CreateScheduleInput,
    ) -> Result<CreateSchedulePayload> {
        let call = Call::new(ctx)?;
        let made = async {
            let message = wire::CreateScheduleRequest {
                idempotency_key: input.idempotency_key,
                name: input.name,
                hours: Some(input.hours.into_wire()),
            };
            let request = call.request(message)?;
            let made = call.api.scheduler().create_schedule(request).await?;
            Ok(Schedule(made.into_inner()))
        };
        CreateSchedulePayload::of(made.await)
    }

    /// Replaces opening hours for all who share them; bookings that stand stay. Admins.
    async fn update_schedule(
        &self,
        ctx: &Context<'_>,
        input: UpdateScheduleInput,
    ) -> Result<UpdateSchedulePayload> {
        let call = Call::new(ctx)?;
        let updated = async {
            let message = wire::UpdateScheduleRequest {
                id: ids::text(Kind::Schedule, "scheduleId", &input.schedule_id)?,
                name: input.name,
                hours: Some(input.hours.into_wire()),
            };
            let request = call.request(message)?;
            let updated = call.api.scheduler().update_schedule(request).await?;
            Ok(Schedule(updated.into_inner()))
        };
        UpdateSchedulePayload::of(updated.await)
    }
}
