//! The deployment's own keys (P2.8), derived from the secrets that it has for other things: it can
//! make tokens for its own sessions, and nobody sets a secret for that.

use std::cell::RefCell;

use worker::Env;

use super::env::{not_configured, variable};
use super::signatures;
use crate::protocol::error::ErrorInfo;
use crate::token::{Header, Key, OWN_KID, unauthorized};

/// The secrets that a key is derived from, the first of which signs. One variable holds several.
const SECRETS: [&str; 4] = [
    "SESSILE_WEBHOOK_SECRETS",
    "SESSILE_VAPID_KEY",
    "SESSILE_APNS_KEY",
    "SESSILE_FCM_ACCOUNT",
];
/// Their labels: nothing else derives a key by this one.
const LABEL: &str = "sessile: tokens of the deployment, 1";
/// The least bytes of a secret. Each kind has more.
const SECRET_BYTES: usize = 32;

/// The secrets, and the keys once they are derived.
pub(super) struct MadeKeys {
    secrets: Vec<String>,
    keys: RefCell<Vec<Key>>,
}

impl MadeKeys {
    pub(super) fn read(env: &Env) -> Self {
        let mut secrets = Vec::new();
        for name in SECRETS {
            let Some(text) = variable(env, name) else {
                continue;
            };
            match name {
                "SESSILE_WEBHOOK_SECRETS" => secrets.extend(text.split(' ').map(str::to_owned)),
                _ => secrets.push(text),
            }
        }
        secrets.retain(|secret| SECRET_BYTES <= secret.len());
        Self {
            secrets,
            keys: RefCell::default(),
        }
    }

    /// Whether there is a secret to derive a key from.
    pub(super) fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// `not-configured` without a secret.
    pub(super) async fn issue(&self, claims: &str) -> Result<String, ErrorInfo> {
        let keys = self.keys().await?;
        let Some(key) = keys.first() else {
            let [first, rest @ ..] = SECRETS;
            let rest = rest.join(", ");
            let missing = format!("a token of its own needs {first} or one of {rest}");
            return Err(not_configured(&missing));
        };
        signatures::sign(claims, OWN_KID, key).await
    }

    /// The claims of a token that one of the keys signed.
    ///
    /// # Errors
    /// `unauthorized`, when none did.
    pub(super) async fn verify(&self, token: &str, header: &Header) -> Result<String, ErrorInfo> {
        let mut refused = unauthorized("the deployment makes no tokens of its own");
        for key in self.keys().await? {
            if header.alg != key.algorithm.name {
                let alg = &header.alg;
                return Err(unauthorized(&format!("the token's alg is {alg:?}")));
            }
            match signatures::verify(token, header, &key, "a key of the deployment").await {
                Ok(claims) => return Ok(claims),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    async fn keys(&self) -> Result<Vec<Key>, ErrorInfo> {
        if self.keys.borrow().len() < self.secrets.len() {
            let mut keys = Vec::new();
            for secret in &self.secrets {
                keys.push(signatures::derive(secret, LABEL).await?);
            }
            self.keys.replace(keys);
        }
        Ok(self.keys.borrow().clone())
    }
}
