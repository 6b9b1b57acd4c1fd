//! Who may ask, and what tokens make of somebody.

use std::sync::atomic::Ordering;

use http::Method;

use crate::desk::{DATE, Desk, NOW_MS, SECONDARY, wanted};

#[tokio::test]
async fn both_keys_open_and_no_other() {
    let desk = Desk::new();
    let mut request = wanted(Method::POST, "/identities", "");
    desk.send(request.clone()).await.with(201);
    request.key = SECONDARY;
    desk.send(request.clone()).await.with(201);
    request.key = [3; 64];
    let refused = desk.send(request).await;
    assert_eq!(refused.headers["www-authenticate"], "HMAC-SHA256, Bearer");
    assert_eq!((refused.status.as_u16(), refused.code()), (401, "Denied"));
}

#[tokio::test]
async fn a_path_may_be_signed_as_it_is_written_or_as_it_is_decoded() {
    let desk = Desk::new();
    let path = "/identities/8%3Aacs%3Ar_x/:revokeAccessTokens";
    let mut request = wanted(Method::POST, path, "");
    desk.send(request.clone()).await.with(404);
    request.signed_path = request.path.replace("%3A", ":");
    desk.send(request.clone()).await.with(404);
    request.signed_path = request.path.replace("%3A", "%3a");
    desk.send(request).await.with(401);
}

#[tokio::test]
async fn a_date_header_may_be_signed_in_place_of_the_other() {
    let desk = Desk::new();
    let mut request = wanted(Method::POST, "/identities", "");
    let refused = "HMAC-SHA256 SignedHeaders=host;x-ms-content-sha256&Signature=AAAA";
    request.headers = vec![("authorization", refused.to_owned())];
    desk.send(request).await.with(401);
    let mut request = wanted(Method::POST, "/identities", "");
    request.headers = vec![("x-ms-date", "Tue, 01 Jan 2030 00:15:01 GMT".to_owned())];
    let skewed = desk.send(request).await.with(401);
    let message = skewed["error"]["message"].as_str().unwrap();
    assert!(message.contains("15 minutes"), "{message} at {DATE}");
}

#[tokio::test]
async fn a_token_is_signed_and_rings_until_it_is_revoked_or_ends() {
    let desk = Desk::new();
    let body = r#"{"createTokenWithScopes": ["voip"], "expiresInMinutes": 60}"#;
    let made = desk.post("/identities", body).await.with(201);
    let token = made["accessToken"]["token"].as_str().unwrap();
    assert_eq!(made["accessToken"]["expiresOn"], "2030-01-01T01:00:00.000Z");
    let id = made["identity"]["id"].as_str().unwrap();
    let signer = convene_acs::Port::resource(desk.memory.as_ref());
    let claims = signer.signer.verify(token).unwrap();
    assert_eq!(format!("8:{}", claims["skypeid"].as_str().unwrap()), id);
    assert_eq!(claims["exp"], NOW_MS / 1_000 + 3_600);
    let (body, signature) = token.rsplit_once('.').unwrap();
    assert!(
        signer
            .signer
            .verify(&format!("{body}x.{signature}"))
            .is_none()
    );

    let rings = |at_ms| desk.memory.state.lock().unwrap().rings(id, at_ms);
    assert!(rings(NOW_MS));
    assert!(!rings(NOW_MS + 3_600_000));
    desk.post(&format!("/identities/{id}/:revokeAccessTokens"), "")
        .await
        .with(204);
    assert!(!rings(NOW_MS));
    let path = format!("/identities/{id}/:issueAccessToken");
    desk.post(&path, r#"{"scopes": ["voip.join"]}"#)
        .await
        .with(200);
    assert!(!rings(NOW_MS), "who may only join cannot be called");
}

#[tokio::test]
async fn business_time_moves_and_signatures_stay_good() {
    let desk = Desk::new();
    desk.memory.now_ms.fetch_add(86_400_000, Ordering::Relaxed);
    let room = desk.post("/rooms", "{}").await.with(201);
    assert_eq!(room["createdAt"], "2030-01-02T00:00:00.000Z");
}

#[tokio::test]
async fn an_entra_token_opens_when_the_port_says_so() {
    let desk = Desk::new();
    for (token, status) in [("good", 201), ("bad", 401)] {
        let mut request = wanted(Method::POST, "/identities", "");
        request.headers = vec![("authorization", format!("Bearer {token}"))];
        desk.send(request).await.with(status);
    }
}
