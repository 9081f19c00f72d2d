//! A tree of JSON objects, whose leaves are kept as they came (P9.1).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::data::{Data, json_bytes};
use super::fields::entries;
use super::limits::STATE_KEY_LENGTH;

/// Keys that mean something else in JavaScript than a key.
const FORBIDDEN: [&str; 3] = ["__proto__", "prototype", "constructor"];

/// The entries of an object.
pub type Map = BTreeMap<String, Node>;

/// A value of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// An object, whose entries are nodes.
    Object(Map),
    /// Anything else: text, a number, a list with all that it holds.
    Leaf(Data),
}

impl Default for Node {
    fn default() -> Self {
        Self::Object(Map::new())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(map) => map.serialize(serializer),
            Self::Leaf(data) => data.serialize(serializer),
        }
    }
}

impl Node {
    /// Reads a value.
    ///
    /// # Errors
    /// A key that no path could name, as the end of a sentence.
    pub fn read(data: Data) -> Result<Self, String> {
        match &data {
            Data::Json(raw) if raw.get().starts_with('{') => object(raw.get()).map(Self::Object),
            Data::Json(_) | Data::Text(_) => Ok(Self::Leaf(data)),
        }
    }

    /// Reads a tree back from a row; `None` if it is no object.
    pub fn from_row(text: String) -> Option<Map> {
        match Self::read(Data::from_json(text)?) {
            Ok(Self::Object(map)) => Some(map),
            Ok(Self::Leaf(_)) | Err(_) => None,
        }
    }

    /// Its size in UTF-8 bytes as JSON. Visits every node below.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Object(map) => {
                let entries = map
                    .iter()
                    .map(|(key, node)| entry_bytes(key) + node.bytes());
                1 + map.len().max(1) + entries.sum::<usize>()
            }
            Self::Leaf(Data::Text(text)) => 2 + json_bytes(text),
            Self::Leaf(data) => data.bytes(),
        }
    }

    /// The node at a path below it.
    pub fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| match node {
            Self::Object(map) => map.get(key),
            Self::Leaf(_) => None,
        })
    }

    /// Its number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Leaf(Data::Json(raw)) => serde_json::from_str(raw.get()).ok(),
            Self::Leaf(Data::Text(_)) | Self::Object(_) => None,
        }
    }
}

/// The bytes that an entry takes beside its value and its comma.
pub fn entry_bytes(key: &str) -> usize {
    json_bytes(key) + 3
}

fn object(text: &str) -> Result<Map, String> {
    let mut map = Map::new();
    for (key, raw) in entries(text).unwrap_or_default() {
        check_key(&key)?;
        let text = raw.get();
        let node = match text.as_bytes().first() {
            Some(b'{') => Node::Object(object(text)?),
            Some(b'"') => Node::Leaf(Data::Text(serde_json::from_str(text).unwrap_or_default())),
            _ => Node::Leaf(Data::Json(raw.to_owned())),
        };
        map.insert(key.into_owned(), node);
    }
    Ok(map)
}

/// Refuses what is no key of the tree.
///
/// # Errors
/// Why, as the end of a sentence.
pub fn check_key(key: &str) -> Result<(), String> {
    if FORBIDDEN.contains(&key) {
        return Err(format!("{key} is no key"));
    }
    match key.is_empty() || STATE_KEY_LENGTH < key.chars().count() {
        true => Err(format!("a key is not 1 to {STATE_KEY_LENGTH} characters")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn p9_1_the_size_of_a_node_is_that_of_its_json() {
        for json in [
            "{}",
            r#"{"a":{}}"#,
            r#"{"a":1.50,"b":[1, 2],"c":"é\n\"","d\"":null,"a":{"x":true,"y":{"z":"\u0001"}}}"#,
        ] {
            let node = Node::read(serde_json::from_str(json).unwrap()).unwrap();
            let text = serde_json::to_string(&node).unwrap();
            assert_eq!(node.bytes(), text.len(), "{text}");
            let again = Node::read(serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(again, node, "numbers stay as they came");
        }
    }

    #[test]
    fn p9_1_no_key_of_a_value_is_beyond_a_path() {
        let long = "k".repeat(STATE_KEY_LENGTH + 1);
        for key in ["", "__proto__", "prototype", "constructor", &long] {
            let data = serde_json::json!({ "a": { key: 1 } }).to_string();
            assert!(Node::read(Data::from_json(data).unwrap()).is_err(), "{key}");
        }
    }
}
