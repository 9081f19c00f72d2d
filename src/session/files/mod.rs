//! Files (P11.7): a row for each, whose bytes the Worker brings into a bucket and out of it.
//!
//! A row is there before the first byte, and what it stands for is owed to the bucket's end: a file
//! that goes, in whatever way, leaves a delivery behind that deletes its object.

mod clock;
pub(super) mod find;
pub(super) mod forget;
pub(super) mod memory;
pub(super) mod part;
pub(super) mod upload;
