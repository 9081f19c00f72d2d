//! The sums in memory, read from their row when they are first needed.

use std::cell::OnceCell;

use crate::protocol::usage::Usage;
use crate::store::{Store, StoreError};

/// The session's sums, if they were needed.
#[derive(Debug, Default)]
pub(crate) struct Sums(OnceCell<Usage>);

impl Sums {
    pub(crate) fn known(&self, store: &Store) -> Result<&Usage, StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let sums = store.usage()?;
        Ok(self.0.get_or_init(|| sums))
    }

    pub(super) fn known_mut(&mut self, store: &Store) -> Result<&mut Usage, StoreError> {
        self.known(store)?;
        let lost = || StoreError("the usage that was read is not there".to_owned());
        self.0.get_mut().ok_or_else(lost)
    }
}
