//! The claims of a token that a development server makes for its own pages (docs/deploy.md).

use serde_json::{Map, Value, json};

use super::claims::Expected;
use super::grant::Claims;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::fields::Fields;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// The claims, as JSON, of a token that is asked for by `{client, name?, role?, caps}`, with the
/// issuer and the audience that the deployment expects.
///
/// # Errors
/// `invalid-frame`, where the token would be refused.
pub fn development_claims(
    body: &str,
    expected: &Expected,
    now: Timestamp,
    expires_at: Timestamp,
    limits: &Limits,
) -> Result<String, ErrorInfo> {
    let asked = Fields::read("make a token", body)?;
    let client: String = asked.need("client")?;
    let caps: Value = asked.need("caps")?;
    let [name, role]: [Option<Value>; 2] = [asked.get("name")?, asked.get("role")?];
    let (iss, aud) = (&expected.issuer, &expected.audience);
    let all = [
        ("sub", Some(json!(client))),
        ("name", name),
        ("role", role),
        ("caps", Some(caps)),
        ("iat", Some(json!(now as f64 / 1000.0))),
        ("exp", Some(json!(expires_at / 1000))),
        ("iss", iss.as_ref().map(|iss| json!(iss))),
        ("aud", aud.as_ref().map(|aud| json!(aud))),
    ];
    let mut claims = Map::new();
    for (name, value) in all {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    }
    let claims = Value::Object(claims).to_string();
    let read = Claims::read(&claims, now, limits);
    let refused = |error: ErrorInfo| ErrorInfo::new(ErrorCode::InvalidFrame, error.message);
    read.map(|_| claims).map_err(refused)
}
