//! One execution for many watchers: whoever follows the same booking with the same words and the same rights is told with the same bytes.
//!
//! A watcher is told by an execution of its own until it stands exactly where the common one stands, and by that from then on. Who falls behind
//! goes back to an execution of its own, which reads the log, so a slow watcher holds nobody up.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use async_graphql::{
    Request, Response,
    parser::{
        parse_query,
        types::{OperationType, Selection},
    },
};
use convene_kit::{Result, Scope, digest};
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
};

use crate::{
    api::Session,
    auth,
    error::refused,
    feed::{Cursor, Place},
    limits,
    operation::App,
};

/// Messages that wait for a slow watcher; then it reads the log instead.
const WAITING: usize = 1_024;
/// The one subscription that is told in common: others differ from watcher to watcher.
const COMMON: &str = "bookingEvents";

/// Marks the common execution: the watchers' credentials are looked at where they are told.
pub struct InCommon;

type Key = [u8; 32];

/// One message for all, and where a watcher stands behind it.
#[derive(Clone)]
struct Told {
    payload: Arc<str>,
    at: Option<Cursor>,
}

/// The common executions that run.
#[derive(Default)]
pub struct Tellings(Mutex<Running>);

#[derive(Default)]
struct Running {
    by_key: HashMap<Key, Weak<Telling>>,
    /// How many there may be before those that ended are looked for.
    sweep_at: usize,
}

impl Running {
    fn get(&self, key: &Key) -> Option<Arc<Telling>> {
        self.by_key.get(key)?.upgrade()
    }

    fn insert(&mut self, key: Key, telling: &Arc<Telling>) {
        if self.by_key.len() >= self.sweep_at {
            self.by_key.retain(|_, known| known.strong_count() > 0);
            self.sweep_at = 2 * self.by_key.len() + 1;
        }
        self.by_key.insert(key, Arc::downgrade(telling));
    }
}

/// A common execution; it ends with its last watcher.
struct Telling {
    state: Mutex<State>,
    leader: Mutex<Option<AbortHandle>>,
}

struct State {
    /// `None` when it is over.
    watchers: Option<broadcast::Sender<Told>>,
    begun: bool,
    at: Option<Cursor>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telling {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                watchers: Some(broadcast::Sender::new(WAITING)),
                begun: false,
                at: None,
            }),
            leader: Mutex::new(None),
        })
    }

    /// For whoever has been told nothing yet, while nothing has been told.
    fn subscribe_first(&self) -> Option<broadcast::Receiver<Told>> {
        let state = lock(&self.state);
        let watchers = state.watchers.as_ref().filter(|_| !state.begun);
        watchers.map(broadcast::Sender::subscribe)
    }

    /// For whoever stands exactly where this stands.
    fn subscribe_at(&self, at: Cursor) -> Option<broadcast::Receiver<Told>> {
        let state = lock(&self.state);
        let watchers = state.watchers.as_ref().filter(|_| state.at == Some(at));
        watchers.map(broadcast::Sender::subscribe)
    }

    fn tell(&self, told: Told) {
        let mut state = lock(&self.state);
        state.begun = true;
        state.at = told.at;
        if let Some(watchers) = &state.watchers {
            let _ = watchers.send(told);
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(leader) = lock(&self.leader).take() {
            leader.abort();
        }
    }
}

/// Lets the watchers go, however the common execution ended.
struct Ending(Weak<Telling>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(telling) = self.0.upgrade() {
            lock(&telling.state).watchers = None;
        }
    }
}

/// Whether all callers with these rights are told the same.
pub fn is_common(request: &Request, scope: &Scope) -> bool {
    let sees_all = matches!(scope, Scope::Admin | Scope::BookingApp | Scope::Host(_));
    if !sees_all || limits::check_text(&request.query).is_err() {
        return false;
    }
    let Ok(document) = parse_query(&request.query) else {
        return false;
    };
    let name = request.operation_name.as_deref();
    let mut operations = document.operations.iter();
    let operation = match (name, operations.next(), operations.next()) {
        (None, Some((_, only)), None) => only,
        (Some(name), first, second) => {
            let mut all = first.into_iter().chain(second).chain(operations);
            match all.find(|(known, _)| known.is_some_and(|known| known == name)) {
                Some((_, named)) => named,
                None => return false,
            }
        }
        _ => return false,
    };
    let selected = &operation.node.selection_set.node.items;
    operation.node.ty == OperationType::Subscription
        && selected.len() == 1
        && selected.iter().all(|selection| match &selection.node {
            Selection::Field(field) => field.node.name.node == COMMON,
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        })
}

/// A watcher's wish, as often as it has to be executed.
#[derive(Clone)]
struct Wish {
    app: App,
    session: Session,
    traceparent: Arc<str>,
    query: Arc<str>,
    operation: Option<Arc<str>>,
    variables: async_graphql::Variables,
}

impl Wish {
    /// Answers in order; `place` says where to begin, and stands behind each answer when it comes.
    fn execute(&self, place: &Place, in_common: bool) -> BoxStream<'static, Response> {
        let mut request = Request::new(&*self.query).variables(self.variables.clone());
        request.operation_name = self.operation.as_deref().map(str::to_owned);
        let request = match in_common {
            true => request.data(place.clone()).data(InCommon),
            false => request.data(place.clone()),
        };
        let operation = self
            .app
            .ready(request, self.session.clone(), &self.traceparent);
        self.app.execute_stream(operation).boxed()
    }

    fn key(&self) -> Result<Key> {
        let variables = serde_json::to_vec(&self.variables)?;
        // What a caller may see is the same for all who differ by name only.
        let mut rights = self.session.caller.clone();
        rights.principal.clear();
        let rights = serde_json::to_vec(&rights)?;
        Ok(digest::of_parts(&[
            &rights,
            self.operation.as_deref().unwrap_or_default().as_bytes(),
            self.query.as_bytes(),
            &variables,
        ]))
    }
}

/// How a watcher is told at the moment.
enum Watcher {
    Alone {
        answers: BoxStream<'static, Response>,
        place: Place,
    },
    Together {
        told: broadcast::Receiver<Told>,
        telling: Arc<Telling>,
        at: Option<Cursor>,
    },
    /// Told for the last time.
    Over,
}

/// The payloads for one watcher, each once and in order, as JSON.
pub fn watch(
    app: App,
    request: Request,
    session: Session,
    traceparent: Arc<str>,
) -> Result<impl Stream<Item = Arc<str>>> {
    let wish = Wish {
        app,
        session,
        traceparent,
        query: request.query.into(),
        operation: request.operation_name.map(Into::into),
        variables: request.variables,
    };
    let key = wish.key()?;
    let first = begin(&wish, key);
    Ok(stream::unfold(
        Some((wish, first)),
        move |watcher| async move {
            let (wish, mut watcher) = watcher?;
            loop {
                match next(&wish, key, watcher).await {
                    Next::Told(payload, watcher) => return Some((payload, Some((wish, watcher)))),
                    Next::Again(again) => watcher = again,
                    Next::Over => return None,
                }
            }
        },
    ))
}

enum Next {
    Told(Arc<str>, Watcher),
    Again(Watcher),
    Over,
}

async fn next(wish: &Wish, key: Key, watcher: Watcher) -> Next {
    match watcher {
        Watcher::Over => Next::Over,
        Watcher::Alone { mut answers, place } => {
            let Some(answer) = answers.next().await else {
                return Next::Over;
            };
            let at = place.get();
            let together = at.and_then(|at| {
                let telling = lock(&wish.app.tellings.0).get(&key)?;
                let told = telling.subscribe_at(at)?;
                let at = Some(at);
                Some(Watcher::Together { told, telling, at })
            });
            let watcher = together.unwrap_or(Watcher::Alone { answers, place });
            Next::Told(encoded(&answer), watcher)
        }
        Watcher::Together {
            mut told,
            telling,
            at,
        } => match told.recv().await {
            Ok(Told { payload, at }) => match auth::check(&wish.app.api, &wish.session).await {
                Ok(()) => Next::Told(payload, Watcher::Together { told, telling, at }),
                Err(error) => Next::Told(encoded(&refused(error)), Watcher::Over),
            },
            Err(RecvError::Closed) => Next::Over,
            Err(RecvError::Lagged(_)) => {
                let place = Place::at(at);
                let answers = wish.execute(&place, false);
                Next::Again(Watcher::Alone { answers, place })
            }
        },
    }
}

fn begin(wish: &Wish, key: Key) -> Watcher {
    let mut tellings = lock(&wish.app.tellings.0);
    if let Some(telling) = tellings.get(&key) {
        if let Some(told) = telling.subscribe_first() {
            let at = None;
            return Watcher::Together { told, telling, at };
        }
        if lock(&telling.state).watchers.is_some() {
            let place = Place::default();
            let answers = wish.execute(&place, false);
            return Watcher::Alone { answers, place };
        }
    }
    // Nobody is told this yet: all that come until it begins are told with it.
    let telling = Telling::new();
    tellings.insert(key, &telling);
    drop(tellings);
    let told = telling.subscribe_first();
    let leading = tokio::spawn(lead(wish.clone(), Arc::downgrade(&telling)));
    *lock(&telling.leader) = Some(leading.abort_handle());
    match told {
        Some(told) => Watcher::Together {
            told,
            telling,
            at: None,
        },
        None => {
            let place = Place::default();
            let answers = wish.execute(&place, false);
            Watcher::Alone { answers, place }
        }
    }
}

async fn lead(wish: Wish, telling: Weak<Telling>) {
    let _ending = Ending(telling.clone());
    let place = Place::default();
    let mut answers = wish.execute(&place, true);
    while let Some(answer) = answers.next().await {
        let payload = encoded(&answer);
        let Some(telling) = telling.upgrade() else {
            return;
        };
        telling.tell(Told {
            payload,
            at: place.get(),
        });
    }
}

fn encoded(answer: &Response) -> Arc<str> {
    serde_json::to_string(answer).unwrap_or_default().into()
}
