//! What is accepted, and what is said of what is not.

use super::*;

const SIGNALLED: &str = "workflow: s\non: [manual]\nsteps:\n  - id: paid\n    waitFor: { signal: paid }\n  - { id: b, when: steps.paid.output.event.amount > 1, wait: { for: 1s } }";

#[test]
fn what_comes_with_a_signal_is_tried_on_its_example() {
    let problem = problems(SIGNALLED).remove(0);
    assert_eq!((problem.0, problem.1.as_str()), (6, "steps.b.when"));
    assert!(problem.2.contains("`example`"), "{}", problem.2);
    let with = |example: &str| {
        SIGNALLED.replace("signal: paid", &format!("signal: paid, example: {example}"))
    };
    assert!(parse(&with("{ amount: 12 }")).is_ok());
    assert!(
        problems(&with("{ amount: no }"))[0]
            .2
            .contains("do not fit")
    );
    assert!(problems(&with("12"))[0].1.ends_with("waitFor.example"));
}

const GOOD: &str = r#"
workflow: confirm-and-remind
on: [booking.booked]
steps:
  - id: confirm
    email: { to: guests, subject: "Hello ${guest.name}", text: "See you at ${booking.start}." }
  - id: remind
    at: booking.start - duration("24h")
    skipWhenLateBy: 1h
    email: { to: guests, subject: Tomorrow, text: "${service.name}" }
  - id: arrival
    waitFor: { event: visit.arrived, for: 30m, where: event.data.objectId != "" }
  - id: late
    branch:
      arms:
        - when: "!steps.arrival.output.happened"
          steps:
            - id: tell
              http: { url: "https://example.com/late", body: { booking: "${booking.id}", tags: [late, 1] } }
      otherwise:
        - id: pause
          wait: { for: 5m }
"#;

fn problems(text: &str) -> Vec<(u64, String, String)> {
    let problems = parse(text).expect_err("it has problems");
    let parts = |problem: Problem| (problem.line, problem.path, problem.message);
    problems.into_iter().map(parts).collect()
}

#[track_caller]
fn refused(from: &str, to: &str, line: u64, path: &str, says: &str) {
    assert!(GOOD.contains(from), "{from}");
    let problems = problems(&GOOD.replace(from, to));
    let known = problems.iter().any(|(own_line, own_path, message)| {
        (*own_line, own_path.as_str()) == (line, path) && message.contains(says)
    });
    assert!(known, "{problems:?}");
}

#[test]
fn a_good_one_is_read() {
    let definition = parse(GOOD).unwrap();
    assert_eq!(definition.name, "confirm-and-remind");
    assert_eq!(definition.awaited, ["visit.arrived"]);
    let ids: Vec<_> = definition
        .all()
        .iter()
        .map(|step| step.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["confirm", "remind", "arrival", "late", "tell", "pause"]
    );
    assert_eq!(definition.step("remind").unwrap().late_ms, Some(3_600_000));
    assert!(definition.step("nobody").is_none());
}

#[test]
fn json_is_read_too() {
    let json = r#"{"workflow":"a","on":["manual"],"steps":[{"id":"w","wait":{"for":"1s"}}]}"#;
    assert_eq!(parse(json).unwrap().triggers, [MANUAL]);
}

#[test]
fn problems_name_line_and_place() {
    refused(
        "booking.booked]",
        "booking.boked]",
        3,
        "on",
        "there are booking.booked",
    );
    refused(
        "id: remind",
        "id: confirm",
        7,
        "steps.confirm.id",
        "another step",
    );
    refused(
        "skipWhenLateBy: 1h",
        "skipWhenLateBy: soon",
        7,
        "steps.remind.skipWhenLateBy",
        "no duration",
    );
    refused("duration(\"24h\")", "", 7, "steps.remind.at", "CEL");
    refused(
        "to: guests, subject: \"Hello",
        "to: nobody, subject: \"Hello",
        5,
        "steps.confirm.email.to",
        "nobody",
    );
    refused(
        "wait: { for: 5m }",
        "sms: {}",
        21,
        "steps.pause.sms",
        "cannot do this",
    );
    refused(
        "wait: { for: 5m }",
        "wait: {}",
        21,
        "steps.pause.wait",
        "for",
    );
    refused(
        "    at: booking",
        "    colour: red\n    at: booking",
        8,
        "",
        "colour",
    );
}

#[test]
fn what_does_not_type_is_found_before_it_runs() {
    let path = "steps.remind.at";
    refused(
        "booking.start - duration",
        "booking.id - duration",
        7,
        path,
        "do not fit",
    );
    refused(
        "booking.start - duration(\"24h\")",
        "booking.id",
        7,
        path,
        "timestamp",
    );
    refused("booking.start - ", "booking.begin - ", 7, path, "begin");
    refused(
        "${guest.name}",
        "${guest.phone}",
        5,
        "steps.confirm.email.subject",
        "phone",
    );
    refused(
        "!steps.arrival.output.happened",
        "!steps.arival.output.happened",
        13,
        "steps.late.branch.arms[0].when",
        "arival",
    );
    refused(
        "!steps.arrival.output.happened",
        "steps.arrival.output",
        13,
        "steps.late.branch.arms[0].when",
        "true or false",
    );
    refused(
        "event.data.objectId != \\\"\\\"".replace('\\', "").as_str(),
        "event.data.colour == 1",
        11,
        "steps.arrival.waitFor.where",
        "colour",
    );
}

#[test]
fn too_much_is_refused() {
    let mut many = String::from("workflow: a\non: [manual]\nsteps:\n");
    for number in 0..=STEPS_MAX {
        many.push_str(&format!("  - {{ id: s{number}, wait: {{ for: 1s }} }}\n"));
    }
    assert!(problems(&many)[0].2.contains("100 steps"));
    assert!(
        problems(&"x".repeat(SOURCE_BYTES_MAX + 1))[0]
            .2
            .contains("bytes")
    );
    let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nworkflow: [*c,*c]";
    assert!(!problems(bomb).is_empty());
    let deep = "[".repeat(5_000);
    assert!(!problems(&deep).is_empty());
}

#[test]
fn garbage_never_panics() {
    let mut state = 7_u64;
    for _ in 0..300 {
        let mut text = GOOD.as_bytes().to_vec();
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let place = (state >> 33) as usize % text.len();
            text[place] = (state >> 20) as u8;
        }
        let _ = parse(&String::from_utf8_lossy(&text));
    }
}
