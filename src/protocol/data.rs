//! The data of a message: text or any JSON (P4.1).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

/// A message's data.
#[derive(Clone, Debug)]
pub enum Data {
    /// Text; the only data that takes appends (P5.1).
    Text(String),
    /// Any other JSON, kept as sent except for white space between tokens.
    Json(Box<RawValue>),
}

impl Data {
    /// Its size in UTF-8 bytes, as `dataBytes` counts it (P14).
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Json(raw) => raw.get().len(),
        }
    }

    /// Reads JSON other than a string from a row.
    pub fn from_json(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self::Json)
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Json(left), Self::Json(right)) => left.get() == right.get(),
            (Self::Text(_), Self::Json(_)) | (Self::Json(_), Self::Text(_)) => false,
        }
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Json(raw) => raw.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            let text = serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
            return Ok(Self::Text(text));
        }
        // A full parse finds what raw JSON may hide: lone surrogates, numbers out of range.
        serde_json::from_str::<serde_json::Value>(raw.get()).map_err(de::Error::custom)?;
        if !raw.get().contains([' ', '\n', '\r', '\t']) {
            return Ok(Self::Json(raw));
        }
        let compact = RawValue::from_string(without_white_space(raw.get()));
        compact.map(Self::Json).map_err(de::Error::custom)
    }
}

/// Removes white space between tokens: a line break would end a line of NDJSON or of an
/// event stream.
fn without_white_space(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if matches!(character, ' ' | '\n' | '\r' | '\t') {
            continue;
        } else {
            in_string = character == '"';
        }
        compact.push(character);
    }
    compact
}

/// The length of a text in UTF-16 code units, as JavaScript counts (P3.10).
pub fn units(text: &str) -> u64 {
    let count = if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    };
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The rest of a text from an offset in UTF-16 code units. An offset inside a surrogate pair,
/// which the session never sends, counts as after the pair.
pub fn from_unit(text: &str, offset: u64) -> &str {
    let mut passed = 0;
    for (index, character) in text.char_indices() {
        if offset <= passed {
            return text.get(index..).unwrap_or_default();
        }
        passed += u64::try_from(character.len_utf16()).unwrap_or(1);
    }
    ""
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_is_removed_except_in_strings() {
        let data: Data = serde_json::from_str("{ \"a b\\\"  c\" : [ 1,\n 2 ] }").unwrap();
        assert_eq!(
            serde_json::to_string(&data).unwrap(),
            r#"{"a b\"  c":[1,2]}"#
        );
    }

    #[test]
    fn lone_surrogates_are_refused_everywhere() {
        for text in [r#""\ud83d""#, r#"{"a":"\ud83d"}"#, r#"{"\udc00":1}"#] {
            assert!(serde_json::from_str::<Data>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_rest_of_a_text_begins_at_its_offset(text: String, at in 0usize..20) {
            let cut = text.char_indices().nth(at).map_or(text.len(), |(index, _)| index);
            let (head, tail) = text.split_at(cut);
            prop_assert_eq!(from_unit(&text, units(head)), tail);
        }
    }
}
