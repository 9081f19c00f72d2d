//! JSON Schema 2020-12 as agents and administrators may set it (P8.1, P9.4): bounds, what is
//! refused by name, and the form in which a judge gets it.
//!
//! Nothing here judges a value: a [`Judge`] does, which the platform brings. Everything that could
//! make it slow or fail is refused or bounded here, when the schema is set.

mod bounds;
mod breach;
mod keywords;
mod pattern;
mod read;

pub use bounds::{
    BREACHES, CHECK_STEPS, NAME_LENGTH, PATTERN_LENGTH, PATTERN_STEPS, PATTERN_TEXT_MAX,
    PATTERN_TEXT_MIN, REASON_LENGTH, SCHEMA_BYTES, SCHEMA_DEPTH, UNIQUE_ITEMS,
};
pub use breach::Breach;

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
