//! Modules that are not taken: each refused under its own name, before anything of it is compiled where that can be.

use convene_plugin_fixtures::{Lobby as Guest, case, contract, hostile};
use convene_plugin_host::{Grants, Host, Reason, Refusal, digest};

use crate::world::{host, unhurried};

async fn refused(host: &Host, what: &str, module: Vec<u8>) -> Refusal {
    let limits = unhurried();
    let taken = host.validate(module, &Grants::default(), &limits).await;
    taken.expect_err(what)
}

fn good() -> Vec<u8> {
    Guest::always(case::ADMIT, "OK").build()
}

#[tokio::test]
async fn each_is_refused_under_its_own_name() {
    let host = host();
    for (what, module, name) in hostile::refused() {
        let refusal = refused(&host, what, module).await;
        assert_eq!(refusal.name(), name, "{what}: {refusal}");
        assert!(refusal.to_string().len() < 700, "{what}: {refusal}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_change() {
    for (what, needle) in [
        ("the file system", "wasm32-unknown-unknown"),
        ("a capability that is not granted", "grant facts"),
        ("a later contract", "serves 0.1.0"),
        ("a component without exports", "export convene:plugin/lobby"),
        ("thousands of functions", "10000 are allowed"),
        ("a hook without its function", "on-lobby-arrival"),
    ] {
        let found = hostile::refused()
            .into_iter()
            .find(|(name, ..)| *name == what);
        let refusal = refused(&host(), what, found.unwrap().1).await;
        assert!(refusal.to_string().contains(needle), "{what}: {refusal}");
    }
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let guest = Guest::always(case::ADMIT, "OK").items("(start $s) (func $s (loop $a (br $a)))");
    let Refusal::StartFailed(fault) = refused(&host(), "an endless start", guest.build()).await
    else {
        panic!("the start fails");
    };
    assert_eq!(fault.reason, Reason::OutOfFuel);
}

#[tokio::test]
async fn a_good_module_is_taken() {
    let (host, limits) = (host(), unhurried());
    let taken = host.validate(good(), &Grants::default(), &limits).await;
    let plugin = taken.unwrap();
    assert_eq!(plugin.hooks(), ["lobby"]);
    assert_eq!(plugin.digest(), digest(&good()));
    assert_eq!(plugin.digest().len(), 64);
    // The contract that the fixtures are built from is the one of the files.
    assert_eq!(contract().packages.len(), 1);
}
