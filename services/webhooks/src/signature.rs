//! Secrets and signatures as Standard Webhooks has them.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_kit::{Result, digest};
use ring::hmac;
use secrecy::SecretString;

/// Length of a secret, in bytes.
const SECRET_BYTES: usize = 32;

/// A new secret.
pub fn new_secret() -> Result<Vec<u8>> {
    Ok(digest::random::<SECRET_BYTES>()?.to_vec())
}

/// A secret as its receiver keeps it.
pub fn shown(secret: &[u8]) -> SecretString {
    format!("whsec_{}", BASE64.encode(secret)).into()
}

/// `webhook-signature`: one `v1` signature of `id.timestamp.body` for each secret, the newest first.
pub fn sign(secrets: &[Vec<u8>], id: &str, timestamp: i64, body: &str) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    let signatures = secrets.iter().map(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, content.as_bytes());
        format!("v1,{}", BASE64.encode(tag.as_ref()))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As published with Standard Webhooks and its first libraries.
    #[test]
    fn published_vectors_are_met() {
        for (secret, id, timestamp, body, wanted) in [
            (
                "plJ3nmyCDGBKInavdOK15jsl",
                "msg_loFOjxBNrRLzqYUf",
                1_731_705_121,
                r#"{"event_type":"ping","data":{"success":true}}"#,
                "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            ),
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            let secret = BASE64.decode(secret).unwrap();
            assert_eq!(sign(&[secret], id, timestamp, body), wanted);
        }
    }

    #[test]
    fn two_secrets_give_two_signatures() {
        let (old, new) = (new_secret().unwrap(), new_secret().unwrap());
        let both = sign(&[new.clone(), old.clone()], "id", 1, "{}");
        let apart = [sign(&[new], "id", 1, "{}"), sign(&[old], "id", 1, "{}")];
        assert_eq!(both, apart.join(" "));
    }
}
