//! Services, hosts and the clock.

use async_graphql::{Context, InputObject, Object, Result};
use convene_proto::scheduler::v1 as wire;

use super::{Call, payloads};
use crate::{
    clock::{self, Clock, Goal},
    model::{
        availability::{HostAvailabilityInput, ServiceAvailabilityInput},
        catalogue::{Host, Service},
    },
};

payloads! {
    CreateServicePayload { service: Service },
    CreateHostPayload { host: Host },
    ClockPayload { clock: Clock },
}

/// A service to be made.
#[derive(InputObject)]
struct CreateServiceInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// For people.
    name: String,
    /// How long an appointment lasts, in milliseconds.
    duration_ms: i64,
    /// Time before the start that the host is taken too, in milliseconds.
    #[graphql(default)]
    buffer_before_ms: i64,
    /// Time after the end, in milliseconds.
    #[graphql(default)]
    buffer_after_ms: i64,
    /// What limits its slots; nothing when left out.
    availability: Option<ServiceAvailabilityInput>,
}

/// A host to be made.
#[derive(InputObject)]
struct CreateHostInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// For people.
    name: String,
    /// The mailbox at the provider: object id or user principal name.
    provider_user: String,
    /// Meetings at the same time.
    #[graphql(default = 1)]
    capacity: u32,
    /// What limits its time; nothing when left out.
    availability: Option<HostAvailabilityInput>,
}

/// How far to move: one of both.
#[derive(InputObject)]
struct AdvanceClockInput {
    /// Forward by so much, in milliseconds. Who repeats it moves again.
    by_ms: Option<i64>,
    /// Forward until `offsetMs` of the clock is this. Who repeats it, because an answer got lost, moves no further.
    to_offset_ms: Option<i64>,
}

impl AdvanceClockInput {
    fn goal(&self) -> convene_kit::Result<Goal> {
        match (self.by_ms, self.to_offset_ms) {
            (Some(by), None) => Ok(Goal::By(by)),
            (None, Some(to)) => Ok(Goal::To(to)),
            _ => Err(convene_kit::Error::invalid(
                "byMs",
                "ONE_OF_TWO",
                "give either byMs or toOffsetMs",
            )),
        }
    }
}

#[derive(Default)]
pub struct Admin;

#[Object]
impl Admin {
    /// Makes a service. Admins.
    async fn create_service(
        &self,
        ctx: &Context<'_>,
        input: CreateServiceInput,
    ) -> Result<CreateServicePayload> {
        let call = Call::new(ctx)?;
        let made = async {
            let message = wire::CreateServiceRequest {
                idempotency_key: input.idempotency_key,
                name: input.name,
                duration_ms: input.duration_ms,
                buffer_before_ms: input.buffer_before_ms,
                buffer_after_ms: input.buffer_after_ms,
                availability: input
                    .availability
                    .map(ServiceAvailabilityInput::into_wire)
                    .transpose()?,
            };
            let request = call.request(message)?;
            let made = call.api.scheduler().create_service(request).await?;
            Ok(Service(made.into_inner()))
        };
        CreateServicePayload::of(made.await)
    }

    /// Makes a host. Admins.
    async fn create_host(
        &self,
        ctx: &Context<'_>,
        input: CreateHostInput,
    ) -> Result<CreateHostPayload> {
        let call = Call::new(ctx)?;
        let made = async {
            let message = wire::CreateHostRequest {
                idempotency_key: input.idempotency_key,
                name: input.name,
                provider_user: input.provider_user,
                capacity: input.capacity,
                availability: input
                    .availability
                    .map(HostAvailabilityInput::into_wire)
                    .transpose()?,
            };
            let request = call.request(message)?;
            let made = call.api.scheduler().create_host(request).await?;
            Ok(Host(made.into_inner()))
        };
        CreateHostPayload::of(made.await)
    }

    /// Moves business time forward everywhere. Admins, in development.
    async fn advance_clock(
        &self,
        ctx: &Context<'_>,
        input: AdvanceClockInput,
    ) -> Result<ClockPayload> {
        let call = Call::new(ctx)?;
        let moved = async { clock::advance(call.api, call.session, input.goal()?).await };
        ClockPayload::of(moved.await)
    }

    /// Brings business time back to wall time. Admins, in development.
    async fn reset_clock(&self, ctx: &Context<'_>) -> Result<ClockPayload> {
        let call = Call::new(ctx)?;
        ClockPayload::of(clock::advance(call.api, call.session, Goal::Wall).await)
    }
}
