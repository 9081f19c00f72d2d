//! The shared state: its frames (P9.1, P9.2).

use serde::Serialize;

use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::limits::{Limits, STATE_DEPTH, STATE_NUMBER_MAX, STATE_OPS};
use super::query::{Parts, Query};
use super::serial::Serial;
use super::tree::{Node, check_key};

/// The keys from the root to a place in the tree.
pub type Path = Vec<String>;

/// One operation on the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Puts a value there.
    Set {
        /// Its place.
        path: Path,
        /// The value.
        value: Node,
    },
    /// Removes what is there, if anything is.
    Remove {
        /// Its place.
        path: Path,
    },
    /// Adds to the number there, or to 0.
    Increment {
        /// Its place.
        path: Path,
        /// The amount.
        by: f64,
    },
    /// Empties the tree.
    Reset,
}

/// `state` (P9.1).
#[derive(Debug)]
pub struct ChangeState {
    /// The operations, in order: all or none.
    pub ops: Vec<Op>,
    /// The version that the tree must have.
    pub if_version: Option<Serial>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// The tree on the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The tree, or a part of it.
    pub value: Data,
    /// The serial of its latest change.
    pub version: Serial,
}

/// The query of a read of the tree: the keys that lead to a part of it (P9.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part(pub Path);

impl Query for Part {
    const NAMES: &'static [&'static str] = &["path"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        let keys = parts.pairs.iter().filter(|(name, _)| name == "path");
        let path: Path = keys.map(|(_, key)| key.clone()).collect();
        check_path(&path).map_err(|reason| refused("read the state", "path", &reason))?;
        Ok(Self(path))
    }
}

impl FromFields for ChangeState {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let ops = ops(fields)?;
        check_count(fields, &ops)?;
        Ok(Self {
            ops,
            if_version: fields.get("ifVersion")?,
            id: fields.name("id", limits)?,
        })
    }
}

/// Reads the operations of a change back from a row; `None` if they are none.
pub fn ops_of_row(ops: &str) -> Option<Vec<Op>> {
    self::ops(&Fields::read("read", &format!("{{\"ops\":{ops}}}")).ok()?).ok()
}

/// Refuses a change without operations, or with too many.
fn check_count(fields: &Fields<'_>, ops: &[Op]) -> Result<(), ErrorInfo> {
    if (1..=STATE_OPS).contains(&ops.len()) {
        return Ok(());
    }
    let count = ops.len();
    let reason = format!("it has {count} operations, it takes 1 to {STATE_OPS}");
    Err(refused(fields.verb(), &fields.at("ops"), &reason))
}

fn ops(fields: &Fields<'_>) -> Result<Vec<Op>, ErrorInfo> {
    fields.list("ops")?.iter().map(op).collect()
}

fn op(fields: &Fields<'_>) -> Result<Op, ErrorInfo> {
    let path = || {
        let path: Path = fields.need("path")?;
        match check_path(&path) {
            Ok(()) => Ok(path),
            Err(reason) => Err(refused(fields.verb(), &fields.at("path"), &reason)),
        }
    };
    match &*fields.word("op")? {
        "set" => set(fields, path()?),
        "remove" => Ok(Op::Remove { path: path()? }),
        "increment" => increment(fields, path()?),
        "reset" => Ok(Op::Reset),
        _ => {
            let reason = "it is not one of set, remove, increment, reset";
            Err(refused(fields.verb(), &fields.at("op"), reason))
        }
    }
}

fn set(fields: &Fields<'_>, path: Path) -> Result<Op, ErrorInfo> {
    let refused = |reason: &str| refused(fields.verb(), &fields.at("value"), reason);
    let data: Data = fields.need("value")?;
    let levels = match &data {
        Data::Json(raw) => depth(raw.get()),
        Data::Text(_) => 0,
    };
    if STATE_DEPTH < path.len() + levels {
        return Err(refused(&format!(
            "the tree has at most {STATE_DEPTH} levels"
        )));
    }
    let value = Node::read(data).map_err(|reason| refused(&reason))?;
    match (path.is_empty(), &value) {
        (true, Node::Leaf(_)) => Err(refused("the root is an object")),
        _ => Ok(Op::Set { path, value }),
    }
}

fn increment(fields: &Fields<'_>, path: Path) -> Result<Op, ErrorInfo> {
    let by: f64 = fields.need("by")?;
    match by.abs() <= STATE_NUMBER_MAX {
        true => Ok(Op::Increment { path, by }),
        false => {
            let reason = "it is not a number within ±2^53";
            Err(refused(fields.verb(), &fields.at("by"), reason))
        }
    }
}

fn check_path(path: &[String]) -> Result<(), String> {
    if STATE_DEPTH < path.len() {
        return Err(format!("the tree has at most {STATE_DEPTH} levels"));
    }
    path.iter().try_for_each(|key| check_key(key))
}

/// The levels of objects and lists in valid JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn refused(verb: &str, place: &str, reason: &str) -> ErrorInfo {
    let message = format!("unable to {verb}; {place}: {reason}");
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}
