//! The algorithms of keys (RFC 7518, RFC 9864), and the parameters of each key.

use crate::protocol::fields::Fields;

/// One algorithm. The platform verifies the signatures themselves.
#[derive(Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// Its name in headers and keys, `alg`.
    pub name: &'static str,
    /// The type of its keys, `kty`.
    pub kty: &'static str,
    /// Their curve, `crv`, where keys of the type have one.
    pub crv: Option<&'static str>,
    /// The other parameters of a public key.
    pub parameters: &'static [&'static str],
}

/// The first for a type and curve is the default of a key without `alg`.
static ALGORITHMS: [Algorithm; 14] = [
    secret("HS256"),
    secret("HS384"),
    secret("HS512"),
    rsa("RS256"),
    rsa("RS384"),
    rsa("RS512"),
    rsa("PS256"),
    rsa("PS384"),
    rsa("PS512"),
    curve("ES256", "EC", "P-256", &["x", "y"]),
    curve("ES384", "EC", "P-384", &["x", "y"]),
    curve("ES512", "EC", "P-521", &["x", "y"]),
    curve("EdDSA", "OKP", "Ed25519", &["x"]),
    curve("Ed25519", "OKP", "Ed25519", &["x"]),
];

const fn secret(name: &'static str) -> Algorithm {
    Algorithm {
        name,
        kty: "oct",
        crv: None,
        parameters: &["k"],
    }
}

const fn rsa(name: &'static str) -> Algorithm {
    Algorithm {
        name,
        kty: "RSA",
        crv: None,
        parameters: &["n", "e"],
    }
}

const fn curve(
    name: &'static str,
    kty: &'static str,
    crv: &'static str,
    parameters: &'static [&'static str],
) -> Algorithm {
    Algorithm {
        name,
        kty,
        crv: Some(crv),
        parameters,
    }
}

impl Algorithm {
    /// The algorithm of `SESSILE_SIGNING_KEY` (P2.7).
    pub(super) fn of_signing_key() -> &'static Self {
        static HS256: Algorithm = secret("HS256");
        &HS256
    }

    /// The one algorithm of a key: its `alg`, or the default of its type, since large issuers
    /// omit `alg`.
    ///
    /// # Errors
    /// The reason, naming what the key would need.
    pub(super) fn of(jwk: &Fields<'_>) -> Result<&'static Self, String> {
        let text = |name| jwk.get::<String>(name).map_err(|error| error.message);
        let (alg, kty, crv) = (text("alg")?, text("kty")?, text("crv")?);
        let fits = |algorithm: &&Self| {
            kty.as_deref() == Some(algorithm.kty)
                && (algorithm.crv.is_none() || crv.as_deref() == algorithm.crv)
        };
        let Some(alg) = alg else {
            let default = ALGORITHMS.iter().find(fits);
            return default
                .filter(|default| default.kty != "oct")
                .ok_or_else(|| {
                    "it has no alg, which only RSA, EC with P-256, P-384 or P-521 and OKP \
                 with Ed25519 may omit"
                        .to_owned()
                });
        };
        let named = ALGORITHMS.iter().find(|algorithm| algorithm.name == alg);
        let named = named.ok_or_else(|| {
            let names: Vec<&str> = ALGORITHMS.iter().map(|algorithm| algorithm.name).collect();
            format!("its alg is {alg}; supported are {}", names.join(", "))
        })?;
        if fits(&named) {
            return Ok(named);
        }
        let kty = named.kty;
        let crv = named.crv.map(|crv| format!(" and crv {crv:?}"));
        let crv = crv.unwrap_or_default();
        Err(format!("its alg {alg} needs kty {kty:?}{crv}"))
    }

    /// Whether the `alg` of a token names it. `EdDSA` with the only curve supported is `Ed25519`
    /// (RFC 9864).
    pub(super) fn is(&self, alg: &str) -> bool {
        let is_ed = |name: &str| name == "EdDSA" || name == "Ed25519";
        self.name == alg || (is_ed(self.name) && is_ed(alg))
    }
}
