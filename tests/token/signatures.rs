//! Whose token it is: algorithms, keys by name, forgeries (P2.1, P2.5, P2.7).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sessile::protocol::error::ErrorCode;
use sessile::protocol::limits::Limits;
use sessile::token::Keys;

use super::*;

#[test]
fn without_a_key_everything_is_refused() {
    let error = Keys::new()
        .verify(&sign(&claims()), NOW * 1000, &Limits::default())
        .unwrap_err();
    assert_eq!((error.code, error.status), (ErrorCode::NotConfigured, 503));
    assert!(
        Keys::new()
            .add_signing_key("")
            .unwrap_err()
            .contains("is empty")
    );
}

#[test]
fn every_algorithm_is_verified_and_only_as_the_keys_own() {
    let all = [
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
        "EdDSA",
    ];
    let mut keys = Keys::new();
    keys.add_set(&set(&all).to_string()).unwrap();
    for alg in all {
        let key = match &alg[..2] {
            "HS" => Signer::secret(SECRET),
            "RS" | "PS" => Signer::rsa(),
            "ES" => Signer::ec(),
            _ => Signer::ed(),
        };
        let kid = alg.to_lowercase();
        let token = sign_as(alg, Some(&kid), &key, &claims());
        let check = |token: &str| keys.verify(token, NOW * 1000, &Limits::default());
        assert_eq!(check(&token).unwrap().client, "alice", "{alg}");

        // One bit of the signature, and of what is signed.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[7] ^= 1;
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bytes));
        let sentence = format!("the token's signature is not by the key {kid:?}");
        assert_refused(check(&forged), &sentence);
        let other = part(&with("sub", json!("mallory")));
        let header = signed.split_once('.').unwrap().0;
        assert_refused(check(&format!("{header}.{other}.{signature}")), &sentence);
        for broken in ["", "AA", &URL_SAFE_NO_PAD.encode([0; 64]), &"A".repeat(342)] {
            assert_refused(check(&format!("{signed}.{broken}")), &sentence);
        }

        // The same key under the name of another algorithm.
        let other = if alg == "RS256" || alg == "HS256" {
            "EdDSA"
        } else {
            "RS256"
        };
        let header = part(&json!({ "alg": other, "kid": kid }));
        assert_refused(
            check(&format!("{header}.{}.{signature}", part(&claims()))),
            &format!("the token's alg is {other}, but the key {kid:?} is for {alg}"),
        );
    }
}

#[test]
fn tokens_by_another_implementation_are_taken() {
    let tokens: Value = serde_json::from_str(include_str!("tokens.json")).unwrap();
    let tokens = tokens.as_object().unwrap();
    let algorithms: Vec<&str> = tokens.keys().map(String::as_str).collect();
    assert_eq!(algorithms.len(), 11);
    let mut keys = Keys::new();
    keys.add_set(&set(&algorithms).to_string()).unwrap();
    for (alg, token) in tokens {
        let claims = keys.verify(token.as_str().unwrap(), NOW * 1000, &Limits::default());
        assert_eq!(claims.unwrap().client, "alice", "{alg}");
    }
}

#[test]
fn a_public_key_is_not_a_secret() {
    // The classic confusion: HMAC with the text of the public key, which everybody has.
    let fixture = fixture();
    let mut keys = signing_key();
    keys.add_set(&set(&["RS256"]).to_string()).unwrap();
    for public in [
        fixture["rsa"]["jwk"]["n"].as_str().unwrap().to_owned(),
        set(&["RS256"]).to_string(),
    ] {
        let key = Signer::secret(&public);
        assert_refused(
            keys.verify(
                &sign_as("HS256", Some("rs256"), &key, &claims()),
                NOW * 1000,
                &Limits::default(),
            ),
            "the token's alg is HS256, but the key \"rs256\" is for RS256",
        );
    }
}

#[test]
fn none_is_never_an_algorithm() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["", "AA"] {
            let token = format!(
                "{}.{}.{signature}",
                part(&json!({ "alg": alg })),
                part(&claims())
            );
            let error = verify_at(&token, NOW * 1000).unwrap_err();
            assert_eq!(error.code, ErrorCode::Unauthorized);
            let wrong =
                format!("the token's header cannot be read: unknown variant `{alg}`, expected");
            assert!(error.message.contains(&wrong), "{}", error.message);
        }
    }
}

#[test]
fn a_kid_names_its_key() {
    let mut keys = Keys::new();
    keys.add_set(&set(&["HS512"]).to_string()).unwrap();
    let key = Signer::secret(SECRET);
    let unknown = sign_as("HS256", Some("gone"), &key, &claims());
    let check = |token: &str| keys.verify(token, NOW * 1000, &Limits::default());
    assert_refused(
        check(&unknown),
        "the token's kid is \"gone\", and no key is named so",
    );
    assert_eq!(keys.missing_kid(&unknown).as_deref(), Some("gone"));
    let nameless = sign(&claims());
    assert_refused(
        check(&nameless),
        "the token has no kid, and no key is for tokens without one",
    );
    assert_eq!(keys.missing_kid(&nameless), None);
    assert_eq!(keys.missing_kid("nonsense"), None);
    assert_eq!(
        keys.missing_kid(&sign_as("HS512", Some("hs512"), &key, &claims())),
        None
    );
    // The signing key is for tokens without a kid only.
    assert_refused(
        verify_at(&unknown, NOW * 1000),
        "the token's kid is \"gone\", and no key is named so",
    );
}

#[test]
fn what_is_no_jwt_is_refused() {
    let malformed = "the token is not a JWT: three parts of base64url without padding, \
                     with dots between";
    let good = sign(&claims());
    for token in [
        "",
        ".",
        "nonsense",
        "a.b",
        "a.b.c.d.e",
        &format!("{good}.x"),
        &format!("x.{good}"),
        "!.e30.AA",
        &format!("{good}="),
        &good.replacen('.', "=.", 1),
    ] {
        assert_refused(verify_at(token, NOW * 1000), malformed);
    }
    let header = part(&json!({ "alg": "HS256" }));
    for (token, what) in [
        ("..".to_owned(), "the token's header cannot be read: EOF"),
        (
            format!("{}.e30.AA", part(&json!(["JWT", "HS256"]))),
            "header cannot be read: invalid type: sequence",
        ),
        (
            format!("{}.e30.AA", part(&json!({}))),
            "header cannot be read: missing field `alg`",
        ),
        (
            format!("{}.e30.AA", part(&json!({ "alg": 5 }))),
            "header cannot be read: expected value",
        ),
        (
            format!(
                "{}.e30.AA",
                part(&json!({ "alg": "HS256", "crit": ["b64"], "b64": false }))
            ),
            "the token's header says crit (b64), which is not supported",
        ),
        (
            format!("{header}.e30.AA"),
            "the token's signature is not by the signing key",
        ),
        (
            "a".repeat(9558),
            "the token takes 9558 bytes, the most is 9557",
        ),
    ] {
        let error = verify_at(&token, NOW * 1000).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthorized);
        assert!(error.message.contains(what), "{}", error.message);
    }
}

/// Whatever a header may hold besides is read before the signature is checked.
#[test]
fn a_hostile_header_is_refused() {
    let deep = |depth: usize| format!("{}0{}", "[".repeat(depth), "]".repeat(depth));
    let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQ" });
    for header in [
        format!(r#"{{"alg":"HS256","x":{}}}"#, deep(120)),
        format!(r#"{{"alg":"HS256","x":{}}}"#, deep(3000)),
        format!(
            r#"{{"alg":"HS256","jwk":{{"kty":"EC","x":{}}}}}"#,
            deep(120)
        ),
        format!(r#"{{"alg":"HS256","jwk":{ed},"jku":"https://mallory.example/"}}"#),
        r#"{"alg":"HS256","alg":"HS256"}"#.into(),
        r#"{"alg":"HS256","kid":5}"#.into(),
        r#"{"alg":"HS256","crit":[]}"#.into(),
        r#"{"alg":"HS256","x":1e999}"#.into(),
        r#"{"alg":"HS256","x":"\ud800"}"#.into(),
    ] {
        let header = URL_SAFE_NO_PAD.encode(header);
        let token = format!("{header}.{}.AAAA", part(&claims()));
        let error = verify_at(&token, NOW * 1000).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthorized);
    }
    // A key that a token brings along is not the key that it is checked with.
    let secret = URL_SAFE_NO_PAD.encode("mallory");
    let jwk = json!({ "kty": "oct", "k": secret, "alg": "HS256" });
    let header = part(&json!({ "alg": "HS256", "jwk": jwk }));
    let message = format!("{header}.{}", part(&claims()));
    let signature = Signer::secret("mallory").sign("HS256", &message);
    assert_refused(
        verify_at(&format!("{message}.{signature}"), NOW * 1000),
        "the token's signature is not by the signing key",
    );
}
