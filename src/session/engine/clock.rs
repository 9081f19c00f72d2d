//! Events that only the clock causes: one table of times, each with its owner.
//!
//! An alarm's time is a lower bound and is never moved later: an alarm that rings early finds
//! nothing to do, and names the next time.

use crate::protocol::ids::Timestamp;

/// How an owner waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The platform wakes the session at this time.
    Alarm,
    /// The next input checks it, once pings are known.
    Pings,
    /// The next input checks it.
    Input,
}

/// Something that waits for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its unique name.
    pub(crate) name: &'static str,
    /// How it waits.
    pub(crate) wait: Wait,
}

#[derive(Debug)]
struct Slot {
    owner: Owner,
    at: Timestamp,
    is_stirred: bool,
}

/// The next time of every owner.
#[derive(Debug)]
pub(crate) struct Clock {
    slots: Vec<Slot>,
    /// A lower bound of all slots' times.
    next: Timestamp,
    is_stirred: bool,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            next: Timestamp::MAX,
            is_stirred: false,
        }
    }
}

impl Clock {
    /// Something of this owner has changed: its time is recomputed before the input ends.
    pub(crate) fn stir(&mut self, owner: Owner) {
        self.change(owner, |slot| slot.is_stirred = true);
        self.is_stirred = true;
    }

    /// Whether any owner's time must be recomputed.
    pub(crate) fn is_stirred(&self) -> bool {
        self.is_stirred
    }

    /// The owners whose time must be recomputed, each once.
    pub(crate) fn take_stirred(&mut self) -> Vec<Owner> {
        self.is_stirred = false;
        let slots = self.slots.iter_mut();
        let stirred = slots.filter_map(|slot| {
            let was_stirred = std::mem::take(&mut slot.is_stirred);
            was_stirred.then_some(slot.owner)
        });
        stirred.collect()
    }

    /// The time of an owner. An alarm's is only moved earlier.
    pub(crate) fn expect(&mut self, owner: Owner, at: Timestamp) {
        let known = self.slots.iter().find(|slot| slot.owner == owner);
        let known = known.map_or(Timestamp::MAX, |slot| slot.at);
        self.set(
            owner,
            match owner.wait {
                Wait::Alarm => known.min(at),
                Wait::Pings | Wait::Input => at,
            },
        );
    }

    /// Sets the time of an owner to this at the latest: a full search of the owner's times would
    /// take longer the more there are.
    pub(crate) fn hasten(&mut self, owner: Owner, at: Timestamp) {
        self.change(owner, |slot| slot.at = slot.at.min(at));
        self.next = self.next.min(at);
    }

    /// The time of an owner, whatever it was before.
    pub(crate) fn set(&mut self, owner: Owner, at: Timestamp) {
        self.change(owner, |slot| slot.at = at);
        let times = self.slots.iter().map(|slot| slot.at);
        self.next = times.min().unwrap_or(Timestamp::MAX);
    }

    /// Whether the time of any owner has come.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next <= now
    }

    /// Whether the time of this owner has come.
    pub(crate) fn is_due_for(&self, owner: Owner, now: Timestamp) -> bool {
        let mut slots = self.slots.iter();
        let slot = slots.find(|slot| slot.owner == owner);
        slot.is_some_and(|slot| slot.at <= now)
    }

    /// The earliest time among the owners that wait like this.
    pub(crate) fn next(&self, wait: Wait) -> Timestamp {
        let slots = self.slots.iter().filter(|slot| slot.owner.wait == wait);
        let times = slots.map(|slot| slot.at);
        times.min().unwrap_or(Timestamp::MAX)
    }

    /// The earliest alarm of any other owner.
    pub(crate) fn next_beside(&self, owner: Owner) -> Timestamp {
        let slots = self.slots.iter();
        let others = slots.filter(|slot| slot.owner.wait == Wait::Alarm && slot.owner != owner);
        let times = others.map(|slot| slot.at);
        times.min().unwrap_or(Timestamp::MAX)
    }

    /// After a sleep, pings must be asked for before anything else happens.
    pub(crate) fn ask_for_pings(&mut self) {
        for slot in &mut self.slots {
            if slot.owner.wait == Wait::Pings && slot.at < Timestamp::MAX {
                slot.at = Timestamp::MIN;
                self.next = Timestamp::MIN;
            }
        }
    }

    /// The earliest time of an alarm.
    pub(crate) fn hold(&mut self, until: Timestamp) {
        for slot in &mut self.slots {
            if slot.owner.wait == Wait::Alarm {
                slot.at = slot.at.max(until);
            }
        }
    }

    fn change(&mut self, owner: Owner, change: impl FnOnce(&mut Slot)) {
        let mut slots = self.slots.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.owner == owner) {
            return change(slot);
        }
        let mut slot = Slot {
            owner,
            at: Timestamp::MAX,
            is_stirred: false,
        };
        change(&mut slot);
        self.slots.push(slot);
    }
}
