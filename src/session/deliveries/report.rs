//! Deliveries in diagnostics (P11.4).

use serde::Serialize;

use super::part::id_of_round;
use crate::machine::Queue;
use crate::protocol::ids::Timestamp;
use crate::store::{DeadLetter, Store, StoreError};

/// The number of pending deliveries, and the dead letters.
#[derive(Debug, Serialize)]
pub struct DeliveryReport {
    /// Pending deliveries.
    pending: u64,
    /// Those whose last attempt failed, the newest first.
    failing: Vec<Letter>,
    /// Dead letters, the newest first.
    dead: Vec<Letter>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    id: String,
    target: String,
    attempts: u64,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    reason: String,
}

/// Reads as many rows as there are deliveries.
///
/// # Errors
/// When the storage fails.
pub(crate) fn report(queue: &Queue, store: &Store) -> Result<DeliveryReport, StoreError> {
    let letter = |DeadLetter { owed, id, reason }| Letter {
        id: id_of_round(&id, owed.rounds),
        due_at: owed.dead_at.is_none().then_some(owed.due_at),
        target: owed.target,
        attempts: owed.attempts,
        created_at: owed.created_at,
        dead_at: owed.dead_at,
        reason,
    };
    Ok(DeliveryReport {
        pending: queue.pending(),
        failing: store.failing()?.into_iter().map(letter).collect(),
        dead: store.dead_letters()?.into_iter().map(letter).collect(),
    })
}
