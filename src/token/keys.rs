//! The keys that tokens are checked with (P2.7), from the configuration.

use std::fmt;

use super::algorithm::Algorithm;
use super::header::Header;
use super::jwk;
use super::key::{Key, SECRET_BYTES};
use super::own::OWN_KID;

/// A key by its `kid`, or why a fetched one cannot be used.
type Named = (String, Result<Key, String>);

/// Every key of a deployment.
#[derive(Clone, Default)]
pub struct Keys {
    /// `SESSILE_SIGNING_KEY`, for tokens that name no key.
    signing_key: Option<Key>,
    named: Vec<Named>,
}

impl Keys {
    /// No keys: every token is refused with `not-configured` until one is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `SESSILE_SIGNING_KEY`, one HS256 key as text.
    ///
    /// # Errors
    /// A sentence that names the mistake.
    pub fn add_signing_key(&mut self, text: &str) -> Result<(), String> {
        let bytes = text.len();
        if bytes < SECRET_BYTES {
            return Err(format!(
                "SESSILE_SIGNING_KEY has {bytes} bytes; it is one HS256 key as text, of at least \
                 {SECRET_BYTES} bytes"
            ));
        }
        self.signing_key = Some(Key {
            algorithm: Algorithm::of_signing_key(),
            text: text.to_owned(),
            is_text: true,
        });
        Ok(())
    }

    /// Adds the owner's JWK set, `SESSILE_KEYS`: every key must be usable.
    ///
    /// # Errors
    /// A sentence that names the key and the mistake.
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
            if kid == OWN_KID {
                return Err(format!("{name} has the kid of the deployment's own keys"));
            }
            if self.has(&kid) {
                return Err(format!("two keys of the set have the kid {kid}"));
            }
            self.named.push((kid, Ok(key)));
        }
        Ok(())
    }

    /// Adds a JWK set from `SESSILE_JWKS_URL`. The issuer chooses its keys, so an unusable one
    /// affects only the tokens that name it. An existing key is never replaced: to fetch again,
    /// start from the owner's own keys, or a revoked one stays.
    ///
    /// # Errors
    /// A sentence that says why this is not a JWK set; the keys stay unchanged.
    pub fn add_fetched_set(&mut self, json: &str) -> Result<(), String> {
        for jwk in jwk::read_set(json)? {
            if let Some(kid) = jwk.kid.filter(|kid| kid != OWN_KID && !self.has(kid)) {
                // Anybody who can read the set could sign with it.
                let key = jwk.key.and_then(|key| match key.algorithm.kty {
                    "oct" => Err("it is a shared secret, in a set that everybody can read".into()),
                    _ => Ok(key),
                });
                self.named.push((kid, key));
            }
        }
        Ok(())
    }

    /// Whether there is no key at all (P2.7).
    pub const fn is_empty(&self) -> bool {
        self.signing_key.is_none() && self.named.is_empty()
    }

    /// Whether a key has this `kid`.
    pub fn has(&self, kid: &str) -> bool {
        self.named.iter().any(|(name, _)| name == kid)
    }

    /// `SESSILE_SIGNING_KEY`.
    pub const fn signing_key(&self) -> Option<&Key> {
        self.signing_key.as_ref()
    }

    /// Every usable key, and its name in messages.
    pub fn all(&self) -> impl Iterator<Item = (&Key, String)> {
        let signing_key = self.signing_key.iter();
        let signing_key = signing_key.map(|key| (key, "the signing key".to_owned()));
        let named = self.named.iter();
        let named = named.filter_map(|(kid, key)| Some((key.as_ref().ok()?, name_of(kid))));
        signing_key.chain(named)
    }

    /// The one key that may have signed a token with this header, and its name in messages.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn find(&self, header: &Header) -> Result<(&Key, String), String> {
        let (key, name) = match header.kid.as_deref() {
            None => {
                let missing = "the token has no kid, and no key is for tokens without one";
                let key = self.signing_key.as_ref().ok_or(missing)?;
                (key, "the signing key".to_owned())
            }
            Some(kid) => match self.named.iter().find(|(name, _)| name == kid) {
                Some((_, Ok(key))) => (key, name_of(kid)),
                Some((_, Err(wrong))) => {
                    return Err(format!("{} cannot be used: {wrong}", name_of(kid)));
                }
                None => {
                    return Err(format!("the token's kid is {kid:?}, which no key has"));
                }
            },
        };
        let (alg, right) = (&header.alg, key.algorithm.name);
        if !key.algorithm.is(alg) {
            return Err(format!(
                "the token's alg is {alg:?}, but {name} is for {right}"
            ));
        }
        Ok((key, name))
    }
}

fn name_of(kid: &str) -> String {
    format!("the key {kid:?}")
}

impl fmt::Debug for Keys {
    /// Shows names, never keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<&String> = self.named.iter().map(|(kid, _)| kid).collect();
        let signing_key = self.signing_key.is_some();
        formatter
            .debug_struct("Keys")
            .field("signing_key", &signing_key)
            .field("kids", &kids)
            .finish()
    }
}
