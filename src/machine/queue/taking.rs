//! Deliveries whose subject waits to be taken: their owner says which may go out, and when one is
//! taken, in memory and as rows to write.

use super::Queue;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::store::{DeliveryKind, DeliveryWrite, Owed};

impl Queue {
    /// The subjects that wait to be taken, with the times of their causes, in the order of their
    /// deliveries.
    pub(crate) fn subjects(&self, kind: DeliveryKind) -> impl Iterator<Item = (Place, Timestamp)> {
        let lanes = self.lanes.iter();
        let of_kind = lanes.filter(move |((known, ..), _)| *known == kind);
        let waiting = of_kind.flat_map(|(_, waiting)| waiting);
        waiting.filter_map(|waiting| Some((waiting.subject?, waiting.created_at)))
    }

    /// Lets the deliveries of a kind go out, to this target, whose subjects are open; the others
    /// are held.
    pub(crate) fn release(
        &mut self,
        kind: DeliveryKind,
        target: &str,
        is_open: impl Fn(Place) -> bool,
    ) {
        let lanes = self.lanes.iter();
        let moved = lanes.filter(|((known, it, _), _)| *known == kind && it != target);
        let moved: Vec<_> = moved.map(|(lane, _)| lane.clone()).collect();
        for lane in moved {
            if let Some(waiting) = self.lanes.remove(&lane) {
                self.lanes
                    .insert((kind, target.to_owned(), lane.2), waiting);
            }
        }
        let lanes = self.lanes.iter_mut();
        let of_kind = lanes.filter(|((known, ..), _)| *known == kind);
        for waiting in of_kind.flat_map(|(_, waiting)| waiting) {
            waiting.is_released = waiting.subject.is_some_and(&is_open);
        }
        self.reckon();
    }

    /// A subject was taken, or does not wait any more: its delivery, and a dead letter about it,
    /// are forgotten.
    pub(crate) fn taken(&mut self, kind: DeliveryKind, subject: Place) -> Vec<DeliveryWrite> {
        let mut writes = Vec::new();
        self.lanes.retain(|(known, ..), waiting| {
            waiting.retain(|it| {
                let is_taken = *known == kind && it.subject == Some(subject);
                if is_taken {
                    let number = it.number;
                    writes.push(DeliveryWrite::Forget { number });
                }
                !is_taken
            });
            !waiting.is_empty()
        });
        self.dead.retain(|letter| {
            let is_taken = letter.kind == kind && letter.subject == Some(subject);
            if is_taken {
                let number = letter.number;
                writes.push(DeliveryWrite::Forget { number });
            }
            !is_taken
        });
        self.reckon();
        writes
    }

    /// Forgets all of a kind, dead letters too.
    pub(crate) fn forget_kind(&mut self, kind: DeliveryKind) -> Option<DeliveryWrite> {
        let of_kind = self.lanes.keys().filter(|(known, ..)| *known == kind);
        let count = of_kind.count() + self.letters(kind).count();
        self.lanes.retain(|(known, ..), _| *known != kind);
        self.dead.retain(|letter| letter.kind != kind);
        self.reckon();
        (0 < count).then_some(DeliveryWrite::ForgetKind(kind))
    }

    /// The subjects of dead letters.
    pub(crate) fn letters(&self, kind: DeliveryKind) -> impl Iterator<Item = Place> {
        let letters = self.dead.iter().filter(move |letter| letter.kind == kind);
        letters.filter_map(|letter| letter.subject)
    }

    /// Sends a dead letter again, or a delivery that waits for its next attempt at once, under
    /// another id. `None` if there is none about this subject, or it is under way.
    pub(crate) fn again(
        &mut self,
        now: Timestamp,
        kind: DeliveryKind,
        subject: Place,
    ) -> Option<DeliveryWrite> {
        let mut letters = self.dead.iter();
        let is_it = |letter: &Owed| letter.kind == kind && letter.subject == Some(subject);
        let owed = match letters.position(is_it) {
            Some(index) => self.dead.remove(index),
            None => {
                let mut lanes = self.lanes.iter();
                let (lane, waiting) = lanes.find(|((known, ..), waiting)| {
                    let mut waiting = waiting.iter();
                    *known == kind && waiting.any(|it| it.subject == Some(subject))
                })?;
                let waiting = waiting.front().filter(|it| it.under_way.is_none())?;
                let (lane, owed) = (lane.clone(), waiting.owed(lane));
                self.lanes.remove(&lane);
                owed
            }
        };
        let owed = Owed {
            attempts: 0,
            created_at: now,
            due_at: now,
            dead_at: None,
            rounds: owed.rounds + 1,
            ..owed
        };
        self.push(owed.clone());
        self.reckon();
        let reason = None;
        Some(DeliveryWrite::Again { owed, reason })
    }
}
