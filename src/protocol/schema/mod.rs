//! JSON Schema 2020-12 as agents and administrators may set it (P8.1, P9.4): bounds, what is
//! refused by name, and the form in which a judge gets it.
//!
//! Nothing here judges a value: a [`Judge`] does, which the platform brings. Everything that could
//! make it slow or fail is refused or bounded here, when the schema is set.

mod keywords;
mod pattern;
mod read;

use serde::{Deserialize, Serialize};

/// UTF-8 bytes of a schema: it is read with each answer, and is part of every frame of an
/// approval.
pub const SCHEMA_BYTES: usize = 16 * 1024;
/// Schemas within each other: a judge goes down by recursion.
pub const SCHEMA_DEPTH: usize = 32;
/// Characters of a `pattern`: the longest that usual libraries write has 380.
pub const PATTERN_LENGTH: usize = 512;
/// Steps of matching a pattern with one text, at most: some milliseconds. It bounds the
/// length of texts that a pattern is matched with.
pub const PATTERN_STEPS: u128 = 1 << 20;
/// Characters that a pattern must at least be matched with within its steps, or it is refused.
pub const PATTERN_TEXT_MIN: usize = 32;
/// Characters from which on a pattern counts as quick, with texts of any length.
pub const PATTERN_TEXT_MAX: usize = 64 * 1024;
/// Characters of a name in a value that is matched with `patternProperties`.
pub const NAME_LENGTH: usize = 256;
/// Items of a list whose items must be unique: each is compared with each.
pub const UNIQUE_ITEMS: usize = 256;
/// Breaches that are told of one value (P8.2).
pub const BREACHES: usize = 10;
/// Characters of the reason of a breach: it quotes the schema.
pub const REASON_LENGTH: usize = 200;
/// Steps of one check: a schema applied to a part of a value is one, an entry of the schema
/// another. All together take some hundred milliseconds.
pub const CHECK_STEPS: u32 = 1_000_000;

/// One place that is not as it should be: in a value that breaks a schema, or in a schema that
/// may not be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Where, as a JSON pointer; empty for the whole.
    pub path: String,
    /// Why, as a clause: `it is text, not a number`.
    pub reason: String,
}

impl Breach {
    /// One of the whole.
    pub fn of_all(reason: &str) -> Self {
        Self {
            path: String::new(),
            reason: reason.to_owned(),
        }
    }
}

/// A schema that was found fit to judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(String);

impl Schema {
    /// Reads a schema, once, when it is set or read back from a row.
    ///
    /// # Errors
    /// The first place that is no JSON Schema 2020-12, exceeds a bound, or holds something that
    /// is refused: references to anything but `#` and `#/…`, references that lead in a circle,
    /// `$anchor`, `$dynamicRef`, `$dynamicAnchor`, `$vocabulary`, `$id` below the root, another
    /// `$schema`, a pattern that could take too long.
    pub fn read(text: &str) -> Result<Self, Breach> {
        read::read(text).map(Self)
    }

    /// The schema as judges get it: JSON without words that only annotate, so that `format`
    /// asserts nothing, and with the bounds of slow patterns and of unique items as `maxLength`
    /// and `maxItems`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Judges values by schemas. It is synchronous, and the same value and schema give the same
/// verdict: the session asks it inside of one input (`docs/decisions/0012`).
pub trait Judge: std::fmt::Debug {
    /// Whether a schema can be judged by, to be asked once when it is set: [`Schema::read`] does
    /// not know all of the grammar of patterns.
    ///
    /// # Errors
    /// The first place that no value could be judged by.
    fn admit(&self, schema: &Schema) -> Result<(), Breach>;

    /// Everything in a value, as JSON, that breaks a schema: at most [`BREACHES`], and none if
    /// the value fits. A value that takes more than [`CHECK_STEPS`] breaks it as a whole.
    fn check(&self, schema: &Schema, value: &str) -> Vec<Breach>;
}

/// The judge of a machine that has none: it admits no schema.
#[derive(Clone, Copy, Debug)]
pub struct Unjudged;

impl Judge for Unjudged {
    fn admit(&self, _schema: &Schema) -> Result<(), Breach> {
        Err(Breach::of_all("nothing here can check it"))
    }

    fn check(&self, _schema: &Schema, _value: &str) -> Vec<Breach> {
        vec![Breach::of_all("nothing here can check it")]
    }
}

#[cfg(test)]
mod tests;
