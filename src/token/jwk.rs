//! Keys as owners and issuers write them: JWK sets (RFC 7517).

use serde_json::value::RawValue;

use super::algorithm::Algorithm;
use super::keys::{Key, SECRET_BYTES};
use crate::protocol::fields::Fields;

/// Bits of an RSA key: the least by RFC 7518 3.3, the most to bound the work.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// One key of a set.
pub(super) struct Named {
    /// The name by which tokens ask for it.
    pub(super) kid: Option<String>,
    /// The key, or why it cannot be used.
    pub(super) key: Result<Key, String>,
}

/// Reads a JWK set. An unreadable key does not affect the others.
///
/// # Errors
/// A sentence that says why this is not a JWK set.
pub(super) fn read_set(json: &str) -> Result<Vec<Named>, String> {
    let set = Fields::read("read a JWK set, {\"keys\": [...]}", json);
    let keys = set.and_then(|set| set.raw_list("keys"));
    let keys: Vec<&RawValue> = keys.map_err(|error| error.message)?;
    Ok(keys.into_iter().map(read_named).collect())
}

fn read_named(json: &RawValue) -> Named {
    match Fields::read("read it", json.get()) {
        Ok(jwk) => Named {
            kid: jwk.get("kid").unwrap_or_default(),
            key: read_key(&jwk),
        },
        Err(error) => Named {
            kid: None,
            key: Err(error.message),
        },
    }
}

fn read_key(jwk: &Fields<'_>) -> Result<Key, String> {
    if !is_for_signatures(jwk)? {
        return Err("it is not for signatures (use, key_ops)".into());
    }
    let algorithm = Algorithm::of(jwk)?;
    // Only the algorithm's parameters: an issuer may have added more, even a private part.
    let mut text = format!("{{\"kty\":{:?}", algorithm.kty);
    if let Some(crv) = algorithm.crv {
        text.push_str(&format!(",\"crv\":{crv:?}"));
    }
    for name in algorithm.parameters {
        let value = read_parameter(jwk, name)?;
        text.push_str(&format!(",{name:?}:{value:?}"));
    }
    text.push('}');
    Ok(Key::jwk(algorithm, text))
}

/// Reads a number in base64url, which some issuers pad against RFC 7515.
fn read_parameter(jwk: &Fields<'_>, name: &str) -> Result<String, String> {
    let mut value: String = jwk.need(name).map_err(|error| error.message)?;
    value.truncate(value.trim_end_matches('=').len());
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if value.is_empty() || !value.bytes().all(is_base64url) {
        return Err(format!("its {name} is empty or not base64url"));
    }
    // Base64 has six bits a character; the last one may carry fill bits.
    let bits = value.len() * 6 / 8 * 8;
    if name == "k" && bits < SECRET_BYTES * 8 {
        let bytes = bits / 8;
        return Err(format!(
            "its k has {bytes} bytes; it needs at least {SECRET_BYTES}"
        ));
    }
    if name == "n" && !RSA_BITS.contains(&bits) {
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        return Err(format!("its n has {bits} bits; it needs {least} to {most}"));
    }
    Ok(value)
}

fn is_for_signatures(jwk: &Fields<'_>) -> Result<bool, String> {
    let usage: Option<String> = jwk.get("use").map_err(|error| error.message)?;
    let operations: Option<Vec<String>> = jwk.get("key_ops").map_err(|error| error.message)?;
    let is_verify = |operation: &String| operation == "verify" || operation == "sign";
    Ok(usage.is_none_or(|usage| usage == "sig")
        && operations.is_none_or(|operations| operations.iter().any(is_verify)))
}
