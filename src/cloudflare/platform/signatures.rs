//! The platform's part in checking tokens: their parts, and their signatures.
//!
//! The cryptography is the runtime's own, asked through `jose`, in `signatures.js`
//! (`docs/decisions/0004`).

use worker::js_sys::Promise;
use worker::wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::JsFuture;

use super::env::not_configured;
use super::js::describe;
use crate::protocol::error::ErrorInfo;
use crate::token::{Header, Key, unauthorized};

#[wasm_bindgen(module = "/src/cloudflare/platform/signatures.js")]
extern "C" {
    /// The header of a token as JSON; nothing for a malformed one.
    #[wasm_bindgen(js_name = headerOf, catch)]
    fn header_of(token: &str) -> Result<Option<String>, JsValue>;

    /// Makes a key.
    #[wasm_bindgen(js_name = makeKey, catch)]
    fn make_key(text: &str, is_text: bool, algorithm: &str) -> Result<Promise, JsValue>;

    /// The bytes of a key that is derived from a secret, in base64url.
    #[wasm_bindgen(js_name = deriveKey, catch)]
    fn derive_key(secret: &str, label: &str) -> Result<Promise, JsValue>;

    /// A token with these claims, signed by a key; its header names the key if that has a name.
    #[wasm_bindgen(js_name = signClaims, catch)]
    fn sign_claims(
        claims: &str,
        kid: &str,
        text: &str,
        is_text: bool,
        algorithm: &str,
    ) -> Result<Promise, JsValue>;

    /// The claims as text; `false` if the key did not sign them; nothing for a malformed token.
    #[wasm_bindgen(js_name = claimsOf, catch)]
    fn claims_of(
        token: &str,
        text: &str,
        is_text: bool,
        algorithm: &str,
    ) -> Result<Promise, JsValue>;
}

/// The header of a token.
///
/// # Errors
/// `unauthorized`, naming what is wrong with it.
pub(crate) fn header(token: &str) -> Result<Header, ErrorInfo> {
    match header_of(token) {
        Ok(Some(header)) => Header::read(&header),
        _ => Err(malformed()),
    }
}

/// Makes sure that a key of the deployment can be used.
///
/// # Errors
/// `not-configured`, saying why it cannot.
pub(crate) async fn try_key(key: &Key, name: &str) -> Result<(), ErrorInfo> {
    let made = settled(make_key(&key.text, key.is_text, key.algorithm.name)).await;
    let unusable = |error| not_configured(&unusable(name, &error));
    made.map(drop).map_err(unusable)
}

/// A key that is derived from a secret; another label gives another key.
///
/// # Errors
/// When the runtime refuses.
pub(crate) async fn derive(secret: &str, label: &str) -> Result<Key, ErrorInfo> {
    let bytes = settled(derive_key(secret, label)).await;
    let bytes = bytes.map_err(|error| not_configured(&unusable("a secret", &error)))?;
    Ok(Key::own(&bytes.as_string().unwrap_or_default()))
}

/// A token with these claims, as JSON, signed by the key of this `kid`, which may be none.
///
/// # Errors
/// When the runtime refuses.
pub(crate) async fn sign(claims: &str, kid: &str, key: &Key) -> Result<String, ErrorInfo> {
    let token = settled(sign_claims(
        claims,
        kid,
        &key.text,
        key.is_text,
        key.algorithm.name,
    ))
    .await;
    let token = token.map_err(|error| not_configured(&unusable("a secret", &error)))?;
    Ok(token.as_string().unwrap_or_default())
}

/// The claims of a token that this key signed, as JSON.
///
/// # Errors
/// `unauthorized`, when it did not.
pub(crate) async fn verify(
    token: &str,
    header: &Header,
    key: &Key,
    name: &str,
) -> Result<String, ErrorInfo> {
    let found = settled(claims_of(token, &key.text, key.is_text, &header.alg)).await;
    let found = found.map_err(|error| unauthorized(&unusable(name, &error)))?;
    if found.as_bool() == Some(false) {
        let wrong = format!("the token's signature is not by {name}");
        return Err(unauthorized(&wrong));
    }
    found.as_string().ok_or_else(malformed)
}

/// The result of a call that returns a promise, whether it threw or was rejected.
async fn settled(call: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(call?).await
}

fn unusable(name: &str, error: &JsValue) -> String {
    format!("{name} cannot be used: {}", describe(error))
}

fn malformed() -> ErrorInfo {
    unauthorized(
        "the token is not a JWT: three parts of base64url without padding, with dots between",
    )
}
