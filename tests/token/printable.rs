//! Names that show what they are (P2.1), and whose tokens are taken (P2.7).

use serde_json::json;

use super::*;

fn is_taken(text: &str) -> bool {
    let answers = ["sub", "name"].map(|claim| read(&with(claim, json!(text))).is_ok());
    assert_eq!(answers[0], answers[1], "{text:?} in sub and in name");
    answers[0]
}

/// P2.1: names of scripts that need joiners, and emoji that are made of several, are names.
#[test]
fn names_of_all_scripts_are_taken() {
    for name in [
        "Zoë O’Neill-Łuczak",
        "علی‌رضا", // Persian, with a joiner that keeps apart
        "می‌خواهم",
        "क्‍ष",           // Devanagari, with one that joins
        "മോഹന്‍",         // Malayalam, with one at the end
        "র‍্যাব",          // Bengali
        "ශ්‍රී",           // Sinhala
        "葛󠄀城",         // Japanese, with a form selected
        "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠋", // Mongolian, with a form selected
        "👩🏽‍🚀 Ada",
        "❤️ 1️⃣ 🏳️‍🌈",
        "שלום",
        "Ann 2",
    ] {
        assert!(is_taken(name), "{name:?}");
    }
}

/// P2.1: what looks like another name is none: nothing in it hides or turns it around.
#[test]
fn what_does_not_show_is_no_part_of_a_name() {
    let base = ["ann", "анна", "日本", "אנה"];
    let hidden = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200c}\u{200d}\
                  \u{200e}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2064}\u{2066}\u{2069}\
                  \u{2800}\u{3164}\u{fe0f}\u{fe00}\u{180b}\u{feff}\u{ffa0}\u{fff9}\
                  \u{1d173}\u{e0041}\u{7f}\u{85}\n";
    for name in base {
        for hidden in hidden.chars() {
            let is_form = "日本".contains(name) && hidden == '\u{fe00}';
            for text in [
                format!("{name}{hidden}"),
                format!("{hidden}{name}"),
                name.chars().flat_map(|it| [it, hidden]).collect(),
            ] {
                let starts = text.starts_with(hidden);
                assert_eq!(is_taken(&text), is_form && !starts, "{text:?}");
            }
        }
    }
    // Joiners join once, and something.
    for text in [
        "می‌‌خواهم",
        "علی‌",
        "राम\u{200d}",
        "👩‍",
        "\u{200d}",
        " ",
        "\u{3000}",
    ] {
        assert!(!is_taken(text), "{text:?}");
    }
}

/// P2.7: where the deployment says whose tokens it takes and made for whom, others are refused.
#[test]
fn issuer_and_audience_are_checked_where_they_are_set() {
    let check = |issuer: Option<&str>, audience: Option<&str>, claims: &Value| {
        let expected = Expected {
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
        };
        expected.check(&claims.to_string())
    };
    let mut all = claims();
    assert!(check(None, None, &all).is_ok());
    let issuer = "the token's iss is not an issuer of this deployment";
    let audience = "the token's aud does not name this deployment";
    assert_refused(check(Some("us"), None, &all), issuer);
    assert_refused(check(None, Some("it"), &all), audience);
    all["iss"] = json!("us");
    for (aud, is_good) in [
        (json!("it"), true),
        (json!(["other", "it"]), true),
        (json!("other"), false),
        (json!([]), false),
        (json!(["it", 1]), false),
        (json!({}), false),
    ] {
        all["aud"] = aud;
        assert_eq!(
            check(Some("us"), Some("it"), &all).is_ok(),
            is_good,
            "{all}"
        );
        assert!(check(Some("us"), None, &all).is_ok());
        assert_refused(check(Some("them"), None, &all), issuer);
    }
}
