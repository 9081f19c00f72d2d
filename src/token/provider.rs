//! Signatures of the algorithms that keys may have (RFC 7518, RFC 8037): the cryptography that
//! `jsonwebtoken` asks for, verified only.
//!
//! The library's own provider brings signing, entropy and a second curve, and slices an Ed25519
//! key without asking how long it is. Here whatever a key or a token holds is refused by name.

use hmac::{Hmac, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The shortest RSA key in bits (RFC 7518 3.3). The longest is 4096, which bounds the work.
const RSA_BITS_MIN: usize = 2048;

/// The key utilities are for making JWKs, which nothing here does.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| match Material::new(*algorithm, key) {
        Ok(material) => Ok(Box::new(Signatures {
            algorithm: *algorithm,
            material,
        })),
        Err(wrong) => Err(ErrorKind::Provider(wrong).into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Gives the library its cryptography. It panics without, so this goes before its every use.
pub(super) fn install() {
    // It is taken once; from then on there is nothing to do.
    let _ = PROVIDER.install_default();
}

/// What signatures are verified with: a key that was found good for its algorithm.
pub(super) enum Material {
    Secret(Vec<u8>),
    Rsa(Box<RsaPublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl Material {
    /// # Errors
    /// The words that say why the key cannot be used with this algorithm.
    pub(super) fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self, String> {
        if algorithm.family() != key.family() {
            return Err(format!("it is no key for {algorithm:?}"));
        }
        match (algorithm, key.kind()) {
            (
                Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512,
                DecodingKeyKind::SecretOrDer(secret),
            ) => take_secret(secret),
            (
                Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512,
                DecodingKeyKind::RsaModulusExponent { n, e },
            ) => take_rsa(n, e),
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => take_p256(point),
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(x)) => take_ed25519(x),
            _ => Err(format!("{algorithm:?} is not supported")),
        }
    }
}

fn take_secret(secret: &[u8]) -> Result<Material, String> {
    if secret.is_empty() {
        return Err("its k is empty".into());
    }
    Ok(Material::Secret(secret.to_vec()))
}

fn take_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Material, String> {
    let (modulus, exponent) = (
        BigUint::from_bytes_be(modulus),
        BigUint::from_bytes_be(exponent),
    );
    let bits = modulus.bits();
    if bits < RSA_BITS_MIN {
        return Err(format!(
            "its n has {bits} bits; it needs {RSA_BITS_MIN} or more"
        ));
    }
    let key = RsaPublicKey::new(modulus, exponent)
        .map_err(|error| format!("it is no RSA key: {error}"))?;
    Ok(Material::Rsa(Box::new(key)))
}

fn take_p256(point: &[u8]) -> Result<Material, String> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
        .map_err(|_| "its x and y are no point of P-256")?;
    Ok(Material::P256(Box::new(key)))
}

fn take_ed25519(x: &[u8]) -> Result<Material, String> {
    let key = <&[u8; 32]>::try_from(x)
        .ok()
        .map(ed25519_dalek::VerifyingKey::from_bytes);
    let key = key.and_then(Result::ok).ok_or("its x is no Ed25519 key")?;
    Ok(Material::Ed25519(Box::new(key)))
}

struct Signatures {
    algorithm: Algorithm,
    material: Material,
}

impl JwtVerifier for Signatures {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Signatures {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let is_good = match &self.material {
            Material::Secret(secret) => verify_hmac(self.algorithm, secret, message, signature),
            Material::Rsa(key) => verify_rsa(self.algorithm, key, message, signature),
            Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        };
        if is_good {
            Ok(())
        } else {
            Err(signature::Error::new())
        }
    }
}

fn verify_hmac(algorithm: Algorithm, secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::HS256 => is_mac::<Hmac<Sha256>>(secret, message, signature),
        Algorithm::HS384 => is_mac::<Hmac<Sha384>>(secret, message, signature),
        Algorithm::HS512 => is_mac::<Hmac<Sha512>>(secret, message, signature),
        _ => false,
    }
}

/// Compares in constant time.
fn is_mac<M: Mac + hmac::digest::KeyInit>(secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
    <M as Mac>::new_from_slice(secret)
        .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
}

fn verify_rsa(algorithm: Algorithm, key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    let checked = match algorithm {
        Algorithm::RS256 => key.verify(
            Pkcs1v15Sign::new::<Sha256>(),
            &Sha256::digest(message),
            signature,
        ),
        Algorithm::RS384 => key.verify(
            Pkcs1v15Sign::new::<Sha384>(),
            &Sha384::digest(message),
            signature,
        ),
        Algorithm::RS512 => key.verify(
            Pkcs1v15Sign::new::<Sha512>(),
            &Sha512::digest(message),
            signature,
        ),
        Algorithm::PS256 => key.verify(Pss::new::<Sha256>(), &Sha256::digest(message), signature),
        Algorithm::PS384 => key.verify(Pss::new::<Sha384>(), &Sha384::digest(message), signature),
        Algorithm::PS512 => key.verify(Pss::new::<Sha512>(), &Sha512::digest(message), signature),
        _ => return false,
    };
    checked.is_ok()
}
