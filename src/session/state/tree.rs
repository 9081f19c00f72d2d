//! The tree, and operations on it: all of a change or none (P9.1).

use serde::Serialize;

use crate::protocol::data::Data;
use crate::protocol::limits::STATE_NUMBER_MAX;
use crate::protocol::state::{Op, Path};
use crate::protocol::tree::{Map, Node, entry_bytes};

/// The tree, with its size kept along.
#[derive(Debug)]
pub(super) struct Tree {
    root: Node,
    bytes: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new(Map::new())
    }
}

/// The way back from a change.
pub(super) struct Undo {
    steps: Vec<(Path, Option<Node>)>,
    bytes: usize,
}

/// The result of an operation, as everybody gets it (P9.2).
#[derive(Serialize)]
struct Happened<'a> {
    op: &'static str,
    path: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Node>,
}

impl Tree {
    pub(super) fn new(root: Map) -> Self {
        let root = Node::Object(root);
        let bytes = root.bytes();
        Self { root, bytes }
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// UTF-8 bytes of it as JSON.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Applies operations, and returns their results as a list in JSON. If one is not possible
    /// nothing changes, and its index and the reason are returned. Costs as much as the
    /// operations and what they replace, whatever the size of the rest.
    pub(super) fn apply(&mut self, ops: Vec<Op>) -> Result<(String, Undo), (usize, String)> {
        let mut undo = Undo {
            steps: Vec::with_capacity(ops.len()),
            bytes: self.bytes,
        };
        let mut results = String::from("[");
        for (index, op) in ops.into_iter().enumerate() {
            match self.apply_one(op, &mut results) {
                Ok(step) => undo.steps.extend(step),
                Err(reason) => {
                    self.undo(undo);
                    return Err((index, reason));
                }
            }
        }
        results.push(']');
        Ok((results, undo))
    }

    /// Takes a change back.
    pub(super) fn undo(&mut self, undo: Undo) {
        for (path, node) in undo.steps.into_iter().rev() {
            // It was there, so it can be put back.
            let _ = self.put(&path, node);
        }
        self.bytes = undo.bytes;
    }

    fn apply_one(
        &mut self,
        op: Op,
        results: &mut String,
    ) -> Result<Option<(Path, Option<Node>)>, String> {
        let (path, value) = match op {
            Op::Set { path, value } => (path, Some(value)),
            Op::Reset => (Path::new(), Some(Node::default())),
            Op::Remove { path } if path.is_empty() => {
                return Err("the root cannot be removed, reset empties it".to_owned());
            }
            Op::Remove { path } => (path, None),
            Op::Increment { path, by } => {
                let sum = self.sum(&path, by)?;
                (path, Some(sum))
            }
        };
        let happened = Happened {
            op: value.as_ref().map_or("remove", |_| "set"),
            path: &path,
            value: value.as_ref(),
        };
        let happened = serde_json::to_string(&happened).unwrap_or_default();
        let step = self.put(&path, value)?;
        // Nobody is told of a removal of nothing.
        if step.is_some() {
            if 1 < results.len() {
                results.push(',');
            }
            results.push_str(&happened);
        }
        Ok(step)
    }

    /// The number at a path after an increment.
    fn sum(&self, path: &[String], by: f64) -> Result<Node, String> {
        let number = match self.root.at(path) {
            None => 0.0,
            Some(node) => node
                .number()
                .ok_or_else(|| format!("{} is not a number", shown(path)))?,
        };
        let sum = number + by;
        let text = match sum.abs() <= STATE_NUMBER_MAX {
            true if sum.fract() == 0.0 => format!("{}", sum as i64),
            true => serde_json::to_string(&sum).unwrap_or_default(),
            false => return Err(format!("{} would not be within ±2^53", shown(path))),
        };
        Data::from_json(text)
            .map(Node::Leaf)
            .ok_or_else(|| format!("{} would be no number", shown(path)))
    }

    /// Puts a value at a path, with the objects that lead there, or removes what is there.
    /// Returns how to take that back; nothing, if nothing changed.
    fn put(
        &mut self,
        path: &[String],
        value: Option<Node>,
    ) -> Result<Option<(Path, Option<Node>)>, String> {
        let Some((last, parents)) = path.split_last() else {
            let root = value.unwrap_or_default();
            self.bytes = root.bytes();
            let old = std::mem::replace(&mut self.root, root);
            return Ok(Some((Path::new(), Some(old))));
        };
        let mut node = &mut self.root;
        for (level, key) in parents.iter().enumerate() {
            let map = object(node, || shown(path.get(..level).unwrap_or_default()))?;
            if !map.contains_key(key) {
                let Some(value) = value else { return Ok(None) };
                let below = path.get(level + 1..).unwrap_or_default();
                let added = add(map, key, wrap(value, below));
                self.bytes += added;
                let made = path.get(..=level).unwrap_or_default().to_vec();
                return Ok(Some((made, None)));
            }
            let Some(next) = map.get_mut(key) else {
                return Ok(None);
            };
            node = next;
        }
        let map = object(node, || shown(parents))?;
        let old = match value {
            Some(value) => match map.get_mut(last) {
                Some(there) => {
                    self.bytes += value.bytes();
                    let old = std::mem::replace(there, value);
                    self.bytes = self.bytes.saturating_sub(old.bytes());
                    Some(old)
                }
                None => {
                    self.bytes += add(map, last, value);
                    None
                }
            },
            None => {
                let Some(old) = map.remove(last) else {
                    return Ok(None);
                };
                let comma = usize::from(!map.is_empty());
                let gone = entry_bytes(last) + old.bytes() + comma;
                self.bytes = self.bytes.saturating_sub(gone);
                Some(old)
            }
        };
        Ok(Some((path.to_vec(), old)))
    }
}

/// Adds an entry that is not there; returns the bytes that it adds.
fn add(map: &mut Map, key: &str, node: Node) -> usize {
    let comma = usize::from(!map.is_empty());
    let bytes = entry_bytes(key) + node.bytes() + comma;
    map.insert(key.to_owned(), node);
    bytes
}

/// A value below objects of their own.
fn wrap(value: Node, path: &[String]) -> Node {
    path.iter().rev().fold(value, |node, key| {
        Node::Object(Map::from([(key.clone(), node)]))
    })
}

fn object(node: &mut Node, place: impl Fn() -> String) -> Result<&mut Map, String> {
    match node {
        Node::Object(map) => Ok(map),
        Node::Leaf(_) => Err(format!("{} is not an object", place())),
    }
}

/// A path in a sentence.
fn shown(path: &[String]) -> String {
    let path: String = path.iter().flat_map(|key| ["/", key]).collect();
    let short: String = path.chars().take(100).collect();
    format!("{short:?}")
}
