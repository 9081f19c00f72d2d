//! Signatures of the algorithms that keys may have (RFC 7518, RFC 8037), verified only.

use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Verifier;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// How an HMAC or RSA signature makes its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What a key signs with. A key has exactly one algorithm, whatever a token says (RFC 8725 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hmac(Hash),
    RsaPkcs1(Hash),
    RsaPss(Hash),
    EcdsaP256,
    Ed25519,
}

/// The algorithms by name, for refusals.
pub(super) const ALGORITHMS: &str =
    "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, EdDSA";

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hmac(Hash::Sha256),
            "HS384" => Self::Hmac(Hash::Sha384),
            "HS512" => Self::Hmac(Hash::Sha512),
            "RS256" => Self::RsaPkcs1(Hash::Sha256),
            "RS384" => Self::RsaPkcs1(Hash::Sha384),
            "RS512" => Self::RsaPkcs1(Hash::Sha512),
            "PS256" => Self::RsaPss(Hash::Sha256),
            "PS384" => Self::RsaPss(Hash::Sha384),
            "PS512" => Self::RsaPss(Hash::Sha512),
            "ES256" => Self::EcdsaP256,
            // RFC 9864 renames what RFC 8037 calls EdDSA.
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hmac(Hash::Sha256) => "HS256",
            Self::Hmac(Hash::Sha384) => "HS384",
            Self::Hmac(Hash::Sha512) => "HS512",
            Self::RsaPkcs1(Hash::Sha256) => "RS256",
            Self::RsaPkcs1(Hash::Sha384) => "RS384",
            Self::RsaPkcs1(Hash::Sha512) => "RS512",
            Self::RsaPss(Hash::Sha256) => "PS256",
            Self::RsaPss(Hash::Sha384) => "PS384",
            Self::RsaPss(Hash::Sha512) => "PS512",
            Self::EcdsaP256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }
}

/// What a signature is checked with.
#[derive(Clone)]
pub(super) enum Material {
    Secret(Vec<u8>),
    Rsa(Box<RsaPublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl Material {
    /// Whether `signature` is one of `message` by this key with this algorithm. A key of another
    /// kind than the algorithm's verifies nothing.
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (algorithm, self) {
            (Algorithm::Hmac(hash), Self::Secret(secret)) => match hash {
                Hash::Sha256 => verify_hmac::<Hmac<Sha256>>(secret, message, signature),
                Hash::Sha384 => verify_hmac::<Hmac<Sha384>>(secret, message, signature),
                Hash::Sha512 => verify_hmac::<Hmac<Sha512>>(secret, message, signature),
            },
            (Algorithm::RsaPkcs1(hash), Self::Rsa(key)) => {
                let (scheme, digest) = match hash {
                    Hash::Sha256 => (Pkcs1v15Sign::new::<Sha256>(), digest::<Sha256>(message)),
                    Hash::Sha384 => (Pkcs1v15Sign::new::<Sha384>(), digest::<Sha384>(message)),
                    Hash::Sha512 => (Pkcs1v15Sign::new::<Sha512>(), digest::<Sha512>(message)),
                };
                key.verify(scheme, &digest, signature).is_ok()
            }
            (Algorithm::RsaPss(hash), Self::Rsa(key)) => {
                let (scheme, digest) = match hash {
                    Hash::Sha256 => (Pss::new::<Sha256>(), digest::<Sha256>(message)),
                    Hash::Sha384 => (Pss::new::<Sha384>(), digest::<Sha384>(message)),
                    Hash::Sha512 => (Pss::new::<Sha512>(), digest::<Sha512>(message)),
                };
                key.verify(scheme, &digest, signature).is_ok()
            }
            (Algorithm::EcdsaP256, Self::P256(key)) => {
                let signature = p256::ecdsa::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            (Algorithm::Ed25519, Self::Ed25519(key)) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            _ => false,
        }
    }
}

/// Compares in constant time.
fn verify_hmac<M: Mac + hmac::digest::KeyInit>(
    secret: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    <M as Mac>::new_from_slice(secret)
        .is_ok_and(|hmac| hmac.chain_update(message).verify_slice(signature).is_ok())
}

fn digest<D: Digest>(message: &[u8]) -> Vec<u8> {
    D::digest(message).to_vec()
}
