//! Whatever comes, the face answers, in its own words.

use http::Method;
use proptest::prelude::*;

use crate::desk::{Desk, wanted};

/// Texts as clients and attackers send them: near to what is right.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-zA-Z0-9:_+. -]{0,12}".prop_map(|text| format!("\"{text}\"")),
        Just("\"2031-01-01T00:00:00Z\"".to_owned()),
        Just("\"voip\"".to_owned()),
    ];
    let name = prop_oneof![
        Just("scopes"),
        Just("createTokenWithScopes"),
        Just("expiresInMinutes"),
        Just("validFrom"),
        Just("validUntil"),
        Just("participants"),
        Just("8:acs:r_u"),
        Just("role"),
        Just("token"),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|items| format!("[{}]", items.join(",")));
        let object = prop::collection::vec((name.clone(), inner), 0..4).prop_map(|members| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("\"{name}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![list, object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_a_success_or_a_problem_with_a_code(
        method in prop_oneof![Just(Method::GET), Just(Method::POST), Just(Method::PATCH), Just(Method::DELETE)],
        path in prop_oneof![
            Just("/identities".to_owned()), Just("/rooms".to_owned()), Just("/teamsUser/:exchangeAccessToken".to_owned()),
            "/(identities|rooms|calling)/[a-z0-9:%]{0,8}(/(participants|:issueAccessToken|:revokeAccessTokens))?",
        ],
        body in prop_oneof![json(), "\\PC{0,20}"],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let reply = runtime.block_on(async { Desk::new().send(wanted(method, &path, &body)).await });
        if reply.status.is_success() {
            prop_assert!([200, 201, 204].contains(&reply.status.as_u16()));
        } else {
            prop_assert!(reply.status.is_client_error() || reply.status == 501, "{:?}", reply);
            prop_assert!(!reply.code().is_empty(), "{:?}", reply);
            let message = reply.body["error"]["message"].as_str().unwrap_or_default();
            prop_assert!(message.len() > 10, "{:?}", reply);
        }
    }
}
