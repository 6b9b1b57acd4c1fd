//! The gRPC edge: decode, call the service, encode.

use convene_kit::{Context, caller::Callers, convert::id};
use convene_proto::scheduler::v1::{self as wire, scheduler_server};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    service::{Outcome, Scheduler},
};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    scheduler: Scheduler,
}

impl Rpc {
    pub fn new(callers: Callers, scheduler: Scheduler) -> Self {
        Self { callers, scheduler }
    }

    /// What a caller says of the booking of this id.
    async fn settle<T>(
        &self,
        request: Request<T>,
        booking: &str,
        outcome: Outcome,
    ) -> Answer<wire::Booking> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", booking)?;
        let view = self.scheduler.settle_booking(&context, id, outcome).await?;
        Ok(Response::new(convert::booking(view)))
    }
}

#[tonic::async_trait]
impl scheduler_server::Scheduler for Rpc {
    async fn create_service(
        &self,
        request: Request<wire::CreateServiceRequest>,
    ) -> Answer<wire::Service> {
        let context = Context::accept(&self.callers, &request)?;
        let new = convert::new_service(request.into_inner())?;
        let row = self.scheduler.create_service(&context, new).await?;
        Ok(Response::new(convert::service(row)?))
    }

    async fn get_service(
        &self,
        request: Request<wire::GetServiceRequest>,
    ) -> Answer<wire::Service> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let row = self.scheduler.get_service(&context, id).await?;
        Ok(Response::new(convert::service(row)?))
    }

    async fn list_services(
        &self,
        request: Request<wire::ListServicesRequest>,
    ) -> Answer<wire::ListServicesResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let (first, after) = convert::page(request.into_inner().page)?;
        let page = self.scheduler.list_services(&context, after, first).await?;
        let services = page.items.into_iter().map(convert::service);
        Ok(Response::new(wire::ListServicesResponse {
            services: services.collect::<convene_kit::Result<_>>()?,
            has_more: page.has_more,
        }))
    }

    async fn create_host(&self, request: Request<wire::CreateHostRequest>) -> Answer<wire::Host> {
        let context = Context::accept(&self.callers, &request)?;
        let new = convert::new_host(request.into_inner())?;
        let row = self.scheduler.create_host(&context, new).await?;
        Ok(Response::new(convert::host(row)?))
    }

    async fn get_host(&self, request: Request<wire::GetHostRequest>) -> Answer<wire::Host> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let seen = self.scheduler.get_host(&context, id).await?;
        Ok(Response::new(convert::seen_host(seen)?))
    }

    async fn list_hosts(
        &self,
        request: Request<wire::ListHostsRequest>,
    ) -> Answer<wire::ListHostsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let (first, after) = convert::page(request.into_inner().page)?;
        let page = self.scheduler.list_hosts(&context, after, first).await?;
        let hosts = page.items.into_iter().map(convert::host);
        Ok(Response::new(wire::ListHostsResponse {
            hosts: hosts.collect::<convene_kit::Result<_>>()?,
            has_more: page.has_more,
        }))
    }

    async fn set_service_availability(
        &self,
        request: Request<wire::SetServiceAvailabilityRequest>,
    ) -> Answer<wire::Service> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("serviceId", &request.service_id)?;
        let limits = request.availability.unwrap_or_default();
        let limits = convert::availability::new_service_limits(limits)?;
        let set = self
            .scheduler
            .set_service_availability(&context, id, limits);
        Ok(Response::new(convert::service(set.await?)?))
    }

    async fn set_service_assignment(
        &self,
        request: Request<wire::SetServiceAssignmentRequest>,
    ) -> Answer<wire::Service> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("serviceId", &request.service_id)?;
        let assignment = request.assignment.map(convert::assignment::from_wire);
        let assignment = assignment.transpose()?;
        let set = self
            .scheduler
            .set_service_assignment(&context, id, assignment);
        Ok(Response::new(convert::service(set.await?)?))
    }

    async fn set_host_availability(
        &self,
        request: Request<wire::SetHostAvailabilityRequest>,
    ) -> Answer<wire::Host> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("hostId", &request.host_id)?;
        let limits = request.availability.unwrap_or_default();
        let limits = convert::availability::new_host_limits(&limits)?;
        let set = self.scheduler.set_host_availability(&context, id, limits);
        Ok(Response::new(convert::host(set.await?)?))
    }

    async fn create_schedule(
        &self,
        request: Request<wire::CreateScheduleRequest>,
    ) -> Answer<wire::Schedule> {
        let context = Context::accept(&self.callers, &request)?;
        let new = convert::availability::new_schedule(request.into_inner())?;
        let row = self.scheduler.create_schedule(&context, new).await?;
        Ok(Response::new(convert::availability::schedule(row)?))
    }

    async fn update_schedule(
        &self,
        request: Request<wire::UpdateScheduleRequest>,
    ) -> Answer<wire::Schedule> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let hours = convert::availability::hours(request.hours.unwrap_or_default())?;
        let updated = self
            .scheduler
            .update_schedule(&context, id, &request.name, &hours);
        Ok(Response::new(convert::availability::schedule(
            updated.await?,
        )?))
    }

    async fn get_schedule(
        &self,
        request: Request<wire::GetScheduleRequest>,
    ) -> Answer<wire::Schedule> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let row = self.scheduler.get_schedule(&context, id).await?;
        Ok(Response::new(convert::availability::schedule(row)?))
    }

    async fn list_schedules(
        &self,
        request: Request<wire::ListSchedulesRequest>,
    ) -> Answer<wire::ListSchedulesResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let (first, after) = convert::page(request.into_inner().page)?;
        let page = self
            .scheduler
            .list_schedules(&context, after, first)
            .await?;
        let schedules = page.items.into_iter().map(convert::availability::schedule);
        Ok(Response::new(wire::ListSchedulesResponse {
            schedules: schedules.collect::<convene_kit::Result<_>>()?,
            has_more: page.has_more,
        }))
    }

    async fn list_slots(
        &self,
        request: Request<wire::ListSlotsRequest>,
    ) -> Answer<wire::ListSlotsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let (of, span, first) = convert::availability::slots_wanted(request.into_inner())?;
        let found = self.scheduler.list_slots(&context, of, span, first).await?;
        Ok(Response::new(convert::availability::slots(found)))
    }

    async fn explain_slot(
        &self,
        request: Request<wire::ExplainSlotRequest>,
    ) -> Answer<wire::ExplainSlotResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let (of, start) = convert::availability::slot_asked(request.into_inner())?;
        let explained = self.scheduler.explain_slot(&context, of, start).await?;
        Ok(Response::new(convert::availability::explained(explained)))
    }

    async fn hold_slot(&self, request: Request<wire::HoldSlotRequest>) -> Answer<wire::Hold> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::hold::hold_slot(request.into_inner())?;
        let held = self.scheduler.hold_slot(&context, wish).await?;
        Ok(Response::new(convert::hold::hold(held)?))
    }

    async fn release_hold(&self, request: Request<wire::ReleaseHoldRequest>) -> Answer<wire::Hold> {
        let context = Context::accept(&self.callers, &request)?;
        let token = convert::hold::token(&request.into_inner().token)?;
        let released = self.scheduler.release_hold(&context, token).await?;
        Ok(Response::new(convert::hold::hold(released)?))
    }

    async fn book_meeting(
        &self,
        request: Request<wire::BookMeetingRequest>,
    ) -> Answer<wire::Booking> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::book_meeting(request.into_inner())?;
        let view = self.scheduler.book_meeting(&context, wish).await?;
        Ok(Response::new(convert::booking(view)))
    }

    async fn get_booking(
        &self,
        request: Request<wire::GetBookingRequest>,
    ) -> Answer<wire::Booking> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let view = self.scheduler.get_booking(&context, id).await?;
        Ok(Response::new(convert::booking(view)))
    }

    async fn batch_get_bookings(
        &self,
        request: Request<wire::BatchGetBookingsRequest>,
    ) -> Answer<wire::BatchGetBookingsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let ids = request.into_inner().ids;
        let ids = ids.iter().map(|text| id("ids", text));
        let ids = ids.collect::<convene_kit::Result<_>>()?;
        let views = self.scheduler.batch_get_bookings(&context, ids).await?;
        Ok(Response::new(wire::BatchGetBookingsResponse {
            bookings: views.into_iter().map(convert::booking).collect(),
        }))
    }

    async fn list_bookings(
        &self,
        request: Request<wire::ListBookingsRequest>,
    ) -> Answer<wire::ListBookingsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let (first, after) = convert::page(request.page)?;
        let host = match request.host_id.as_str() {
            "" => None,
            host => Some(id("hostId", host)?),
        };
        let bookings = self.scheduler.list_bookings(&context, host, after, first);
        let page = bookings.await?;
        Ok(Response::new(wire::ListBookingsResponse {
            bookings: page.items.into_iter().map(convert::booking).collect(),
            has_more: page.has_more,
        }))
    }

    async fn reschedule_booking(
        &self,
        request: Request<wire::RescheduleBookingRequest>,
    ) -> Answer<wire::Booking> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::reschedule(request.into_inner())?;
        let view = self.scheduler.reschedule_booking(&context, wish).await?;
        Ok(Response::new(convert::booking(view)))
    }

    async fn cancel_booking(
        &self,
        request: Request<wire::CancelBookingRequest>,
    ) -> Answer<wire::Booking> {
        let context = Context::accept(&self.callers, &request)?;
        let mut request = request.into_inner();
        let key = convert::cancel_key(&mut request)?;
        let id = id("id", &request.id)?;
        let cancelled = self
            .scheduler
            .cancel_booking(&context, key, id, &request.reason);
        Ok(Response::new(convert::booking(cancelled.await?)))
    }

    async fn end_meeting(
        &self,
        request: Request<wire::EndMeetingRequest>,
    ) -> Answer<wire::Booking> {
        let id = request.get_ref().id.clone();
        self.settle(request, &id, Outcome::Over).await
    }

    async fn confirm_booking(
        &self,
        request: Request<wire::ConfirmBookingRequest>,
    ) -> Answer<wire::Booking> {
        let id = request.get_ref().id.clone();
        self.settle(request, &id, Outcome::Confirmed).await
    }

    async fn decline_booking(
        &self,
        request: Request<wire::DeclineBookingRequest>,
    ) -> Answer<wire::Booking> {
        let (id, reason) = (
            request.get_ref().id.clone(),
            request.get_ref().reason.clone(),
        );
        self.settle(request, &id, Outcome::Declined(reason)).await
    }

    async fn mark_no_show(
        &self,
        request: Request<wire::MarkNoShowRequest>,
    ) -> Answer<wire::Booking> {
        let id = request.get_ref().id.clone();
        self.settle(request, &id, Outcome::NoShow).await
    }

    async fn set_service_policy(
        &self,
        request: Request<wire::SetServicePolicyRequest>,
    ) -> Answer<wire::Service> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("serviceId", &request.service_id)?;
        let policy = convert::policy::from_wire(request.policy.unwrap_or_default());
        let set = self.scheduler.set_service_policy(&context, id, policy);
        Ok(Response::new(convert::service(set.await?)?))
    }
}
