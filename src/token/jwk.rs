//! Keys as owners and issuers write them: JWK sets (RFC 7517), read by `jsonwebtoken`.

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::Key;

/// The algorithms by name, for refusals. ES384 would bring a second curve for few issuers.
const ALGORITHMS: &str =
    "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, EdDSA";

/// How long 32 bytes are in base64url: a coordinate of P-256, a key of Ed25519.
const COORDINATE_LENGTH: usize = 43;

/// One key of a set.
pub(super) struct Named {
    /// The name by which tokens ask for it.
    pub(super) kid: Option<String>,
    /// The key, or why it cannot be used.
    pub(super) key: Result<Key, String>,
}

/// The library's own set is all or nothing; here a key that it cannot read harms only itself.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Box<RawValue>>,
}

/// Reads a JWK set.
///
/// # Errors
/// The sentence that says why this is no set of keys.
pub(super) fn read_set(json: &str) -> Result<Vec<Named>, String> {
    let set: Set = serde_json::from_str(json)
        .map_err(|error| format!("this is no JWK set, {{\"keys\": [...]}}: {error}"))?;
    Ok(set.keys.iter().map(|key| read_named(key)).collect())
}

fn read_named(json: &RawValue) -> Named {
    match serde_json::from_slice::<Jwk>(json.get().as_bytes()) {
        Ok(mut jwk) => Named {
            kid: jwk.common.key_id.take(),
            key: read_key(jwk),
        },
        Err(error) => Named {
            kid: None,
            key: Err(format!("it is no JSON Web Key: {error}")),
        },
    }
}

fn read_key(mut jwk: Jwk) -> Result<Key, String> {
    if !is_for_signatures(&jwk.common) {
        return Err("it is not for signatures (use, key_ops)".into());
    }
    let algorithm = choose_algorithm(&jwk)?;
    check_parameters(algorithm, &mut jwk.algorithm)?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| {
        let (_, names) = needs(algorithm);
        format!("its {names} cannot be read: {error}")
    })?;
    Key::new(algorithm, key)
}

/// The one algorithm of a key: its `alg`, or where a key type has one that is usual, that one,
/// since large issuers leave `alg` out.
fn choose_algorithm(jwk: &Jwk) -> Result<Algorithm, String> {
    if let Some(alg) = jwk.common.key_algorithm {
        let parsed = Algorithm::try_from(alg).ok();
        return parsed
            .filter(|algorithm| *algorithm != Algorithm::ES384)
            .ok_or_else(|| format!("its alg is {alg}; supported are {ALGORITHMS}"));
    }
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Ok(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Ok(Algorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Ok(Algorithm::EdDSA)
        }
        _ => Err(format!(
            "it has no alg, and is no whole key of RSA, of EC with P-256 or of OKP with Ed25519, \
             which need none; alg is {ALGORITHMS}"
        )),
    }
}

fn is_for_signatures(common: &CommonParameters) -> bool {
    let usage = common.public_key_use.as_ref();
    let operations = common.key_operations.as_ref();
    usage.is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}

/// Checks that a key has what its algorithm needs, in a length that the library may join
/// without asking: it puts x beside y, whatever is in them.
fn check_parameters(
    algorithm: Algorithm,
    parameters: &mut AlgorithmParameters,
) -> Result<(), String> {
    match (algorithm.family(), parameters) {
        (AlgorithmFamily::Hmac, AlgorithmParameters::OctetKey(key)) => unpad(&mut key.value),
        (AlgorithmFamily::Rsa, AlgorithmParameters::RSA(key)) => {
            unpad(&mut key.n);
            unpad(&mut key.e);
        }
        (AlgorithmFamily::Ec, AlgorithmParameters::EllipticCurve(key))
            if key.curve == EllipticCurve::P256 =>
        {
            check_coordinate("x", &mut key.x)?;
            check_coordinate("y", &mut key.y)?;
        }
        (AlgorithmFamily::Ed, AlgorithmParameters::OctetKeyPair(key))
            if key.curve == EllipticCurve::Ed25519 =>
        {
            check_coordinate("x", &mut key.x)?;
        }
        _ => {
            let (kind, names) = needs(algorithm);
            return Err(format!("its alg {algorithm:?} needs {kind}, with {names}"));
        }
    }
    Ok(())
}

/// What a key of this algorithm is, and what it has.
const fn needs(algorithm: Algorithm) -> (&'static str, &'static str) {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => ("kty \"oct\"", "k"),
        Algorithm::ES256 => ("kty \"EC\" and crv \"P-256\"", "x and y"),
        Algorithm::EdDSA => ("kty \"OKP\" and crv \"Ed25519\"", "x"),
        _ => ("kty \"RSA\"", "n and e"),
    }
}

fn check_coordinate(name: &str, value: &mut String) -> Result<(), String> {
    unpad(value);
    if value.len() == COORDINATE_LENGTH {
        return Ok(());
    }
    let bytes = value.len().saturating_mul(3) / 4;
    Err(format!("its {name} has {bytes} bytes, it needs 32"))
}

/// Some issuers pad what RFC 7515 says is not padded.
fn unpad(value: &mut String) {
    value.truncate(value.trim_end_matches('=').len());
}
