//! Tokens (P2.1–P2.3, P2.5–P2.7): what is taken, and every refusal by name. The tokens in
//! `tokens.json` were signed by another implementation, jose. The private keys in `keys.json`
//! are for these tests alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod capability;
mod claims;
mod keys;
mod signatures;
mod signer;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use sessile::protocol::error::{ErrorCode, ErrorInfo};
use sessile::protocol::limits::Limits;
use sessile::token::{Claims, Keys};

use signer::Signer;

const SECRET: &str = "a signing key for tests, longer than thirty-two bytes";
/// The present, in seconds.
const NOW: i64 = 1_800_000_000;

fn fixture() -> Value {
    serde_json::from_str(include_str!("keys.json")).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signing_key() -> Keys {
    let mut keys = Keys::new();
    keys.add_signing_key(SECRET).unwrap();
    keys
}

/// A set with one key of each kind; its `kid` is its algorithm in lower case.
fn set(algorithms: &[&str]) -> Value {
    let fixture = fixture();
    let secret = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET) });
    let keys = algorithms.iter().map(|alg| {
        let mut jwk = match &alg[..2] {
            "HS" => secret.clone(),
            "RS" | "PS" => fixture["rsa"]["jwk"].clone(),
            "ES" => fixture["ec"]["jwk"].clone(),
            _ => fixture["ed"]["jwk"].clone(),
        };
        jwk["alg"] = json!(alg);
        jwk["kid"] = json!(alg.to_lowercase());
        jwk
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

fn claims() -> Value {
    json!({ "sub": "alice", "exp": NOW + 3600, "caps": { "*": ["user"] } })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

fn sign_as(alg: &str, kid: Option<&str>, signer: &Signer, claims: &Value) -> String {
    let mut header = json!({ "typ": "JWT", "alg": alg });
    if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    let message = format!("{}.{}", part(&header), part(claims));
    format!("{message}.{}", signer.sign(alg, &message))
}

fn sign(claims: &Value) -> String {
    sign_as("HS256", None, &Signer::secret(SECRET), claims)
}

fn verify_at(token: &str, now: i64) -> Result<Claims, ErrorInfo> {
    signing_key().verify(token, now, &Limits::default())
}

fn verify(claims: &Value) -> Result<Claims, ErrorInfo> {
    verify_at(&sign(claims), NOW * 1000)
}

#[track_caller]
fn assert_refused(result: Result<Claims, ErrorInfo>, sentence: &str) {
    let error = result.expect_err("refused");
    assert_eq!((error.code, error.status), (ErrorCode::Unauthorized, 401));
    assert_eq!(error.message, format!("unable to authorize; {sentence}"));
}
