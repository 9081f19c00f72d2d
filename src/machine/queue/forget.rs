//! Deliveries that are dropped before they are taken: a newer one says more, or nobody is left to
//! hear them.

use super::Queue;
use crate::protocol::ids::Timestamp;
use crate::store::{DeliveryKind, DeliveryWrite};

impl Queue {
    /// The target of the attempt with this number.
    pub(crate) fn target_of(&self, number: u64) -> Option<String> {
        let mut lanes = self.lanes.iter();
        lanes.find_map(|((_, target, _), waiting)| {
            let head = waiting.front().filter(|head| head.number == number);
            head.map(|_| target.clone())
        })
    }

    /// The deliveries to a target of which no attempt is under way.
    pub(crate) fn waiting(&self, kind: DeliveryKind, target: &str) -> Vec<u64> {
        let lanes = self.lanes.iter();
        let own = lanes.filter(|((known, it, _), _)| *known == kind && it == target);
        let waiting = own.flat_map(|(_, waiting)| waiting);
        let idle = waiting.filter(|it| it.under_way.is_none());
        idle.map(|it| it.number).collect()
    }

    /// The time of the next attempt for a target, where something is owed.
    pub(crate) fn due_at(&self, kind: DeliveryKind, target: &str) -> Option<Timestamp> {
        let mut lanes = self.lanes.iter();
        let own = lanes.find(|((known, it, _), _)| *known == kind && it == target);
        own.and_then(|(_, waiting)| Some(waiting.front()?.due_at))
    }

    /// A delivery that was just added goes out at this time at the earliest.
    pub(crate) fn put_off(&mut self, writes: &mut [DeliveryWrite], at: Timestamp) {
        let Some(DeliveryWrite::Add { owed, .. }) = writes.first_mut() else {
            return;
        };
        owed.due_at = owed.due_at.max(at);
        let waiting = self.lanes.values_mut().flatten();
        for waiting in waiting.filter(|waiting| waiting.number == owed.number) {
            waiting.due_at = owed.due_at;
        }
        self.reckon();
    }

    /// Drops a delivery. The outcome of an attempt under way will change nothing.
    pub(crate) fn forget(&mut self, number: u64) -> DeliveryWrite {
        self.lanes.retain(|_, waiting| {
            waiting.retain(|it| it.number != number);
            !waiting.is_empty()
        });
        self.reckon();
        DeliveryWrite::Forget { number }
    }

    /// Drops everything for a target.
    pub(crate) fn forget_target(&mut self, kind: DeliveryKind, target: &str) -> Vec<DeliveryWrite> {
        let mut forgotten = Vec::new();
        self.lanes.retain(|(known, it, _), waiting| {
            let is_own = *known == kind && it == target;
            if is_own {
                forgotten.extend(waiting.iter().map(|it| it.number));
            }
            !is_own
        });
        self.reckon();
        let forgotten = forgotten.into_iter();
        forgotten
            .map(|number| DeliveryWrite::Forget { number })
            .collect()
    }
}
