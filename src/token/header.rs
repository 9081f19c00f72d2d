//! The header of a token (RFC 7515): its key and its algorithm.

use super::{refused, unauthorized};
use crate::protocol::error::ErrorInfo;
use crate::protocol::fields::Fields;
use crate::protocol::limits::Limits;

/// Bytes of a token's header and signature together. The longest signature, RSA with 4096 bits,
/// takes 683.
const ENVELOPE_BYTES: u64 = 4 * 1024;

/// The header of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm that it names.
    pub alg: String,
    /// The name of the key.
    pub kid: Option<String>,
}

impl Header {
    /// Reads a decoded header.
    ///
    /// # Errors
    /// `unauthorized`, naming the mistake.
    pub fn read(json: &str) -> Result<Self, ErrorInfo> {
        let header = Fields::part("authorize", "the token's header", json).map_err(refused)?;
        if header.raw("crit").is_some() {
            return Err(unauthorized(
                "the token's header has crit, which is not supported",
            ));
        }
        Ok(Self {
            alg: header.need("alg").map_err(refused)?,
            kid: header.get("kid").map_err(refused)?,
        })
    }
}

/// Checks the size of a token, before anything reads it.
///
/// # Errors
/// `unauthorized`, naming the bound.
pub fn check_size(token: &str, limits: &Limits) -> Result<(), ErrorInfo> {
    // Base64 takes four bytes for three.
    let longest = ENVELOPE_BYTES.saturating_add(limits.claims_bytes.saturating_mul(4) / 3);
    if token.len() as u64 > longest {
        let length = token.len();
        return Err(unauthorized(&format!(
            "the token takes {length} bytes, the limit is {longest}"
        )));
    }
    let claims = token.split('.').nth(1).unwrap_or_default();
    let (bytes, most) = (claims.len() as u64 * 3 / 4, limits.claims_bytes);
    if bytes > most {
        return Err(unauthorized(&format!(
            "the token's claims take {bytes} bytes, claimsBytes is {most}"
        )));
    }
    Ok(())
}
