use convene_kit::finding::Severity;

use super::*;

const TENANT: &str = "11111111-0000-0000-0000-000000000000";

fn known() -> Known {
    Known::of(&GraphConfig {
        base: "https://graph.example/v1.0".into(),
        beta_base: "https://graph.example/beta".into(),
        token_url: "https://user:secret@login.example/t/oauth2/v2.0/token".into(),
        tenant: TENANT.into(),
        client_id: "the-application".into(),
        client_secret: "canary".to_owned().into(),
        timeout_ms: 1,
        connect_timeout_ms: 1,
        response_bytes_max: 1,
    })
}

fn roles(names: &[&str]) -> Claims {
    Claims {
        roles: names.iter().map(|name| (*name).to_owned()).collect(),
        tenant: Some(TENANT.to_uppercase()),
    }
}

fn all_needed() -> Vec<&'static str> {
    NEEDS.iter().map(|need| need.permission).collect()
}

/// A provider that lacks nothing, with one organizer.
fn well() -> Seen {
    Seen {
        known: known(),
        token: Ok(Some(roles(&all_needed()))),
        clock_off_ms: Some(300),
        limit_used: Some(0.1),
        beta: Some(Err(GraphError::NotFound {
            code: "8522".into(),
        })),
        users: vec![user_of(Ok(()), Ok(()))],
        left_out: (0, 20),
    }
}

fn user_of(calendar: Result<(), GraphError>, meetings: Result<(), GraphError>) -> SeenUser {
    SeenUser {
        name: "ada@example.org".into(),
        calendar: Some(calendar),
        meetings: Some(meetings),
    }
}

fn refused(code: &str) -> GraphError {
    GraphError::Refused {
        status: 403,
        code: code.into(),
        request_id: None,
    }
}

/// Codes of what is not as it should be, in order; every finding is whole.
fn wrong(seen: &Seen) -> Vec<&'static str> {
    let findings = judge(seen);
    for finding in &findings {
        let text = format!("{}{}{}", finding.subject, finding.says, finding.remedy);
        assert!(!text.contains(['{', '}']), "a gap is open: {text}");
        assert!(
            !text.contains("canary") && !text.contains("user:secret"),
            "{text}"
        );
        let ok = finding.severity == Severity::Ok;
        assert_eq!(finding.remedy.is_empty(), ok, "{}", finding.code);
        let kind = of_the_list(finding.code);
        assert_eq!(
            (kind.severity, kind.about),
            (finding.severity, finding.about)
        );
    }
    let findings = findings.iter();
    let wrong = findings.filter(|finding| finding.severity != Severity::Ok);
    wrong.map(|finding| finding.code).collect()
}

fn of_the_list(code: &str) -> &'static Kind {
    let mut kinds = found::FINDINGS.iter();
    kinds.find(|kind| kind.code == code).expect("in the list")
}

#[test]
fn nothing_is_wrong_with_a_good_provider() {
    assert_eq!(wrong(&well()), Vec::<&str>::new());
    let good = judge(&well());
    let permissions = good.iter().filter(|f| f.about == "PERMISSION").count();
    assert_eq!(permissions, NEEDS.len());
}

#[test]
fn codes_are_told_apart_and_only_good_ones_lack_a_remedy() {
    let codes: BTreeSet<_> = found::FINDINGS.iter().map(|kind| kind.code).collect();
    assert_eq!(codes.len(), found::FINDINGS.len());
    for kind in found::FINDINGS {
        let ok = kind.severity == Severity::Ok;
        assert_eq!(kind.remedy.is_empty(), ok, "{}", kind.code);
    }
}

#[test]
fn each_missing_permission_is_named_and_weighed() {
    for need in NEEDS {
        let rest: Vec<_> = all_needed();
        let rest: Vec<_> = rest
            .into_iter()
            .filter(|one| *one != need.permission)
            .collect();
        let seen = Seen {
            token: Ok(Some(roles(&rest))),
            ..well()
        };
        let code = match need.part {
            Part::Meetings => "PERMISSION_MISSING",
            Part::Recording => "RECORDING_PERMISSION_MISSING",
        };
        assert_eq!(wrong(&seen), [code], "{}", need.permission);
        let findings = judge(&seen);
        let missing = findings
            .iter()
            .find(|finding| finding.code == code)
            .unwrap();
        assert_eq!(missing.subject, need.permission);
        assert!(
            missing.remedy.contains(need.permission) && missing.remedy.contains("the-application")
        );
        // Another permission that does as well is no excess.
        if let Some(instead) = need.instead {
            let seen = Seen {
                token: Ok(Some(roles(&[rest, vec![instead]].concat()))),
                ..well()
            };
            assert_eq!(wrong(&seen), Vec::<&str>::new());
        }
    }
}

#[test]
fn what_is_not_needed_is_in_excess() {
    let much = [
        all_needed(),
        vec!["Directory.ReadWrite.All", "Calls.AccessMedia.All"],
    ]
    .concat();
    let seen = Seen {
        token: Ok(Some(roles(&much))),
        ..well()
    };
    assert_eq!(wrong(&seen), ["PERMISSION_IN_EXCESS"; 2]);
    let opaque = Seen {
        token: Ok(None),
        ..well()
    };
    assert_eq!(wrong(&opaque), ["PERMISSIONS_UNREADABLE"]);
    let foreign = Claims {
        tenant: Some("another".into()),
        ..roles(&all_needed())
    };
    let foreign = Seen {
        token: Ok(Some(foreign)),
        ..well()
    };
    assert_eq!(wrong(&foreign), ["TOKEN_OF_ANOTHER_TENANT"]);
}

#[test]
fn each_refusal_of_a_token_has_its_remedy() {
    for (code, found) in [
        ("AADSTS7000215", "TOKEN_SECRET_WRONG"),
        ("AADSTS7000222", "TOKEN_SECRET_EXPIRED"),
        ("AADSTS7000218", "TOKEN_SECRET_MISSING"),
        ("AADSTS700016", "TOKEN_APPLICATION_UNKNOWN"),
        ("AADSTS7000112", "TOKEN_APPLICATION_DISABLED"),
        ("AADSTS90002", "TOKEN_TENANT_UNKNOWN"),
        ("AADSTS53003", "TOKEN_BLOCKED"),
        ("AADSTS1002012", "TOKEN_REQUEST_REFUSED"),
        ("AADSTS1", "TOKEN_REFUSED"),
        ("400", "TOKEN_REFUSED"),
    ] {
        let seen = Seen {
            token: Err(GraphError::Unauthorized { code: code.into() }),
            beta: None,
            users: Vec::new(),
            ..well()
        };
        assert_eq!(wrong(&seen), [found], "{code}");
        assert!(
            judge(&seen)
                .iter()
                .any(|finding| finding.says.contains(code))
        );
    }
}

#[test]
fn a_provider_that_does_not_answer_is_told_apart_from_one_that_fails() {
    let text = |text: &str| text.to_owned();
    for (error, found) in [
        (
            GraphError::Unavailable(text("token: connection: refused")),
            "PROVIDER_UNREACHABLE",
        ),
        (
            GraphError::Unavailable(text("token: status 503")),
            "PROVIDER_FAILS",
        ),
        (
            GraphError::UnknownOutcome(text("time-out")),
            "PROVIDER_UNREACHABLE",
        ),
        (
            GraphError::Malformed(text("token answer")),
            "PROVIDER_ANSWER_UNKNOWN",
        ),
        (
            GraphError::Throttled { retry_after: None },
            "PROVIDER_THROTTLED",
        ),
    ] {
        let seen = Seen {
            token: Err(error.clone()),
            beta: None,
            users: Vec::new(),
            ..well()
        };
        assert_eq!(wrong(&seen), [found]);
        // With a token, it is told once and of each organizer that nothing is known.
        let users = || user_of(Err(error.clone()), Err(error.clone()));
        let seen = Seen {
            users: vec![users(), users()],
            ..well()
        };
        assert_eq!(
            wrong(&seen),
            ["USER_NOT_EXAMINED", "USER_NOT_EXAMINED", found]
        );
    }
}

#[test]
fn each_organizer_is_judged_alone() {
    let unknown = || GraphError::NotFound {
        code: "ErrorInvalidUser".into(),
    };
    for (user, found) in [
        (
            user_of(Ok(()), Err(GraphError::NoAccessPolicy)),
            vec!["POLICY_MISSING"],
        ),
        (
            user_of(Err(unknown()), Err(unknown())),
            vec!["USER_UNKNOWN"],
        ),
        (user_of(Ok(()), Err(unknown())), vec![]),
        (
            user_of(Err(refused("ErrorAccessDenied")), Ok(())),
            vec!["CALENDAR_REFUSED"],
        ),
        (
            user_of(Ok(()), Err(refused("Forbidden"))),
            vec!["MEETINGS_REFUSED"],
        ),
    ] {
        let seen = Seen {
            users: vec![user],
            ..well()
        };
        assert_eq!(wrong(&seen), found);
    }
    let nobody = Seen {
        users: Vec::new(),
        ..well()
    };
    assert_eq!(wrong(&nobody), ["NO_USERS"]);
    let many = Seen {
        left_out: (7, 20),
        ..well()
    };
    assert_eq!(wrong(&many), ["USERS_LEFT_OUT"]);
}

#[test]
fn the_policy_s_remedy_names_both_cmdlets_application_and_organizer() {
    let seen = Seen {
        users: vec![user_of(Ok(()), Err(GraphError::NoAccessPolicy))],
        ..well()
    };
    let findings = judge(&seen);
    let missing = findings
        .iter()
        .find(|f| f.code == "POLICY_MISSING")
        .unwrap();
    for part in [
        "New-CsApplicationAccessPolicy -Identity Convene -AppIds 'the-application'",
        "Grant-CsApplicationAccessPolicy -PolicyName Convene -Identity 'ada@example.org'",
        "30 minutes",
    ] {
        assert!(missing.remedy.contains(part), "{}", missing.remedy);
    }
}

#[test]
fn clock_limits_and_beta() {
    for (off, found) in [
        (4_999, vec![]),
        (-5_000, vec!["CLOCK_OFF"]),
        (59_999, vec!["CLOCK_OFF"]),
        (-60_000, vec!["CLOCK_WRONG"]),
    ] {
        let seen = Seen {
            clock_off_ms: Some(off),
            ..well()
        };
        assert_eq!(wrong(&seen), found, "{off}");
    }
    let behind = Seen {
        clock_off_ms: Some(-90_000),
        ..well()
    };
    assert!(judge(&behind)[0].says.contains("90 s behind"));
    let near = Seen {
        limit_used: Some(0.93),
        ..well()
    };
    assert_eq!(wrong(&near), ["THROTTLING_NEAR"]);
    for (answer, found) in [
        (Ok(()), vec![]),
        (Err(refused("7504")), vec![]),
        (
            Err(GraphError::NotFound {
                code: "no code".into(),
            }),
            vec!["BETA_UNAVAILABLE"],
        ),
        (
            Err(GraphError::Unavailable("connection".into())),
            vec!["BETA_UNAVAILABLE"],
        ),
        (
            Err(GraphError::Throttled { retry_after: None }),
            vec!["PROVIDER_THROTTLED"],
        ),
    ] {
        let seen = Seen {
            beta: Some(answer),
            ..well()
        };
        assert_eq!(wrong(&seen), found);
    }
}
