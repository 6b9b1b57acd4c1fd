//! Modules that are not taken: each refused under its own name, before anything of it is compiled where that can be.

use convene_plugin_fixtures::{Lobby as Guest, case, component, contract, text};
use convene_plugin_host::{Grants, Host, Reason, Refusal, digest};
use wit_parser::Resolve;

use crate::world::{host, unhurried};

async fn refused(host: &Host, what: &str, module: Vec<u8>) -> Refusal {
    let limits = unhurried();
    let taken = host.validate(module, &Grants::default(), &limits).await;
    taken.expect_err(what)
}

fn many(piece: &str, count: usize) -> String {
    piece.repeat(count)
}

/// A core module of this text, inside a component that does nothing with it.
fn inside(core: &str) -> Vec<u8> {
    text(&format!("(component (core module {core}))"))
}

fn nested(levels: usize) -> Vec<u8> {
    text(&format!(
        "{}{}",
        many("(component ", levels),
        many(")", levels)
    ))
}

/// Each type is two of the one before.
fn exploding_types() -> Vec<u8> {
    let mut types = String::from("(type $t0 (tuple u64 u64))");
    for n in 1..40 {
        types += &format!("(type $t{n} (tuple $t{} $t{}))", n - 1, n - 1);
    }
    text(&format!("(component {types})"))
}

/// A plugin built for a contract that calls itself the same and is another one.
fn other_types() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let text = "package convene:plugin@0.1.0;
        interface lobby { on-lobby-arrival: func(name: string) -> u32; }
        world lobby-hook { export lobby; }";
    resolve.push_str("other.wit", text).unwrap();
    let core = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "convene:plugin/lobby@0.1.0#on-lobby-arrival") (param i32 i32) (result i32) (i32.const 0)))"#;
    component(core, &resolve, "lobby-hook")
}

fn imports(interface: &str) -> Vec<u8> {
    text(&format!(
        r#"(component
             (import "{interface}" (instance (export "run" (func))))
             (instance $i)
             (export "convene:plugin/lobby@0.1.0" (instance $i)))"#
    ))
}

fn exports(interface: &str) -> Vec<u8> {
    text(&format!(
        r#"(component (instance $i) (export "{interface}" (instance $i)))"#
    ))
}

fn good() -> Vec<u8> {
    Guest::always(case::ADMIT, "OK").build()
}

fn corpus() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let truncated = good()[..good().len() / 2].to_vec();
    let mut scrambled = good();
    // Behind the header: the first sections.
    scrambled[20..60].fill(0xff);
    let mut compiled = b"\x7fELF".to_vec();
    compiled.extend_from_slice(&[0; 100]);
    vec![
        ("nothing", vec![], "NOT_A_COMPONENT"),
        ("a text", b"let me in".to_vec(), "NOT_A_COMPONENT"),
        ("machine code", compiled, "NOT_A_COMPONENT"),
        ("a core module", text("(module)"), "NOT_A_COMPONENT"),
        ("a truncated file", truncated, "MODULE_MALFORMED"),
        ("a scrambled file", scrambled, "MODULE_MALFORMED"),
        ("types that explode", exploding_types(), "MODULE_MALFORMED"),
        (
            "shared memory",
            inside("(memory 1 1 shared)"),
            "MODULE_MALFORMED",
        ),
        (
            "64-bit memory",
            inside("(memory i64 1)"),
            "MODULE_MALFORMED",
        ),
        (
            "two memories",
            inside("(memory 1) (memory 1)"),
            "MODULE_MALFORMED",
        ),
        (
            "a file beyond all measure",
            {
                let mut bytes = good();
                bytes.resize(5 << 20, 0);
                bytes
            },
            "MODULE_TOO_LARGE",
        ),
        (
            "thousands of functions",
            inside(&many("(func)", 10_001)),
            "MODULE_TOO_COMPLEX",
        ),
        (
            "an endless function",
            inside(&format!("(func {})", many("nop ", 300_000))),
            "MODULE_TOO_COMPLEX",
        ),
        (
            "blocks in blocks",
            inside(&format!(
                "(func {}{})",
                many("block ", 1_001),
                many("end ", 1_001)
            )),
            "MODULE_TOO_COMPLEX",
        ),
        (
            "thousands of locals",
            inside(&format!("(func (local {}))", many("i64 ", 20_000))),
            "MODULE_TOO_COMPLEX",
        ),
        (
            "thousands of globals",
            inside(&many("(global i32 (i32.const 0))", 50_001)),
            "MODULE_TOO_COMPLEX",
        ),
        ("components in components", nested(9), "MODULE_TOO_COMPLEX"),
        (
            "hundreds of modules",
            text(&format!("(component {})", many("(core module)", 200))),
            "MODULE_TOO_COMPLEX",
        ),
        (
            "4 GiB at the start",
            inside("(memory 65536)"),
            "MODULE_STARTS_TOO_LARGE",
        ),
        (
            "a huge table at the start",
            inside("(table 9000000 funcref)"),
            "MODULE_STARTS_TOO_LARGE",
        ),
        (
            "a component without exports",
            text("(component)"),
            "NO_HOOK",
        ),
        (
            "a hook that nobody calls yet",
            exports("convene:plugin/booking@0.1.0"),
            "HOOK_NOT_SERVED",
        ),
        (
            "a hook that does not exist",
            exports("convene:plugin/backdoor@0.1.0"),
            "HOOK_NOT_SERVED",
        ),
        (
            "a later contract",
            exports("convene:plugin/lobby@0.2.0"),
            "CONTRACT_UNSUPPORTED",
        ),
        (
            "a contract without version",
            exports("convene:plugin/lobby"),
            "CONTRACT_UNSUPPORTED",
        ),
        (
            "a capability of a later contract",
            imports("convene:plugin/log@0.1.1"),
            "CONTRACT_UNSUPPORTED",
        ),
        (
            "the file system",
            imports("wasi:filesystem/types@0.2.3"),
            "IMPORT_UNKNOWN",
        ),
        (
            "somebody else's interface",
            imports("evil:host/shell@1.0.0"),
            "IMPORT_UNKNOWN",
        ),
        (
            "a capability that does not exist",
            imports("convene:plugin/shell@0.1.0"),
            "IMPORT_UNKNOWN",
        ),
        (
            "a capability that is not granted",
            Guest::always(case::ADMIT, "OK")
                .imports(
                    r#"(import "convene:plugin/facts@0.1.0" "look-up" (func (param i32 i32 i32)))"#,
                )
                .build(),
            "CAPABILITY_NOT_GRANTED",
        ),
        ("a hook of other types", other_types(), "WRONG_TYPE"),
        (
            "a hook without its function",
            exports("convene:plugin/lobby@0.1.0"),
            "WRONG_TYPE",
        ),
        (
            "a capability of other types",
            imports("convene:plugin/log@0.1.0"),
            "WRONG_TYPE",
        ),
        (
            "a panic at the start",
            Guest::always(case::ADMIT, "OK")
                .items("(start $s) (func $s (unreachable))")
                .build(),
            "START_FAILED",
        ),
        (
            "an endless start",
            Guest::always(case::ADMIT, "OK")
                .items("(start $s) (func $s (loop $again (br $again)))")
                .build(),
            "START_FAILED",
        ),
    ]
}

#[tokio::test]
async fn each_is_refused_under_its_own_name() {
    let host = host();
    for (what, module, name) in corpus() {
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
        let found = corpus().into_iter().find(|(name, ..)| *name == what);
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
