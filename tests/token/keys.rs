//! Keys from configuration: what a JWK set may hold, and what is wrong with what it may not
//! (P2.7).

use proptest::prelude::*;

use super::*;

/// A shared secret of 32 bytes and more, as a JWK has it.
const SECRET_K: &str = "YSBzaWduaW5nIGtleSBvZiB0aGlydHktdHdvIGJ5dGVz";

/// A key of the fixture with these fields changed; null takes one away.
fn jwk(kind: &str, changes: &[(&str, Value)]) -> Value {
    let fixture = fixture();
    let mut jwk = match kind {
        "oct" => {
            json!({ "kty": "oct", "k": SECRET_K, "alg": "HS256" })
        }
        _ => fixture[kind].clone(),
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

fn header(alg: &str, kid: Option<&str>) -> Header {
    Header {
        alg: alg.to_owned(),
        kid: kid.map(str::to_owned),
    }
}

/// The key that a token is checked with: its algorithm and what the platform makes it of.
fn find(keys: &Keys, alg: &str, kid: Option<&str>) -> Result<(String, String), String> {
    let (key, _) = keys.find(&header(alg, kid))?;
    Ok((key.algorithm.name.to_owned(), key.text.clone()))
}

#[test]
fn a_key_that_cannot_be_used_is_refused_by_name() {
    let supported = "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, \
                     ES384, ES512, EdDSA, Ed25519";
    let null = Value::Null;
    for (jwk, wrong) in [
        (
            jwk("rsa", &[("alg", json!("RSA-OAEP"))]),
            format!("its alg is RSA-OAEP; supported are {supported}"),
        ),
        (
            jwk("rsa", &[("alg", json!("none"))]),
            format!("its alg is none; supported are {supported}"),
        ),
        (
            jwk("oct", &[("alg", null.clone())]),
            "it has no alg, which only RSA, EC with P-256, P-384 or P-521 and OKP with Ed25519 \
             may omit"
                .into(),
        ),
        (
            jwk("rsa", &[("alg", json!("HS256"))]),
            "its alg HS256 needs kty \"oct\"".into(),
        ),
        (
            jwk("oct", &[("alg", json!("RS256"))]),
            "its alg RS256 needs kty \"RSA\"".into(),
        ),
        (
            jwk("p384", &[("alg", json!("ES256"))]),
            "its alg ES256 needs kty \"EC\" and crv \"P-256\"".into(),
        ),
        (
            jwk("ed", &[("alg", json!("EdDSA")), ("crv", json!("P-256"))]),
            "its alg EdDSA needs kty \"OKP\" and crv \"Ed25519\"".into(),
        ),
        (
            jwk("rsa", &[("n", null.clone())]),
            "unable to read it; n is missing".into(),
        ),
        (
            jwk("rsa", &[("use", json!("enc"))]),
            "it is not for signatures (use, key_ops)".into(),
        ),
        (
            jwk("rsa", &[("key_ops", json!(["encrypt"]))]),
            "it is not for signatures (use, key_ops)".into(),
        ),
        (
            jwk("small", &[]),
            "its n has 1024 bits; it needs 2048 to 4096".into(),
        ),
        (
            jwk("rsa", &[("n", json!("_".repeat(6000)))]),
            "its n has 36000 bits; it needs 2048 to 4096".into(),
        ),
        (
            jwk("rsa", &[("n", json!("?"))]),
            "its n is empty or not base64url".into(),
        ),
        (
            jwk("rsa", &[("e", json!(""))]),
            "its e is empty or not base64url".into(),
        ),
        (
            jwk("oct", &[("k", json!("=="))]),
            "its k is empty or not base64url".into(),
        ),
        (
            jwk("oct", &[("k", json!("A".repeat(42)))]),
            "its k has 31 bytes; it needs at least 32".into(),
        ),
        (
            jwk("ec", &[("x", json!("é".repeat(43)))]),
            "its x is empty or not base64url".into(),
        ),
    ] {
        let error = add(&[jwk]).unwrap_err();
        assert_eq!(error, format!("the key k cannot be used: {wrong}"));
    }
    for bytes in [0, 31] {
        let error = Keys::new().add_signing_key(&"k".repeat(bytes)).unwrap_err();
        let wrong = format!("SESSILE_SIGNING_KEY has {bytes} bytes; ");
        assert!(error.starts_with(&wrong), "{error}");
    }
    assert!(Keys::new().add_signing_key(&"k".repeat(32)).is_ok());
}

#[test]
fn a_set_of_a_wrong_form_is_refused() {
    for json in ["", "[]", "{}", "{\"keys\":{}}"] {
        let error = Keys::new().add_set(json).unwrap_err();
        let begin = "unable to read a JWK set, {\"keys\": [...]}; ";
        assert!(error.starts_with(begin), "{error}");
    }
    let error = add(&[jwk("rsa", &[]), json!(5)]).unwrap_err();
    let begin = "key 1 of the set cannot be used: unable to read it; it is";
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
    for (kind, alg) in [
        ("rsa", "RS256"),
        ("ec", "ES256"),
        ("p384", "ES384"),
        ("ed", "EdDSA"),
    ] {
        let changes = [("use", json!("sig")), ("key_ops", json!(["verify"]))];
        let keys = add(&[jwk(kind, &changes)]).unwrap();
        assert_eq!(find(&keys, alg, Some("k")).unwrap().0, alg);
    }
}

/// A token that could choose would choose the public key as a secret, or none (RFC 8725 3.1).
#[test]
fn a_key_is_for_one_algorithm_whatever_a_token_says() {
    let mut keys = add(&[jwk("rsa", &[])]).unwrap();
    keys.add_signing_key(SECRET).unwrap();
    for alg in ["HS256", "PS256", "RS512", "none", "None", "", "rs256"] {
        let wrong = format!("the token's alg is {alg:?}, but the key \"k\" is for RS256");
        assert_eq!(find(&keys, alg, Some("k")).unwrap_err(), wrong);
    }
    for alg in ["RS256", "HS512", "none"] {
        let wrong = format!("the token's alg is {alg:?}, but the signing key is for HS256");
        assert_eq!(find(&keys, alg, None).unwrap_err(), wrong);
    }
    // Two names of one algorithm, with the one curve that there is.
    let keys = add(&[jwk("ed", &[])]).unwrap();
    assert!(find(&keys, "Ed25519", Some("k")).is_ok());
    let keys = add(&[jwk("ed", &[("alg", json!("Ed25519"))])]).unwrap();
    assert!(find(&keys, "EdDSA", Some("k")).is_ok());
}

#[test]
fn a_kid_names_its_key() {
    let mut keys = add(&[jwk("rsa", &[])]).unwrap();
    assert_eq!(
        find(&keys, "HS256", None).unwrap_err(),
        "the token has no kid, and no key is for tokens without one"
    );
    keys.add_signing_key(SECRET).unwrap();
    assert_eq!(find(&keys, "HS256", None).unwrap().1, SECRET);
    // The signing key is for tokens without a kid only.
    assert_eq!(
        find(&keys, "HS256", Some("gone")).unwrap_err(),
        "the token's kid is \"gone\", which no key has"
    );
}

#[test]
fn a_bad_key_in_a_fetched_set_harms_only_its_own_tokens() {
    let mut keys = Keys::new();
    keys.add_signing_key(SECRET).unwrap();
    let set = json!({ "keys": [
        jwk("rsa", &[("kid", json!("good"))]),
        jwk("rsa", &[("kid", json!("enc")), ("use", json!("enc"))]),
        jwk("ec", &[("kid", Value::Null)]),
        5,
    ] });
    keys.add_fetched_set(&set.to_string()).unwrap();
    assert!(find(&keys, "RS256", Some("good")).is_ok());
    assert!(find(&keys, "HS256", None).is_ok());
    assert_eq!(
        find(&keys, "RS256", Some("enc")).unwrap_err(),
        "the key \"enc\" cannot be used: it is not for signatures (use, key_ops)"
    );
    assert!(keys.add_fetched_set("<html>").is_err());
    assert!(keys.has("good"));
}

/// Some issuers pad; some publish more than a public key. Neither goes further.
#[test]
fn only_what_makes_a_public_key_is_kept() {
    let fixture = fixture();
    let x = fixture["ec"]["x"].as_str().unwrap();
    let y = fixture["ec"]["y"].as_str().unwrap();
    let changes = [("x", json!(format!("{x}="))), ("d", json!("AQAB"))];
    let keys = add(&[jwk("ec", &changes)]).unwrap();
    let (_, text) = find(&keys, "ES256", Some("k")).unwrap();
    let kept = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), kept);
}

#[test]
fn a_fetched_key_never_replaces_the_owners() {
    let mut keys = add(&[jwk("oct", &[])]).unwrap();
    keys.add_fetched_set(&json!({ "keys": [jwk("rsa", &[])] }).to_string())
        .unwrap();
    assert_eq!(find(&keys, "HS256", Some("k")).unwrap().0, "HS256");
}

/// P2.7: what everybody can read is no secret, whatever it is called there.
#[test]
fn a_fetched_set_holds_no_shared_secret() {
    let mut keys = Keys::new();
    let set = json!({ "keys": [jwk("oct", &[]), jwk("rsa", &[("kid", json!("r"))])] });
    keys.add_fetched_set(&set.to_string()).unwrap();
    let error = find(&keys, "HS256", Some("k")).unwrap_err();
    assert_eq!(
        error,
        "the key \"k\" cannot be used: it is a shared secret, in a set that everybody can read"
    );
    assert!(find(&keys, "RS256", Some("r")).is_ok());
}

#[test]
fn keys_are_not_shown() {
    let mut keys = add(&[jwk("oct", &[])]).unwrap();
    keys.add_signing_key(SECRET).unwrap();
    let shown = "Keys { signing_key: true, kids: [\"k\"] }";
    assert_eq!(format!("{keys:?}"), shown);
    let named: Vec<String> = keys.all().map(|(_, name)| name).collect();
    assert_eq!(named, ["the signing key", "the key \"k\""]);
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
        if let Ok((_, text)) = find(&keys, "EdDSA", Some("k")) {
            prop_assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
        }
    }
}
