//! Bytes of what was deleted here are overwritten a while later, in steps (P11.10).

use super::Inbox;
use crate::protocol::erasure::{SCRUB_MS, SCRUB_MS_EACH};
use crate::protocol::ids::{Timestamp, after};
use crate::store::{InboxStore, InboxWrite, StoreError};

/// The steps; those that are not named here write zeroes, as the last does.
const FORGET: u64 = 0;
const COPY: u64 = 2;
const LAST: u64 = 4;

impl Inbox {
    /// Something was deleted. The more there is to copy, the rarer that is done.
    pub(super) fn soil(&mut self, store: &InboxStore, now: Timestamp) -> Result<(), StoreError> {
        let each = SCRUB_MS_EACH.saturating_mul(self.items.count());
        self.plan_scrub(store, 0, after(now, SCRUB_MS.max(each)))
    }

    /// Plans a step, unless the first one is planned: it will do.
    pub(super) fn plan_scrub(
        &mut self,
        store: &InboxStore,
        step: u64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if !matches!(self.scrub, Some((0, planned)) if planned <= at) {
            self.scrub = Some((step, at));
            store.plan_scrub(step, at)?;
        }
        Ok(())
    }

    /// Takes the step that is due. The next one needs an alarm of its own, since it needs a commit
    /// before it.
    pub(super) fn take_step(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some((step, _)) = self.scrub.filter(|(_, at)| *at <= now) else {
            return Ok(());
        };
        match step {
            FORGET => {
                let items = self.items.forget_gone();
                let write = InboxWrite {
                    items,
                    ..InboxWrite::default()
                };
                store.write(&write, true)?;
                self.items.apply(write.items);
            }
            COPY => store.copy_tables()?,
            _ if !store.fill()? => return Ok(()),
            LAST => {
                self.scrub = None;
                return store.end_scrub();
            }
            _ => {}
        }
        self.scrub = None;
        self.plan_scrub(store, step + 1, now)
    }
}
