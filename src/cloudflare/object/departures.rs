//! Deliveries of an object that are under way, and those that wait for them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// Calls of one object that are under way at once: the platform allows six, and two are left for
/// what else the object may ask of somebody, such as the keys for a token.
const AT_ONCE: usize = 4;

/// How many are under way, and what waits. Both are forgotten with the object: the machine has a
/// row for each delivery, and begins it anew.
pub(super) struct Departures<D> {
    under_way: Cell<usize>,
    /// As many as the machine has asked for: it bounds them by its rows.
    waiting: RefCell<VecDeque<D>>,
}

impl<D> Departures<D> {
    pub(super) fn new() -> Self {
        Self {
            under_way: Cell::new(0),
            waiting: RefCell::new(VecDeque::new()),
        }
    }

    /// Takes a delivery in; gives it back if it may begin at once.
    pub(super) fn admit(&self, delivery: D) -> Option<D> {
        if self.under_way.get() < AT_ONCE {
            self.under_way.set(self.under_way.get() + 1);
            return Some(delivery);
        }
        self.waiting.borrow_mut().push_back(delivery);
        None
    }

    /// One has come to its end; the one that takes its place, if any waits.
    pub(super) fn ended(&self) -> Option<D> {
        let next = self.waiting.borrow_mut().pop_front();
        if next.is_none() {
            self.under_way.set(self.under_way.get().saturating_sub(1));
        }
        next
    }
}
