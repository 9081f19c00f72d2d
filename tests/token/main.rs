//! Tokens (P2.1–P2.3, P2.5–P2.7): valid ones, and every refusal by name. The platform checks
//! signatures, in `tests/workerd/signatures.test.ts`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod capability;
mod claims;
mod header;
mod keys;
mod own;
mod printable;

use serde_json::{Value, json};

use sessile::protocol::error::{ErrorCode, ErrorInfo};
use sessile::protocol::limits::Limits;
use sessile::token::{Claims, Expected, Header, Keys};

const SECRET: &str = "a signing key for tests, longer than thirty-two bytes";
/// The present, in seconds.
const NOW: i64 = 1_800_000_000;

fn fixture() -> Value {
    serde_json::from_str(include_str!("keys.json")).unwrap()
}

fn claims() -> Value {
    json!({ "sub": "alice", "exp": NOW + 3600, "caps": { "*": ["user"] } })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

fn read_at(claims: &Value, now: i64) -> Result<Claims, ErrorInfo> {
    Claims::read(&claims.to_string(), now, &Limits::default())
}

fn read(claims: &Value) -> Result<Claims, ErrorInfo> {
    read_at(claims, NOW * 1000)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, ErrorInfo>, sentence: &str) {
    let error = result.expect_err("refused");
    assert_eq!((error.code, error.status), (ErrorCode::Unauthorized, 401));
    assert_eq!(error.message, format!("unable to authorize; {sentence}"));
}
