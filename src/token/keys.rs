//! The keys that tokens are checked with (P2.7), read from configuration.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::EncodedPoint;
use rsa::{BigUint, RsaPublicKey};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

use super::signature::{ALGORITHMS, Algorithm, Hash, Material};

/// The shortest RSA key in bits (RFC 7518 3.3). The longest is 4096, which bounds the work.
const RSA_BITS_MIN: usize = 2048;

/// Every key of a deployment.
#[derive(Clone, Default)]
pub struct Keys {
    /// `SESSILE_SIGNING_KEY`, for tokens that name no key.
    signing_key: Option<Key>,
    /// By `kid`. A fetched key that cannot be used is kept as the reason why.
    by_kid: BTreeMap<String, Result<Key, String>>,
}

#[derive(Clone)]
struct Key {
    algorithm: Algorithm,
    material: Material,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// One JSON Web Key (RFC 7517). Fields of private keys and certificates are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// No keys: every token is refused with `not-configured` until one is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `SESSILE_SIGNING_KEY`: one HS256 key as text.
    ///
    /// # Errors
    /// The sentence that says what is wrong with it.
    pub fn add_signing_key(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err("SESSILE_SIGNING_KEY is empty; it is one HS256 key as text".into());
        }
        let material = Material::Secret(text.as_bytes().to_vec());
        self.signing_key = Some(Key {
            algorithm: Algorithm::Hmac(Hash::Sha256),
            material,
        });
        Ok(())
    }

    /// Takes a JWK set that the owner wrote, `SESSILE_KEYS`: every key must be one to use.
    ///
    /// # Errors
    /// The sentence that names the key and says what is wrong with it.
    pub fn add_set(&mut self, json: &str) -> Result<(), String> {
        for (index, jwk) in parse_set(json)?.into_iter().enumerate() {
            let Some(kid) = jwk.kid.clone() else {
                return Err(format!(
                    "key {index} of the set has no kid, which tokens name it by"
                ));
            };
            let key = jwk
                .key()
                .map_err(|wrong| format!("the key {kid} cannot be used: {wrong}"))?;
            if self.by_kid.insert(kid.clone(), Ok(key)).is_some() {
                return Err(format!("two keys of the set have the kid {kid}"));
            }
        }
        Ok(())
    }

    /// Takes a JWK set from `SESSILE_JWKS_URL`. Its keys are another's choice, so one that cannot
    /// be used harms only the tokens that name it. A key that is there already is never replaced:
    /// when the set is fetched again, start from the owner's own keys, or a revoked one stays.
    ///
    /// # Errors
    /// The sentence that says why this is no JWK set; the keys stay as they are.
    pub fn add_fetched_set(&mut self, json: &str) -> Result<(), String> {
        for jwk in parse_set(json)? {
            if let Some(kid) = jwk.kid.clone() {
                self.by_kid.entry(kid).or_insert_with(|| jwk.key());
            }
        }
        Ok(())
    }

    /// Whether there is no key at all (P2.7).
    pub fn is_empty(&self) -> bool {
        self.signing_key.is_none() && self.by_kid.is_empty()
    }

    /// Whether a key has this `kid`.
    pub fn has(&self, kid: &str) -> bool {
        self.by_kid.contains_key(kid)
    }

    /// Checks a signature with the key that `kid` names, and with its algorithm only (P2.1).
    pub(super) fn check(
        &self,
        kid: Option<&str>,
        alg: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), String> {
        let (key, name) = match kid {
            Some(kid) => (self.find(kid)?, format!("the key {kid:?}")),
            None => (self.signing_key()?, "the signing key".into()),
        };
        if Algorithm::parse(alg) != Some(key.algorithm) {
            let right = key.algorithm.as_str();
            return Err(format!(
                "the token's alg is {alg:?}, but {name} is for {right}"
            ));
        }
        if !key.material.verify(key.algorithm, message, signature) {
            return Err(format!("the token's signature is not by {name}"));
        }
        Ok(())
    }

    fn find(&self, kid: &str) -> Result<&Key, String> {
        match self.by_kid.get(kid) {
            Some(Ok(key)) => Ok(key),
            Some(Err(wrong)) => Err(format!("the key {kid:?} cannot be used: {wrong}")),
            None => Err(format!(
                "the token's kid is {kid:?}, and no key is named so"
            )),
        }
    }

    fn signing_key(&self) -> Result<&Key, String> {
        let missing = "the token has no kid, and no key is for tokens without one";
        self.signing_key.as_ref().ok_or_else(|| missing.into())
    }
}

impl fmt::Debug for Keys {
    /// Shows names, never keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<&String> = self.by_kid.keys().collect();
        let signing_key = self.signing_key.is_some();
        formatter
            .debug_struct("Keys")
            .field("signing_key", &signing_key)
            .field("kids", &kids)
            .finish()
    }
}

fn parse_set(json: &str) -> Result<Vec<Jwk>, String> {
    let set: JwkSet = serde_json::from_str(json)
        .map_err(|error| format!("this is no JWK set, {{\"keys\": [...]}}: {error}"))?;
    Ok(set.keys)
}

impl Jwk {
    fn key(&self) -> Result<Key, String> {
        let is_for_verifying = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        if self.usage.as_ref().is_some_and(|usage| usage != "sig")
            || self
                .key_ops
                .as_ref()
                .is_some_and(|ops| !is_for_verifying(ops))
        {
            return Err("it is not for signatures (use, key_ops)".into());
        }
        let algorithm = self.algorithm()?;
        let material = match algorithm {
            Algorithm::Hmac(_) => Material::Secret(self.secret()?),
            Algorithm::RsaPkcs1(_) | Algorithm::RsaPss(_) => Material::Rsa(Box::new(self.rsa()?)),
            Algorithm::EcdsaP256 => Material::P256(Box::new(self.p256()?)),
            Algorithm::Ed25519 => Material::Ed25519(Box::new(self.ed25519()?)),
        };
        Ok(Key {
            algorithm,
            material,
        })
    }

    /// The one algorithm of this key: `alg`, or where a key type has one that is usual, that one,
    /// since large issuers leave `alg` out.
    fn algorithm(&self) -> Result<Algorithm, String> {
        let crv = self.crv.as_deref();
        let name = match (self.alg.as_deref(), self.kty.as_str(), crv) {
            (Some(alg), ..) => alg,
            (None, "RSA", _) => "RS256",
            (None, "EC", Some("P-256")) => "ES256",
            (None, "OKP", Some("Ed25519")) => "EdDSA",
            (None, kty, _) => {
                let crv = crv
                    .map(|crv| format!(" and crv {crv:?}"))
                    .unwrap_or_default();
                return Err(format!(
                    "it has kty {kty:?}{crv} without alg; alg is {ALGORITHMS}"
                ));
            }
        };
        let algorithm = Algorithm::parse(name)
            .ok_or_else(|| format!("its alg is {name:?}; supported are {ALGORITHMS}"))?;
        let (kty, curve) = match algorithm {
            Algorithm::Hmac(_) => ("oct", None),
            Algorithm::RsaPkcs1(_) | Algorithm::RsaPss(_) => ("RSA", None),
            Algorithm::EcdsaP256 => ("EC", Some("P-256")),
            Algorithm::Ed25519 => ("OKP", Some("Ed25519")),
        };
        if self.kty != kty || (curve.is_some() && crv != curve) {
            let curve = curve
                .map(|curve| format!(" and crv {curve:?}"))
                .unwrap_or_default();
            return Err(format!("its alg {name} needs kty {kty:?}{curve}"));
        }
        Ok(algorithm)
    }

    fn secret(&self) -> Result<Vec<u8>, String> {
        let secret = field(self.k.as_deref(), "k")?;
        if secret.is_empty() {
            Err("its k is empty".into())
        } else {
            Ok(secret)
        }
    }

    fn rsa(&self) -> Result<RsaPublicKey, String> {
        let modulus = BigUint::from_bytes_be(&field(self.n.as_deref(), "n")?);
        let exponent = BigUint::from_bytes_be(&field(self.e.as_deref(), "e")?);
        let bits = modulus.bits();
        if bits < RSA_BITS_MIN {
            return Err(format!(
                "its n has {bits} bits; it needs {RSA_BITS_MIN} or more"
            ));
        }
        RsaPublicKey::new(modulus, exponent).map_err(|error| format!("it is no RSA key: {error}"))
    }

    fn p256(&self) -> Result<p256::ecdsa::VerifyingKey, String> {
        let (x, y) = (
            self.coordinate("x", &self.x)?,
            self.coordinate("y", &self.y)?,
        );
        let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
        p256::ecdsa::VerifyingKey::from_encoded_point(&point)
            .map_err(|_| "its x and y are no point of P-256".into())
    }

    fn ed25519(&self) -> Result<ed25519_dalek::VerifyingKey, String> {
        let x = self.coordinate("x", &self.x)?;
        ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| "its x is no Ed25519 key".into())
    }

    fn coordinate(&self, name: &str, value: &Option<String>) -> Result<[u8; 32], String> {
        let bytes = field(value.as_deref(), name)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map_err(|_| format!("its {name} has {length} bytes, {} needs 32", self.kty))
    }
}

fn field(value: Option<&str>, name: &str) -> Result<Vec<u8>, String> {
    let text = value.ok_or_else(|| format!("it has no {name}"))?;
    // Some issuers pad what RFC 7515 says is not padded.
    let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    decoded.map_err(|_| format!("its {name} is not base64url"))
}
