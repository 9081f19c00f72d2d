//! Reading a schema: every keyword has a value of its kind, every reference leads somewhere.

use serde_json::{Map, Value, json};

use super::bounds::{NAME_LENGTH, PATTERN_TEXT_MAX, SCHEMA_BYTES, SCHEMA_DEPTH, UNIQUE_ITEMS};
use super::breach::Breach;
use super::keywords::{Kind, TYPES, kind};
use super::pattern;
use crate::ordered::{self, Set};
use crate::protocol::json_error;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema as judges get it.
pub(super) fn read(text: &str) -> Result<String, Breach> {
    if text.len() > SCHEMA_BYTES {
        return Err(breach(
            "",
            format!("it is longer than {SCHEMA_BYTES} bytes"),
        ));
    }
    let value = serde_json::from_str(text);
    let mut value: Value = value.map_err(|error| breach("", json_error::of_text(&error)))?;
    if let Value::Object(root) = &mut value {
        if root
            .get("$schema")
            .is_some_and(|it| it.as_str() != Some(DRAFT))
        {
            return Err(breach("/$schema", format!("only {DRAFT} is understood")));
        }
        root.remove("$schema");
        root.remove("$id");
    }
    let mut reader = Reader::default();
    let value = reader.schema("", value, 0)?;
    reader.follow()?;
    Ok(value.to_string())
}

fn breach(path: &str, reason: impl Into<String>) -> Breach {
    Breach {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

#[derive(Default)]
struct Reader {
    /// Every schema by its pointer, with those that it applies to the same part of a value.
    here: ordered::Map<String, Vec<String>>,
    /// References: where they stand, and where they lead.
    references: Vec<(String, String)>,
}

impl Reader {
    fn schema(&mut self, at: &str, value: Value, depth: usize) -> Result<Value, Breach> {
        if depth > SCHEMA_DEPTH {
            let deep = format!("more than {SCHEMA_DEPTH} schemas are within each other");
            return Err(breach(at, deep));
        }
        self.here.insert(at.to_owned(), Vec::new());
        let map = match value {
            Value::Bool(all) => return Ok(Value::Bool(all)),
            Value::Object(map) => map,
            _ => return Err(breach(at, "it is no schema: an object, true or false")),
        };
        let mut kept = Map::new();
        for (keyword, value) in map {
            let path = format!("{at}/{}", escape(&keyword));
            let kind = kind(&keyword);
            let value = match kind {
                Kind::Annotation => continue,
                Kind::Here | Kind::Within => {
                    self.inner(at, &path, kind == Kind::Here, value, depth)?
                }
                Kind::ListHere | Kind::ListWithin => {
                    self.list(at, &path, kind == Kind::ListHere, value, depth)?
                }
                Kind::MapHere | Kind::MapWithin | Kind::Definitions | Kind::PatternsWithin => {
                    let map = self.map(at, &path, kind == Kind::MapHere, value, depth)?;
                    if kind == Kind::PatternsWithin {
                        let mut names = map.keys();
                        names.try_for_each(|pattern| check_names(&path, pattern))?;
                    }
                    Value::Object(map)
                }
                Kind::Reference => {
                    let target = target(&path, &value)?;
                    self.here.or_default(at.to_owned()).push(target.clone());
                    self.references.push((path, target));
                    value
                }
                _ => plain(&path, kind, value)?,
            };
            kept.insert(keyword, value);
        }
        bound(at, &mut kept)?;
        Ok(Value::Object(kept))
    }

    fn inner(
        &mut self,
        at: &str,
        path: &str,
        is_here: bool,
        value: Value,
        depth: usize,
    ) -> Result<Value, Breach> {
        if is_here {
            self.here.or_default(at.to_owned()).push(path.to_owned());
        }
        self.schema(path, value, depth + 1)
    }

    fn list(
        &mut self,
        at: &str,
        path: &str,
        is_here: bool,
        value: Value,
        depth: usize,
    ) -> Result<Value, Breach> {
        let Value::Array(list) = value else {
            return Err(breach(path, "it is no list of schemas"));
        };
        if list.is_empty() {
            return Err(breach(path, "it is an empty list"));
        }
        let numbered = list.into_iter().enumerate();
        let read = numbered.map(|(index, value)| {
            self.inner(at, &format!("{path}/{index}"), is_here, value, depth)
        });
        read.collect::<Result<_, _>>().map(Value::Array)
    }

    fn map(
        &mut self,
        at: &str,
        path: &str,
        is_here: bool,
        value: Value,
        depth: usize,
    ) -> Result<Map<String, Value>, Breach> {
        let Value::Object(map) = value else {
            return Err(breach(path, "it is no object of schemas"));
        };
        let read = map.into_iter().map(|(name, value)| {
            let inner = format!("{path}/{}", escape(&name));
            Ok((name, self.inner(at, &inner, is_here, value, depth)?))
        });
        read.collect()
    }

    /// Every reference leads to a schema, and none back to itself without going deeper into
    /// the value: that would never end.
    fn follow(&self) -> Result<(), Breach> {
        for (path, target) in &self.references {
            if !self.here.contains_key(target) {
                return Err(breach(path, format!("no schema is at #{target}")));
            }
        }
        let mut done: Set<&str> = Set::new();
        for start in self.here.keys() {
            let mut way: Vec<(&str, usize)> = vec![(start.as_str(), 0)];
            let mut on_way: Set<&str> = Set::new();
            on_way.insert(start);
            while let Some((at, next)) = way.pop() {
                let inner = self.here.get(at).and_then(|all| all.get(next));
                let Some(inner) = inner.filter(|_| !done.contains(&at)) else {
                    on_way.remove(&at);
                    done.insert(at);
                    continue;
                };
                way.push((at, next + 1));
                if !on_way.insert(inner) {
                    return Err(breach(at, "its references lead back to itself in a circle"));
                }
                way.push((inner, 0));
            }
        }
        Ok(())
    }
}

/// Where a reference leads, as a pointer.
fn target(path: &str, value: &Value) -> Result<String, Breach> {
    let local = value.as_str().and_then(|text| text.strip_prefix('#'));
    let local = local.filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
    let local = local.filter(|pointer| !pointer.contains('%'));
    local.map(str::to_owned).ok_or_else(|| {
        breach(
            path,
            "only references within the schema are followed: # and #/…, without %",
        )
    })
}

/// A value that holds no schema.
fn plain(path: &str, kind: Kind, value: Value) -> Result<Value, Breach> {
    let is_texts = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    let is_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let (is_right, expected) = match kind {
        Kind::Pattern => (value.is_string(), "it is not text"),
        Kind::Types => {
            let list = value.as_array();
            let is_list = list.is_some_and(|list| !list.is_empty() && list.iter().all(is_type));
            (is_list || is_type(&value), "it is no type of JSON Schema")
        }
        Kind::Texts => (is_texts(&value), "it is no list of texts"),
        Kind::TextLists => {
            let map = value.as_object();
            let is_right = map.is_some_and(|map| map.values().all(is_texts));
            (is_right, "it is no object of lists of texts")
        }
        Kind::Values => (value.is_array(), "it is no list"),
        Kind::Number => (value.is_number(), "it is no number"),
        Kind::Positive => {
            let is_right = value.as_f64().is_some_and(|it| it > 0.0);
            (is_right, "it is no number above 0")
        }
        Kind::Count => {
            let is_right = value
                .as_f64()
                .is_some_and(|it| it >= 0.0 && it.fract() == 0.0);
            (is_right, "it is no whole number from 0")
        }
        Kind::Flag => (value.is_boolean(), "it is neither true nor false"),
        Kind::Refused => (false, "this keyword is refused here"),
        _ => (true, ""),
    };
    if is_right {
        Ok(value)
    } else {
        Err(breach(path, expected))
    }
}

/// Lets a slow word apply only where it is quick: a pattern that tries many ways to texts of a
/// bounded length, `uniqueItems` to short lists. All that is longer breaks the schema. The
/// `$comment` tells the judge that the word is slow.
fn bound(at: &str, kept: &mut Map<String, Value>) -> Result<(), Breach> {
    if let Some(pattern) = kept.get("pattern").and_then(Value::as_str) {
        let most = text_max(&format!("{at}/pattern"), pattern)?;
        if most < PATTERN_TEXT_MAX {
            guard(kept, "pattern", "string", "maxLength", most);
        }
    }
    if kept.get("uniqueItems") == Some(&Value::Bool(true)) {
        guard(kept, "uniqueItems", "array", "maxItems", UNIQUE_ITEMS);
    }
    Ok(())
}

fn guard(kept: &mut Map<String, Value>, slow: &str, r#type: &str, bound: &str, most: usize) {
    let Some(value) = kept.remove(slow) else {
        return;
    };
    let guarded = json!({
        "if": { "type": r#type, bound: most },
        "then": { slow: value, "$comment": "slow" },
    });
    let all = kept.entry("allOf").or_insert_with(|| json!([]));
    if let Value::Array(all) = all {
        all.push(guarded);
        all.push(json!({ bound: most }));
    }
}

/// The names of an object are matched with every pattern there, up to their bound.
fn check_names(path: &str, pattern: &str) -> Result<(), Breach> {
    let path = format!("{path}/{}", escape(pattern));
    if text_max(&path, pattern)? < NAME_LENGTH {
        let slow = format!("it takes too long to match with names of {NAME_LENGTH} characters");
        return Err(breach(&path, slow));
    }
    Ok(())
}

fn text_max(path: &str, pattern: &str) -> Result<usize, Breach> {
    pattern::text_max(pattern).map_err(|reason| breach(path, reason))
}

/// A name as part of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
