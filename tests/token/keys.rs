//! Keys from configuration: what a JWK set may hold, and what is wrong with what it may not
//! (P2.7).

use proptest::prelude::*;
use serde_json::{Value, json};
use sessile::protocol::limits::Limits;
use sessile::token::Keys;

use super::*;

/// A key of the fixture with these fields changed; null takes one away.
fn jwk(kind: &str, changes: &[(&str, Value)]) -> Value {
    let fixture = fixture();
    let mut jwk = match kind {
        "oct" => json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET), "alg": "HS256" }),
        "small" | "p384" => fixture[kind].clone(),
        _ => fixture[kind]["jwk"].clone(),
    };
    jwk["kid"] = json!("k");
    for (field, value) in changes {
        jwk[*field] = value.clone();
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(*field);
        }
    }
    jwk
}

fn add(keys: &[Value]) -> Result<Keys, String> {
    let mut built = Keys::new();
    built
        .add_set(&json!({ "keys": keys }).to_string())
        .map(|()| built)
}

#[test]
fn a_key_that_cannot_be_used_is_refused_by_name() {
    let supported = "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, EdDSA";
    for (jwk, wrong) in [
        (
            jwk("rsa", &[("alg", json!("RSA-OAEP"))]),
            "its alg is RSA_OAEP; supported are",
        ),
        (
            jwk("rsa", &[("alg", json!("none"))]),
            "its alg is UNKNOWN_ALGORITHM; supported are",
        ),
        (
            jwk("p384", &[("alg", json!("ES384"))]),
            "its alg is ES384; supported are",
        ),
        (jwk("p384", &[]), "it has no alg, and is no whole key"),
        (
            jwk("oct", &[("alg", Value::Null)]),
            "it has no alg, and is no whole key",
        ),
        (
            jwk("rsa", &[("kty", Value::Null)]),
            "it has no alg, and is no whole key",
        ),
        (
            jwk("rsa", &[("n", Value::Null)]),
            "it has no alg, and is no whole key",
        ),
        (
            jwk("rsa", &[("alg", json!("HS256"))]),
            "its alg HS256 needs kty \"oct\", with k",
        ),
        (
            jwk("oct", &[("alg", json!("RS256"))]),
            "its alg RS256 needs kty \"RSA\", with n and e",
        ),
        (
            jwk("p384", &[("alg", json!("ES256"))]),
            "its alg ES256 needs kty \"EC\" and crv \"P-256\", with x and y",
        ),
        (
            jwk("ed", &[("alg", json!("EdDSA")), ("crv", json!("P-256"))]),
            "its alg EdDSA needs kty \"OKP\" and crv \"Ed25519\", with x",
        ),
        (
            jwk("rsa", &[("alg", json!("RS256")), ("n", Value::Null)]),
            "its alg RS256 needs kty \"RSA\", with n and e",
        ),
        (
            jwk("rsa", &[("use", json!("enc"))]),
            "it is not for signatures (use, key_ops)",
        ),
        (
            jwk("rsa", &[("key_ops", json!(["encrypt"]))]),
            "it is not for signatures (use, key_ops)",
        ),
        (
            jwk("small", &[]),
            "its n has 1024 bits; it needs 2048 or more",
        ),
        (
            jwk("rsa", &[("n", json!(""))]),
            "its n has 0 bits; it needs 2048 or more",
        ),
        (
            jwk("rsa", &[("n", json!("_".repeat(6000)))]),
            "it is no RSA key: ",
        ),
        (jwk("rsa", &[("e", json!("AQ"))]), "it is no RSA key: "),
        (jwk("rsa", &[("e", json!(""))]), "it is no RSA key: "),
        (
            jwk("rsa", &[("n", json!("?"))]),
            "its n and e cannot be read: ",
        ),
        (jwk("oct", &[("k", json!(""))]), "its k is empty"),
        (
            jwk("ec", &[("x", json!("AQ"))]),
            "its x has 1 bytes, it needs 32",
        ),
        (
            jwk("ec", &[("x", json!(""))]),
            "its x has 0 bytes, it needs 32",
        ),
        (
            jwk("ec", &[("x", json!("é".repeat(43)))]),
            "its x has 64 bytes, it needs 32",
        ),
        (
            jwk("ec", &[("x", json!("?".repeat(43)))]),
            "its x and y cannot be read: ",
        ),
        (
            // Together 64 bytes, which the library would join without asking.
            jwk(
                "ec",
                &[("x", json!("A".repeat(42))), ("y", json!("A".repeat(44)))],
            ),
            "its x has 31 bytes, it needs 32",
        ),
        (
            jwk("ec", &[("y", json!("A".repeat(43)))]),
            "its x and y are no point of P-256",
        ),
        (
            jwk("ed", &[("x", json!("AQ"))]),
            "its x has 1 bytes, it needs 32",
        ),
        (
            jwk("ed", &[("x", json!("A".repeat(86)))]),
            "its x has 64 bytes, it needs 32",
        ),
        (
            jwk(
                "ed",
                &[("x", json!("AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))],
            ),
            "its x is no Ed25519 key",
        ),
    ] {
        let error = add(&[jwk]).unwrap_err();
        assert!(
            error.starts_with(&format!("the key k cannot be used: {wrong}")),
            "{error}"
        );
        assert!(
            !error.contains("supported are") || error.ends_with(supported),
            "{error}"
        );
    }
}

#[test]
fn a_set_of_a_wrong_form_is_refused() {
    for json in ["", "[]", "{}", "{\"keys\":{}}"] {
        let error = Keys::new().add_set(json).unwrap_err();
        assert!(
            error.starts_with("this is no JWK set, {\"keys\": [...]}: "),
            "{error}"
        );
    }
    let error = add(&[jwk("rsa", &[]), json!(5)]).unwrap_err();
    let begin = "key 1 of the set cannot be used: it is no JSON Web Key: invalid type";
    assert!(error.starts_with(begin), "{error}");
    let error = add(&[jwk("rsa", &[]), jwk("ec", &[("kid", Value::Null)])]).unwrap_err();
    assert_eq!(
        error,
        "key 1 of the set has no kid, which tokens name it by"
    );
    let error = add(&[jwk("rsa", &[]), jwk("ec", &[])]).unwrap_err();
    assert_eq!(error, "two keys of the set have the kid k");
    assert!(add(&[]).unwrap().is_empty());
}

#[test]
fn a_key_without_alg_has_the_one_that_is_usual_for_it() {
    for (kind, alg) in [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")] {
        let keys = add(&[jwk(
            kind,
            &[("use", json!("sig")), ("key_ops", json!(["verify"]))],
        )]);
        let key = match kind {
            "rsa" => Signer::rsa(),
            "ec" => Signer::ec(),
            _ => Signer::ed(),
        };
        let token = sign_as(alg, Some("k"), &key, &claims());
        assert!(
            keys.unwrap()
                .verify(&token, NOW * 1000, &Limits::default())
                .is_ok(),
            "{alg}"
        );
        if kind == "rsa" {
            let token = sign_as("PS256", Some("k"), &key, &claims());
            let keys = add(&[jwk(kind, &[])]).unwrap();
            assert_refused(
                keys.verify(&token, NOW * 1000, &Limits::default()),
                "the token's alg is PS256, but the key \"k\" is for RS256",
            );
        }
    }
}

#[test]
fn a_bad_key_in_a_fetched_set_harms_only_its_own_tokens() {
    let mut keys = signing_key();
    let set = json!({ "keys": [
        jwk("rsa", &[("kid", json!("good"))]),
        jwk("rsa", &[("kid", json!("enc")), ("use", json!("enc"))]),
        jwk("ec", &[("kid", Value::Null)]),
        // Neither of these is one that the library can read.
        jwk("ec", &[("kid", json!("odd")), ("x5c", json!("text"))]),
        5,
    ] });
    keys.add_fetched_set(&set.to_string()).unwrap();
    let rsa = Signer::rsa();
    let check = |token: &str| keys.verify(token, NOW * 1000, &Limits::default());
    assert!(check(&sign_as("RS256", Some("good"), &rsa, &claims())).is_ok());
    assert!(check(&sign(&claims())).is_ok());
    assert_refused(
        check(&sign_as("RS256", Some("enc"), &rsa, &claims())),
        "the key \"enc\" cannot be used: it is not for signatures (use, key_ops)",
    );
    assert!(keys.add_fetched_set("<html>").is_err());
    assert!(keys.has("good"));
}

#[test]
fn padding_and_private_parts_do_no_harm() {
    let rsa = fixture()["rsa"]["jwk"]["n"].as_str().unwrap().to_owned() + "==";
    let ec = fixture()["ec"]["jwk"]["x"].as_str().unwrap().to_owned() + "=";
    for (jwk, alg, signer) in [
        (
            jwk("rsa", &[("n", json!(rsa)), ("d", json!("AQAB"))]),
            "RS256",
            Signer::rsa(),
        ),
        (
            jwk("ec", &[("x", json!(ec)), ("d", json!("AQAB"))]),
            "ES256",
            Signer::ec(),
        ),
    ] {
        let token = sign_as(alg, Some("k"), &signer, &claims());
        let keys = add(&[jwk]).unwrap();
        assert!(
            keys.verify(&token, NOW * 1000, &Limits::default()).is_ok(),
            "{alg}"
        );
    }
}

#[test]
fn a_fetched_key_never_replaces_the_owners() {
    let mut keys = add(&[jwk("oct", &[])]).unwrap();
    keys.add_fetched_set(&json!({ "keys": [jwk("rsa", &[])] }).to_string())
        .unwrap();
    let token = sign_as("HS256", Some("k"), &Signer::secret(SECRET), &claims());
    assert!(keys.verify(&token, NOW * 1000, &Limits::default()).is_ok());
}

#[test]
fn keys_are_not_shown() {
    let mut keys = signing_key();
    keys.add_set(&set(&["HS256", "RS256"]).to_string()).unwrap();
    let shown = "Keys { signing_key: true, kids: [\"hs256\", \"rs256\"] }";
    assert_eq!(format!("{keys:?}"), shown);
}

fn field_value() -> impl Strategy<Value = Value> {
    let words = "HS256|RS256|PS512|ES256|ES384|EdDSA|EC|RSA|OKP|oct|P-256|Ed25519";
    prop_oneof![
        "[A-Za-z0-9_=-]{0,90}".prop_map(Value::from),
        words.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({ "a": [null] })),
    ]
}

proptest! {
    /// Whatever an issuer publishes, and whatever is then checked with it, nothing panics.
    #[test]
    fn any_key_is_taken_or_refused(
        kind in "rsa|ec|ed|oct|p384",
        field in "kty|crv|alg|use|key_ops|k|n|e|x|y|x5c",
        value in field_value(),
    ) {
        let key = jwk(&kind, &[(&field, value)]);
        let mut keys = Keys::new();
        let added = keys.add_fetched_set(&json!({ "keys": [key] }).to_string());
        prop_assert!(added.is_ok());
        for (alg, signer) in [("HS256", Signer::secret(SECRET)), ("EdDSA", Signer::ed())] {
            let token = sign_as(alg, Some("k"), &signer, &claims());
            let _ = keys.verify(&token, NOW * 1000, &Limits::default());
        }
    }
}
