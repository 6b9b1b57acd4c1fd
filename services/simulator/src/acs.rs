//! Communication services: the wire face of `lib/acs` in front of this world.

mod wav;
mod work;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::Request,
    response::Response,
    routing::{MethodRouter, any},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use convene_acs::{
    BadToken, Command, Face, Keys, Moment, Once, Outcome, Port, Problem, Resource, Signer,
    Simulated, TeamsUser,
};
use serde_json::Value;

pub use work::work;

use crate::{
    SimulatorError,
    entra::{self, Audience, Invalid},
    origin::Origin,
    state::Shared,
    world::{derived_bytes, derived_uuid},
};

/// What signs user tokens and callbacks. Everybody knows it, as everybody knows what follows from a seed: whoever trusts it trusts any simulator.
const SIGNING_KEY: &[u8] = include_bytes!("../data/acs-signing-key.p8.der");

/// The resource of a seed.
pub fn resource(seed: u64) -> Result<Resource, SimulatorError> {
    let key = |name: &str| {
        let mut key = [0; 64];
        let halves = ["first", "second"].map(|half| derived_bytes(seed, &format!("{name}/{half}")));
        for (to, from) in key.iter_mut().zip(halves.into_iter().flatten()) {
            *to = from;
        }
        key
    };
    Ok(Resource {
        id: derived_uuid(seed, "acs"),
        keys: Keys::new(key("acs key"), key("acs second key")),
        signer: Signer::from_pkcs8(SIGNING_KEY).map_err(SimulatorError::BuiltInKey)?,
    })
}

/// All that begins like communication services.
pub fn routes(shared: Arc<Shared>) -> Router<Arc<Shared>> {
    let face = Face::new(Arc::new(Mounted(shared)));
    let answer = || -> MethodRouter<Arc<Shared>> {
        let face = face.clone();
        any(
            async move |origin: Origin, request: Request| -> Response<Body> {
                face.answer(request, &origin.to_string()).await
            },
        )
    };
    let roots = ["/identities", "/teamsUser", "/rooms", "/calling"];
    roots.into_iter().fold(Router::new(), |router, root| {
        router
            .route(root, answer())
            .route(&format!("{root}/{{*rest}}"), answer())
    })
}

/// What commands need, with ids that follow from the seed and a number of the world.
fn moment(shared: &Shared, made: u64) -> Moment<'_> {
    let fresh = derived_uuid(shared.directory.seed, &format!("acs/{made}"));
    Moment {
        resource: &shared.resource.id,
        now_ms: shared.clock.now_ms(),
        fresh: fresh.parse().unwrap_or_default(),
        parties: &Simulated,
    }
}

/// This world behind the face.
struct Mounted(Arc<Shared>);

#[async_trait]
impl Port for Mounted {
    fn resource(&self) -> &Resource {
        &self.0.resource
    }

    fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    fn wall_ms(&self) -> i64 {
        self.0.clock.wall_ms()
    }

    fn entra(&self, token: &str) -> Result<(), BadToken> {
        match entra::check(&self.0, token, Audience::Communication) {
            Ok(_) => Ok(()),
            Err(invalid) => Err(BadToken(match invalid {
                Invalid::Malformed => "The bearer token is not a JSON Web Token.",
                Invalid::Signature => "The bearer token is not signed by this simulator's Entra.",
                Invalid::Audience => {
                    "The bearer token is for another resource; ask for the scope https://communication.azure.com//.default."
                }
                Invalid::Expired => "The bearer token has expired; ask for a new one.",
            })),
        }
    }

    /// Entra's part for people is not simulated, so whoever tests an exchange makes the token: only one that names this simulator as its issuer has
    /// to be signed by it.
    fn teams_user(&self, token: &str) -> Result<TeamsUser, BadToken> {
        const MALFORMED: BadToken =
            BadToken("The token is not a JSON Web Token with appid, oid and exp.");
        let mut parts = token.split('.');
        let claims = parts.nth(1).ok_or(MALFORMED)?;
        let claims = URL
            .decode(claims.trim_end_matches('='))
            .map_err(|_| MALFORMED)?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| MALFORMED)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let ours = format!("/{}/v2.0", self.0.directory.tenant);
        if text("iss").is_some_and(|issuer| issuer.ends_with(&ours)) {
            entra::issued_here(&self.0, token).map_err(|_| {
                BadToken("The token names this simulator as its issuer and is not signed by it.")
            })?;
        }
        let expiry = claims.get("exp").and_then(Value::as_i64);
        Ok(TeamsUser {
            app: text("appid").ok_or(MALFORMED)?,
            user: text("oid").ok_or(MALFORMED)?,
            expires_ms: expiry.ok_or(MALFORMED)?.saturating_mul(1_000),
        })
    }

    /// The server has it on disk before the answer goes out.
    async fn run(&self, command: Command, once: Option<Once>) -> Result<Outcome, Problem> {
        let shared = &self.0;
        if command.is_read() {
            return shared.read().acs.run(command, None, moment(shared, 0));
        }
        let done = shared.change(|world| {
            let made = world.next();
            world.acs.run(command, once.as_ref(), moment(shared, made))
        });
        shared.calls_moved.notify_one();
        done
    }
}
