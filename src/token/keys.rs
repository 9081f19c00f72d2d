//! The keys that tokens are checked with (P2.7), read from configuration.

use jsonwebtoken::crypto::verify;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{ErrorKind, Result as Checked};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

use super::jwk;
use super::provider::{self, Material};

/// Every key of a deployment.
#[derive(Clone, Default)]
pub struct Keys {
    /// `SESSILE_SIGNING_KEY`, for tokens that name no key.
    signing_key: Option<Key>,
    /// By `kid`. A fetched key that cannot be used is kept as the reason why.
    by_kid: BTreeMap<String, Result<Key, String>>,
}

/// A key has exactly one algorithm, whatever a token says (RFC 8725 3.1).
#[derive(Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// # Errors
    /// The words that say why the key cannot be used with this algorithm.
    pub(super) fn new(algorithm: Algorithm, key: DecodingKey) -> Result<Self, String> {
        Material::new(algorithm, &key)?;
        Ok(Self { algorithm, key })
    }

    /// The claims of a token that this key signed. The signature is checked with the key's own
    /// algorithm, so a token cannot choose another.
    ///
    /// The library's `decode` brings rules for the claims as well, which are not those of P2.1
    /// and would all have to be switched off: these are its parts without them.
    pub(super) fn open(&self, token: &str) -> Checked<Box<RawValue>> {
        provider::install();
        let (message, signature) = token.rsplit_once('.').ok_or(ErrorKind::InvalidToken)?;
        if !verify(signature, message.as_bytes(), &self.key, self.algorithm)? {
            return Err(ErrorKind::InvalidSignature.into());
        }
        insecure_decode_claims(token)
    }
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
        let secret = DecodingKey::from_secret(text.as_bytes());
        self.signing_key = Some(Key::new(Algorithm::HS256, secret)?);
        Ok(())
    }

    /// Takes a JWK set that the owner wrote, `SESSILE_KEYS`: every key must be one to use.
    ///
    /// # Errors
    /// The sentence that names the key and says what is wrong with it.
    pub fn add_set(&mut self, json: &str) -> Result<(), String> {
        for (index, jwk) in jwk::read_set(json)?.into_iter().enumerate() {
            let name = match &jwk.kid {
                Some(kid) => format!("the key {kid}"),
                None => format!("key {index} of the set"),
            };
            let key = jwk
                .key
                .map_err(|wrong| format!("{name} cannot be used: {wrong}"))?;
            let kid = jwk
                .kid
                .ok_or(format!("{name} has no kid, which tokens name it by"))?;
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
        for jwk in jwk::read_set(json)? {
            if let Some(kid) = jwk.kid {
                self.by_kid.entry(kid).or_insert(jwk.key);
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

    /// The one key that may have signed a token with this `kid`, and what to call it.
    pub(super) fn find(&self, kid: Option<&str>) -> Result<(&Key, String), String> {
        let Some(kid) = kid else {
            let missing = "the token has no kid, and no key is for tokens without one";
            return Ok((
                self.signing_key.as_ref().ok_or(missing)?,
                "the signing key".into(),
            ));
        };
        match self.by_kid.get(kid) {
            Some(Ok(key)) => Ok((key, format!("the key {kid:?}"))),
            Some(Err(wrong)) => Err(format!("the key {kid:?} cannot be used: {wrong}")),
            None => Err(format!(
                "the token's kid is {kid:?}, and no key is named so"
            )),
        }
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
