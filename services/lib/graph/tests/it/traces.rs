//! What spans and `Debug` show, and what they do not.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use convene_graph::Graph;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::server::{CANARY, LINK, Server, config, nothing, refusal};

/// Writes every field of every span and event, whoever makes it.
#[derive(Clone, Default)]
struct Listener {
    heard: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Writer<'a>(&'a mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "{}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Writer(&mut self.heard.lock().unwrap()));
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Writer(&mut self.heard.lock().unwrap()));
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Writer(&mut self.heard.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn spans_hold_templates_and_no_secrets() {
    let server = Server::start(|number, _| match number {
        0 => nothing(),
        _ => refusal(400, "BadRequest", CANARY),
    })
    .await;
    let graph = server.graph();
    let listener = Listener::default();
    let listening = tracing::subscriber::set_default(listener.clone());
    let user = "canary@x.example";
    graph.find_online_meeting(user, LINK).await.unwrap();
    assert!(graph.cancel_event(user, CANARY, CANARY).await.is_err());
    drop(listening);
    let heard = listener.heard.lock().unwrap().clone();
    for expected in [
        "method=GET",
        "route=\"/users/{user}/onlineMeetings?$filter\"",
        "status=200",
        "route=\"/users/{user}/events/{event}/cancel\"",
        "status=400",
        "reason=\"PROVIDER_REFUSED\"",
        "duration_ms=",
    ] {
        assert!(heard.contains(expected), "{expected} is not in {heard}");
    }
    assert!(!heard.contains(CANARY), "{heard}");
}

#[test]
fn secrets_do_not_show() {
    let graph = Graph::new(config("http://127.0.0.1:9")).unwrap();
    assert!(!format!("{graph:?}").contains(CANARY));
}
