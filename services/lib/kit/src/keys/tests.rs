use std::{fs, os::unix::fs::PermissionsExt as _};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn at(hours: i64) -> convene_domain::Timestamp {
    unmoved().plus_millis(hours * HOUR_MS)
}

#[test]
fn a_sealed_secret_opens_only_in_its_place() {
    let sealer = Keys::ephemeral().unwrap().join_details().unwrap();
    let sealed = sealer.seal(b"url", &[b"tenant", b"meeting"]).unwrap();
    assert_eq!(
        sealer.open(&sealed, &[b"tenant", b"meeting"]).unwrap(),
        b"url"
    );
    assert!(sealer.open(&sealed, &[b"tenant", b"other"]).is_err());
    assert!(!sealed.bytes.windows(3).any(|window| window == b"url"));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    Keys::open(&path, true).unwrap();
    for (mode, usable) in [
        (0o600, true),
        (0o400, true),
        (0o440, true),
        (0o640, false),
        (0o644, false),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = Keys::open(&path, false);
        assert_eq!(opened.is_ok(), usable, "{mode:o}");
        if let Err(error) = opened {
            assert_eq!(error.reason, "KEY_FILE_UNUSABLE");
        }
    }
}

#[test]
fn a_key_file_of_before_gains_what_it_lacks_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    let key = |byte: u8| serde_json::Value::from(BASE64.encode([byte; 32]));
    let before = serde_json::json!({
        "caller": key(1), "permit": key(2), "join_details": {"k1": key(3)}, "join_details_current": "k1", "link": key(4),
    });
    fs::write(&path, before.to_string()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    let lacking = Keys::open(&path, false).unwrap();
    assert_eq!(lacking.webhooks().unwrap_err().reason, "KEY_MISSING");
    let sealed = lacking.join_details().unwrap().seal(b"url", &[]).unwrap();
    assert_eq!(sealed.key_id, "k1");
    let kept = Keys::open(&path, true).unwrap().webhooks().unwrap();
    let kept = kept.seal(b"secret", &[]).unwrap();
    let again = Keys::open(&path, false).unwrap();
    assert_eq!(
        again.webhooks().unwrap().open(&kept, &[]).unwrap(),
        b"secret"
    );
    let opened = again.join_details().unwrap().open(&sealed, &[]);
    assert_eq!(opened.unwrap(), b"url");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_rotation_keeps_what_was_signed_and_sealed_and_a_retired_key_does_not() {
    let mut file = KeyFile::new(at(-2)).unwrap();
    let keys = Keys::of(&file, None).unwrap();
    let (callers, permits) = (keys.caller().unwrap(), keys.permit().unwrap());
    let (public, sealer) = (keys.permit_public().unwrap(), keys.join_details().unwrap());
    let signed = callers.sign(&"who").unwrap();
    let permit = permits.sign(&"may").unwrap();
    let sealed = sealer.seal(b"url", &[]).unwrap();

    for what in Use::SECRET {
        file.rotate(what, at(-1)).unwrap();
    }
    keys.take(&file).unwrap();
    // The same handles: a role goes on with what it was handed.
    assert_eq!(callers.verify::<String>(&signed).unwrap(), "who");
    assert_eq!(public.verify::<String>(&permit).unwrap(), "may");
    assert_eq!(sealer.open(&sealed, &[]).unwrap(), b"url");
    let newer = sealer.seal(b"url", &[]).unwrap();
    assert_eq!(newer.key_id, "join-details-2");
    let resigned = callers.sign(&"who").unwrap();
    let repermitted = permits.sign(&"may").unwrap();

    for id in ["caller-1", "permit-1", "join-details-1"] {
        file.retire(id, unmoved()).unwrap();
    }
    keys.take(&file).unwrap();
    assert!(callers.verify::<String>(&signed).is_err());
    assert!(public.verify::<String>(&permit).is_err());
    assert!(sealer.open(&sealed, &[]).is_err());
    assert_eq!(callers.verify::<String>(&resigned).unwrap(), "who");
    assert_eq!(public.verify::<String>(&repermitted).unwrap(), "may");
    assert_eq!(sealer.open(&newer, &[]).unwrap(), b"url");
}

#[test]
fn a_new_key_verifies_before_it_signs() {
    let mut file = KeyFile::new(at(-1)).unwrap();
    let old = Keys::of(&file, None).unwrap();
    file.rotate(Use::Caller, at(1)).unwrap();
    let told = Keys::of(&file, None).unwrap();
    assert_eq!(told.caller().unwrap().current().unwrap().id, "caller-1");
    // A process whose clock is ahead has begun with the new key; one that has read it understands.
    let ahead = told.caller().unwrap().get("caller-2").unwrap();
    let signed = Shared::from(ahead).sign(&"who").unwrap();
    assert!(told.caller().unwrap().verify::<String>(&signed).is_ok());
    assert!(old.caller().unwrap().verify::<String>(&signed).is_err());
}

#[test]
fn a_key_in_use_is_not_retired() {
    let mut file = KeyFile::new(at(-2)).unwrap();
    for id in ["caller-1", "join-details-1"] {
        assert_eq!(file.retire(id, unmoved()).unwrap_err().reason, "KEY_IN_USE");
    }
    // Replaced this moment: what it signed is still on its way.
    file.rotate(Use::Caller, unmoved()).unwrap();
    let error = file.retire("caller-1", unmoved()).unwrap_err();
    assert_eq!(error.reason, "KEY_IN_USE");
    file.retire("caller-1", at(1)).unwrap();
    assert_eq!(
        file.retire("caller-1", at(1)).unwrap_err().reason,
        "NOT_FOUND"
    );
}

#[test]
fn a_role_is_handed_only_what_it_needs() {
    let file = KeyFile::new(unmoved()).unwrap();
    let broker = [Use::Caller, Use::PermitPublic, Use::JoinDetails].into();
    let broker = Keys::of(&file.only(&broker).unwrap(), None).unwrap();
    broker.join_details().unwrap();
    for missing in [broker.permit().err(), broker.link().err()] {
        assert_eq!(missing.unwrap().reason, "KEY_MISSING");
    }
    let lobby = [Use::Caller, Use::Permit].into();
    let lobby = Keys::of(&file.only(&lobby).unwrap(), None).unwrap();
    assert!(lobby.join_details().is_err());
    let permit = lobby.permit().unwrap().sign(&"may").unwrap();
    let known = broker.permit_public().unwrap();
    assert_eq!(known.verify::<String>(&permit).unwrap(), "may");
}

#[tokio::test]
async fn a_changed_file_is_followed_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    let keys = Keys::open(&path, true).unwrap();
    let callers = keys.caller().unwrap();
    let stop = CancellationToken::new();
    let following = tokio::spawn(keys.follow(stop.clone()));
    // Waits until so many keys are known; at no time there are fewer than before.
    let until = async |count: usize| {
        let least = callers.all().len();
        let patience = tokio::time::Instant::now() + Duration::from_millis(10 * LOOK_MS);
        while callers.all().len() != count {
            assert!(callers.all().len() >= least, "the keys in force stay");
            assert!(tokio::time::Instant::now() < patience, "not followed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut file = KeyFile::read(&path).unwrap();
    file.rotate(Use::Caller, unmoved()).unwrap();
    file.write(&path).unwrap();
    until(2).await;
    fs::write(&path, "{").unwrap();
    tokio::time::sleep(Duration::from_millis(2 * LOOK_MS)).await;
    assert_eq!(callers.all().len(), 2, "the keys in force stay");
    file.rotate(Use::Caller, unmoved()).unwrap();
    file.write(&path).unwrap();
    until(3).await;
    stop.cancel();
    following.await.unwrap().unwrap();
}
