//! Bounds of schemas and of judging by them.

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
