//! Signs tokens, which the product cannot: its provider verifies only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::fixture;

/// The private keys of the fixture, and secrets.
pub(crate) enum Signer {
    Secret(Vec<u8>),
    Rsa(Box<RsaPrivateKey>),
    Ec(Box<p256::ecdsa::SigningKey>),
    Ed(Box<ed25519_dalek::SigningKey>),
}

impl Signer {
    pub(crate) fn secret(secret: &str) -> Self {
        Self::Secret(secret.as_bytes().to_vec())
    }

    pub(crate) fn rsa() -> Self {
        let key = RsaPrivateKey::from_pkcs1_der(&private("rsa", "der")).unwrap();
        Self::Rsa(Box::new(key))
    }

    pub(crate) fn ec() -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&private("ec", "d")).unwrap();
        Self::Ec(Box::new(key))
    }

    pub(crate) fn ed() -> Self {
        let seed: [u8; 32] = private("ed", "d").try_into().unwrap();
        Self::Ed(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The signature of `message` in base64url.
    pub(crate) fn sign(&self, alg: &str, message: &str) -> String {
        let message = message.as_bytes();
        let signature = match self {
            Self::Secret(secret) => match alg {
                "HS256" => mac::<Hmac<Sha256>>(secret, message),
                "HS384" => mac::<Hmac<Sha384>>(secret, message),
                _ => mac::<Hmac<Sha512>>(secret, message),
            },
            Self::Rsa(key) => sign_rsa(key, alg, message),
            Self::Ec(key) => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::sign(key.as_ref(), message);
                signature.to_bytes().to_vec()
            }
            Self::Ed(key) => ed25519_dalek::Signer::sign(key.as_ref(), message)
                .to_bytes()
                .to_vec(),
        };
        URL_SAFE_NO_PAD.encode(signature)
    }
}

fn private(kind: &str, field: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(fixture()[kind][field].as_str().unwrap())
        .unwrap()
}

fn mac<M: Mac + hmac::digest::KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <M as Mac>::new_from_slice(secret).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn sign_rsa(key: &RsaPrivateKey, alg: &str, message: &[u8]) -> Vec<u8> {
    let (sha256, sha384) = (Sha256::digest(message), Sha384::digest(message));
    let sha512 = Sha512::digest(message);
    match alg {
        "RS256" => key.sign(Pkcs1v15Sign::new::<Sha256>(), &sha256),
        "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &sha384),
        "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &sha512),
        "PS256" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha256>(), &sha256),
        "PS384" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha384>(), &sha384),
        _ => key.sign_with_rng(&mut OsRng, Pss::new::<Sha512>(), &sha512),
    }
    .unwrap()
}
