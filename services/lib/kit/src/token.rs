//! Signed statements: `base64url(json).base64url(signature)`. The JSON can be read by whoever holds the token; it is bound, not secret.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Result;

/// Bytes of a token at the most.
const TOKEN_BYTES_MAX: usize = 4_096;

/// The token is not one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Forged;

/// Signs with a key that the verifier shares.
pub fn sign_shared<T: Serialize>(key: &hmac::Key, statement: &T) -> Result<String> {
    let body = BASE64.encode(serde_json::to_vec(statement)?);
    let tag = hmac::sign(key, body.as_bytes());
    Ok(join(body, tag.as_ref()))
}

/// Verifies in constant time.
pub fn verify_shared<T: DeserializeOwned>(key: &hmac::Key, token: &str) -> Result<T, Forged> {
    let (body, signature) = split(token)?;
    hmac::verify(key, body.as_bytes(), &signature).map_err(|_| Forged)?;
    decode(body)
}

/// Signs with a private key.
pub fn sign<T: Serialize>(key: &Ed25519KeyPair, statement: &T) -> Result<String> {
    let body = BASE64.encode(serde_json::to_vec(statement)?);
    let signature = key.sign(body.as_bytes());
    Ok(join(body, signature.as_ref()))
}

/// Verifies with the public half (32 bytes).
pub fn verify<T: DeserializeOwned>(public_key: &[u8], token: &str) -> Result<T, Forged> {
    let (body, signature) = split(token)?;
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(body.as_bytes(), &signature)
        .map_err(|_| Forged)?;
    decode(body)
}

fn join(mut body: String, signature: &[u8]) -> String {
    body.push('.');
    BASE64.encode_string(signature, &mut body);
    body
}

fn split(token: &str) -> Result<(&str, Vec<u8>), Forged> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Forged);
    }
    let (body, signature) = token.split_once('.').ok_or(Forged)?;
    Ok((body, BASE64.decode(signature).map_err(|_| Forged)?))
}

fn decode<T: DeserializeOwned>(body: &str) -> Result<T, Forged> {
    let json = BASE64.decode(body).map_err(|_| Forged)?;
    serde_json::from_slice(&json).map_err(|_| Forged)
}
