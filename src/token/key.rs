//! One key (P2.7).

use super::algorithm::Algorithm;

/// A key in the form that the platform imports. It has exactly one algorithm, whatever a token
/// says (RFC 8725 3.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The algorithm.
    pub algorithm: &'static Algorithm,
    /// A JSON Web Key with only its algorithm's parameters, or a shared secret as text.
    pub text: String,
    /// Whether it is a secret as text.
    pub is_text: bool,
}

impl Key {
    /// A key of the deployment's own, of so many bytes in base64url (P2.8).
    pub fn own(bytes: &str) -> Self {
        let text = format!("{{\"kty\":\"oct\",\"k\":{bytes:?}}}");
        Self::jwk(Algorithm::of_signing_key(), text)
    }

    pub(super) const fn jwk(algorithm: &'static Algorithm, text: String) -> Self {
        Self {
            algorithm,
            text,
            is_text: false,
        }
    }
}

/// The least bytes of a shared secret: the length of a SHA-256 (RFC 7518 3.2). A shorter one can
/// be guessed from a token.
pub(super) const SECRET_BYTES: usize = 32;
