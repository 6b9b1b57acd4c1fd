//! Traces as a collector receives them, over the real protocol.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::ResourceSpans,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::{
    BINARY,
    house::{Cloud, Process, Up, eventually},
};

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ResourceSpans>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans;
        self.0.lock().unwrap().extend(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A span, as far as the tests look at it.
#[derive(Clone, Debug)]
struct Seen {
    service: String,
    name: String,
    trace: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

fn text(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let value = |value: &KeyValue| match value.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    };
    let all = attributes.iter();
    all.filter_map(|one| Some((one.key.clone(), value(one)?)))
        .collect()
}

impl Collector {
    /// Listens on a free port of loopback.
    async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = TraceServiceServer::new(collector.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        let incoming = TcpIncoming::from(listener);
        tokio::spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
        (collector, address)
    }

    fn resources(&self) -> Vec<BTreeMap<String, String>> {
        let kept = self.0.lock().unwrap();
        let resources = kept.iter().filter_map(|spans| spans.resource.as_ref());
        resources
            .map(|resource| text(&resource.attributes))
            .collect()
    }

    fn spans(&self) -> Vec<Seen> {
        let kept = self.0.lock().unwrap();
        let mut seen = Vec::new();
        for of_resource in kept.iter() {
            let resource = of_resource.resource.as_ref().unwrap();
            let service = &text(&resource.attributes)["service.name"];
            let spans = of_resource
                .scope_spans
                .iter()
                .flat_map(|scope| &scope.spans);
            seen.extend(spans.map(|span| Seen {
                service: service.clone(),
                name: span.name.clone(),
                trace: span.trace_id.clone(),
                attributes: text(&span.attributes),
            }));
        }
        seen
    }

    /// All that was sent, as text.
    fn all(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// The binary with a collector in its environment.
fn traced(variable: &str, address: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.env(variable, address);
    command
}

/// One booking is one trace from the request to the provider, and nothing of it is a secret.
#[tokio::test(flavor = "multi_thread")]
async fn one_booking_is_one_trace_at_the_collector() {
    let (collector, address) = Collector::start().await;
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let otlp = format!("http://{address}");
    let command = traced("OTEL_EXPORTER_OTLP_ENDPOINT", &otlp);
    let up = Up::by(command, folder.path(), &cloud);
    let booking = up.book(&cloud).await;
    let query =
        "mutation($id: ID!) { issueTicket(input: { bookingId: $id, guestId: $guest }) { ticket } }";
    let guests = "query($id: ID!) { booking(id: $id) { guests { id } } }";
    let guests = up.call(guests, json!({ "id": booking })).await;
    let query = query.replace("($id: ID!)", "($id: ID!, $guest: ID!)");
    let guest = json!({"id": booking, "guest": guests["booking"]["guests"][0]["id"]});
    // The lobby that issues it is opened a moment after the booking.
    let ticket = Mutex::new(Value::Null);
    eventually("a ticket is issued", || async {
        let issued = up.call(&query, guest.clone()).await["issueTicket"]["ticket"].take();
        let there = issued.is_string();
        *ticket.lock().unwrap() = issued;
        there
    })
    .await;
    let ticket = ticket.into_inner().unwrap();
    up.completes(&booking).await;
    let env = cloud.get("env").await;
    let key = up.process.said("Admin key");
    // What is left is sent when the node is told to stop.
    assert!(up.process.stop().success());

    let spans = collector.spans();
    let made = |span: &&Seen| {
        span.name == "graph"
            && span.attributes["method"] == "POST"
            && span.attributes["route"] == "/users/{user}/events"
    };
    let made: Vec<_> = spans.iter().filter(made).collect();
    assert_eq!(made.len(), 1, "one event was made");
    let trace = &made[0].trace;
    let names = spans.iter().filter(|span| span.trace == *trace);
    let names: BTreeSet<_> = names.map(|span| span.name.as_str()).collect();
    for name in [
        "graphql",
        "convene.scheduler.v1.Scheduler/BookMeeting",
        "convene.meeting.v1.MeetingBroker/EnsureMeeting",
        "convene.lobby.v1.LobbyManager/OpenLobby",
        "job",
        "graph",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    assert_eq!(made[0].service, "convene");
    for resource in collector.resources() {
        assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
        assert!(
            resource["convene.roles"].contains("gateway,")
                || resource["convene.roles"].contains("scheduler")
        );
    }
    let all = collector.all();
    for secret in [
        key.as_str(),
        ticket.as_str().unwrap(),
        env["GRAPH_CLIENT_SECRET"].as_str().unwrap(),
        "meetup-join",
        "A Guest",
        "a@guest.example",
        "eyJ0eXAi",
    ] {
        assert!(!all.contains(secret), "a span holds {secret:?}");
    }
}

/// A collector that is away costs spans, counted, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_disturbs_nobody() {
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let nobody = traced("CONVENE_TELEMETRY__OTLP", "http://127.0.0.1:9");
    let up = Up::by(nobody, folder.path(), &cloud);
    let booking = up.book(&cloud).await;
    up.completes(&booking).await;
    let operations = up.process.said("Operations");
    let page = operations.replace("/ready,", "/metrics");
    eventually("dropped spans are counted", || async {
        let page = reqwest::get(&page).await.unwrap().text().await.unwrap();
        let count = |outcome: &str| {
            let series = format!("convene_telemetry_spans_total{{outcome=\"{outcome}\"}} ");
            let line = page.lines().find_map(|line| line.strip_prefix(&series));
            line.map(|count| count.parse::<u64>().unwrap())
        };
        assert_eq!(count("exported"), Some(0));
        count("dropped") > Some(0)
    })
    .await;
    let stopping = Instant::now();
    assert!(up.process.stop().success());
    assert!(stopping.elapsed() < Duration::from_secs(15));
    let mut elsewhere = traced("CONVENE_TELEMETRY__OTLP", "http://10.0.0.1:4317");
    elsewhere.args(["up", "--data", "x"]);
    let refused = Process::fails(elsewhere);
    assert!(
        refused.contains("TLS_REQUIRED") && refused.contains("telemetry.otlp"),
        "{refused}"
    );
}
