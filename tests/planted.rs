//! Every checker of `prove` catches what is planted for it, and says nothing of what really happened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use convene_tests::prove::{
    Promise, Store, Wanted, check::check, plant::PLANTS, tapes, violations,
};

/// Histories of each promise: enough that every plant finds its place.
const SEEDS: u64 = 8;

/// The product, built when it is not there.
fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let binary = own.ancestors().nth(2).unwrap().join("convene");
    if !binary.is_file() {
        let mut build = std::process::Command::new(env!("CARGO"));
        let built = build.args(["build", "--locked", "-p", "convene"]).status();
        assert!(built.unwrap().success());
    }
    binary
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_faults_are_caught() {
    let wanted = Wanted {
        promises: Promise::ALL.to_vec(),
        from: 1,
        seeds: SEEDS,
        strike_percent: 0,
        store: Store::Sqlite,
        logs: None,
        binary: binary(),
    };
    let mut caught = 0;
    for (promise, tapes) in tapes(&wanted).await.unwrap() {
        assert_eq!(violations(promise, &tapes), [], "{promise}");
        for plant in PLANTS.iter().filter(|plant| plant.promise == promise) {
            let planted = tapes.iter().find_map(|tape| {
                let mut tape = tape.clone();
                (plant.plant)(&mut tape).then_some(tape)
            });
            let planted = planted.unwrap_or_else(|| panic!("no place for: {}", plant.name));
            assert!(
                !check(promise, &planted).is_empty(),
                "not caught: {}",
                plant.name
            );
            caught += 1;
        }
    }
    assert_eq!(caught, PLANTS.len());
}
