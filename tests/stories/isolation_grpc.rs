//! Every method of every role, called for a stranger's tenant with this tenant's ids: nothing is told, nothing changes. And nobody is served who is not
//! signed for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_domain::{BookingId, HostId, TenantId, VisitId};
use convene_kit::{Caller, Callers, Clock, Context, Scope, ids::new, keys::Keys};
use convene_tests::{
    Values, World,
    contracts::{Contracts, call},
};
use tonic::{Code, Request, transport::Endpoint};

use crate::isolation::{Tenant, ids};

/// Rounds over all methods.
const ROUNDS: usize = 4;

/// The kind and UUID of a global id.
fn uuid(global: &str) -> (String, String) {
    let text = String::from_utf8(STANDARD.decode(global).unwrap()).unwrap();
    let (kind, id) = text.split_once(':').unwrap();
    (kind.to_owned(), id.to_owned())
}

/// Ids of this tenant, those that fit a field's name in the first place; by a seed.
struct Fitting<'a> {
    seed: usize,
    named: &'a [(String, String)],
}

impl Values for Fitting<'_> {
    fn id(&mut self, name: &str) -> String {
        self.seed += 1;
        let fits = |kind: &str| name.starts_with(&kind.to_lowercase());
        let fitting = self.named.iter().find(|(kind, _)| fits(kind));
        let any = &self.named[self.seed % self.named.len()];
        let (_, id) = fitting
            .filter(|_| !self.seed.is_multiple_of(4))
            .unwrap_or(any);
        id.clone()
    }

    fn text(&mut self, name: &str) -> String {
        match name {
            "zone" => "UTC".into(),
            "from" => "09:00".into(),
            "to" => "17:00".into(),
            "date" => "2099-01-01".into(),
            _ => "x".into(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_tells_or_changes_what_is_anothers() {
    let world = World::split().await;
    let theirs = Tenant::new(&world, &world.admin).await;
    let link = theirs.cast.host_link(&theirs.booked).await;
    world.drained().await;
    let before = theirs.dump().await;
    let named: Vec<_> = ids(&before).iter().map(|id| uuid(id)).collect();
    let foreign: Vec<String> = named.iter().map(|(_, id)| id.clone()).collect();
    let of = |kind: &str| named.iter().find(|(one, _)| one == kind).unwrap().1.clone();
    let host = HostId::from_uuid(of("Host").parse().unwrap());
    let visit = VisitId::from_uuid(of("Visit").parse().unwrap());
    let booking = BookingId::from_uuid(of("Booking").parse().unwrap());
    let scopes = [
        Scope::Admin,
        Scope::BookingApp,
        Scope::Host(host),
        Scope::Guest { visit, booking },
    ];

    let keys = Keys::open(&world.data().join("keys.json"), false).unwrap();
    let callers = Callers::new(keys.caller().unwrap(), Clock::default());
    let forged = Keys::ephemeral().unwrap().caller().unwrap();
    let forged = Callers::new(forged, Clock::default());
    let contracts = Contracts::of_roles();
    let stranger = TenantId::from_uuid(new());
    let (mut asked, mut answered) = (0usize, 0usize);
    for (role, address) in world.roles() {
        let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
        for method in contracts.methods() {
            let name = method.full_name().to_owned();
            let mut values = Fitting {
                seed: 0,
                named: &named,
            };
            let bare = Request::new(contracts.message(&method, &mut values));
            let refused = call(&channel, &method, bare).await.unwrap().unwrap_err();
            if refused.code() == Code::Unimplemented {
                continue;
            }
            assert_eq!(refused.code(), Code::Unauthenticated, "{role} {name}");
            for _ in 0..ROUNDS {
                for scope in scopes {
                    let mut values = Fitting {
                        seed: asked,
                        named: &named,
                    };
                    let message = contracts.message(&method, &mut values);
                    let as_whom = |tenant| Context::begin(Caller::new(tenant, scope, "key:test"));
                    let request = as_whom(stranger).request(&forged, message.clone());
                    let refused = call(&channel, &method, request.unwrap()).await;
                    let refused = refused.unwrap().unwrap_err();
                    assert_eq!(refused.code(), Code::Unauthenticated, "{role} {name}");

                    let request = as_whom(stranger).request(&callers, message.clone());
                    let answer = call(&channel, &method, request.unwrap()).await;
                    asked += 1;
                    let text = format!("{answer:?}");
                    assert!(!text.contains(&link), "a join link by {role} {name}");
                    for id in &foreign {
                        assert!(!text.contains(id), "{role} {name}: {text}");
                    }
                    let fault =
                        matches!(&answer, Some(Err(status)) if status.code() == Code::Internal);
                    assert!(!fault, "a fault of ours: {role} {name}: {text}");

                    // The owner gets an answer to some of the same questions.
                    if name.contains(".Get") || name.contains(".List") || name.ends_with(".Read") {
                        let request = as_whom(world.tenant()).request(&callers, message);
                        let answer = call(&channel, &method, request.unwrap()).await;
                        let told = |id: &String| format!("{answer:?}").contains(id);
                        answered += usize::from(foreign.iter().any(told));
                    }
                }
            }
        }
    }
    assert!(asked > 200, "{asked}");
    assert!(answered > 10, "{answered} of the questions were good ones");
    world.drained().await;
    assert_eq!(theirs.dump().await, before, "nothing of theirs changed");
    world.stop().await;
}
