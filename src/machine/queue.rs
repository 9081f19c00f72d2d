//! Deliveries in memory: a queue for each target, and the dead letters. Each change gives the
//! rows to write; nothing here knows whose they are.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::backoff::wait_ms;
use super::outcome::Outcome;
use crate::ordered::Map;
use crate::protocol::ids::{Timestamp, after};
use crate::protocol::limits::{DEAD_LETTER_MS, DEAD_LETTERS_MAX, DELIVERY_SLACK_MS, Limits};
use crate::store::{DeliveryKind, DeliveryWrite, Owed, Parcel};

/// Delivery numbers per millisecond, before they run ahead of the clock.
const NUMBERS_PER_MS: u64 = 1 << 10;
/// Characters of a reason that are stored.
const REASON_LENGTH: usize = 200;
/// The status of a target that wants no more deliveries.
const GONE: u16 = 410;

/// One target: its deliveries arrive in order.
type Lane = (DeliveryKind, String);

/// All deliveries of a session, or of an inbox.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lanes: Map<Lane, VecDeque<Waiting>>,
    /// Dead letters with their times.
    dead: Vec<(u64, Timestamp)>,
    /// The latest number.
    last: u64,
    /// Whether the step that begins the session tells of that.
    pub(crate) is_begun: bool,
    bounds: Bounds,
}

/// The bounds of a deployment.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    most: u64,
    call_ms: u64,
    give_up_ms: u64,
    at_once: usize,
}

/// A pending delivery.
#[derive(Debug)]
struct Waiting {
    number: u64,
    attempts: u64,
    created_at: Timestamp,
    due_at: Timestamp,
    /// While an attempt is under way: the time when it counts as lost.
    under_way: Option<Timestamp>,
}

impl Waiting {
    /// The time of the next attempt.
    fn next(&self) -> Timestamp {
        self.under_way.unwrap_or(self.due_at)
    }
}

impl Queue {
    /// The queue from its rows. Nothing is under way: an attempt ends with its process.
    /// `at_once` bounds the attempts in flight.
    pub(crate) fn load(rows: Vec<Owed>, limits: &Limits, at_once: usize) -> Self {
        let bounds = Bounds {
            most: limits.deliveries,
            call_ms: limits.delivery_ms,
            give_up_ms: limits.give_up_ms,
            at_once,
        };
        let mut queue = Self {
            lanes: Map::new(),
            dead: Vec::new(),
            last: 0,
            is_begun: false,
            bounds,
        };
        for owed in rows {
            queue.last = queue.last.max(owed.number);
            match owed.dead_at {
                Some(at) => queue.dead.push((owed.number, at)),
                None => queue.push(owed),
            }
        }
        queue
    }

    fn push(&mut self, owed: Owed) {
        let waiting = Waiting {
            number: owed.number,
            attempts: owed.attempts,
            created_at: owed.created_at,
            due_at: owed.due_at,
            under_way: None,
        };
        let lane = self.lanes.or_default((owed.kind, owed.target));
        lane.push_back(waiting);
    }

    /// Adds a delivery; `parcel` gets its number. Beyond the bound it becomes a dead letter at
    /// once.
    pub(crate) fn add(
        &mut self,
        now: Timestamp,
        kind: DeliveryKind,
        target: &str,
        parcel: impl FnOnce(u64) -> Parcel,
    ) -> Vec<DeliveryWrite> {
        // Based on the time, since rows of earlier numbers may be gone.
        let at = u64::try_from(now).unwrap_or(0);
        let number = at.saturating_mul(NUMBERS_PER_MS).max(self.last + 1);
        self.last = number;
        let is_full = self.bounds.most <= self.pending();
        let owed = Owed {
            number,
            kind,
            target: target.to_owned(),
            attempts: 0,
            created_at: now,
            due_at: now,
            dead_at: is_full.then_some(now),
        };
        if is_full {
            self.dead.push((number, now));
        } else {
            self.push(owed.clone());
        }
        let mut writes = vec![DeliveryWrite::Add {
            owed,
            reason: is_full.then(|| format!("{} are pending already", self.bounds.most)),
            parcel: parcel(number),
        }];
        writes.extend(self.forget_letters(now));
        writes
    }

    /// The number of pending deliveries.
    pub(crate) fn pending(&self) -> u64 {
        let waiting: usize = self.lanes.values().map(VecDeque::len).sum();
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    /// Whether anything is pending for a target.
    pub(crate) fn owes(&self, kind: DeliveryKind, target: &str) -> bool {
        let mut lanes = self.lanes.keys();
        lanes.any(|(known, it)| *known == kind && it == target)
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.dead.is_empty()
    }

    fn heads(&self) -> impl Iterator<Item = &Waiting> {
        self.lanes.values().filter_map(VecDeque::front)
    }

    /// Begins the attempts that are due: of each lane the first delivery, the longest due first.
    pub(crate) fn start(&mut self, now: Timestamp) -> Vec<Started> {
        let until = after(now, self.bounds.call_ms.saturating_add(DELIVERY_SLACK_MS));
        let busy = self
            .heads()
            .filter(|head| head.under_way.is_some_and(|until| now < until));
        let room = self.bounds.at_once.saturating_sub(busy.count());
        let mut started = Vec::new();
        while started.len() < room {
            let heads = self.lanes.iter_mut();
            let heads = heads.filter_map(|(lane, pending)| Some((lane, pending.front_mut()?)));
            let due = heads.filter(|(_, head)| head.next() <= now);
            let longest = due.min_by_key(|(_, head)| (head.due_at, head.number));
            let Some(((kind, target), head)) = longest else {
                break;
            };
            head.under_way = Some(until);
            started.push(Started {
                number: head.number,
                kind: *kind,
                target: target.clone(),
            });
        }
        started
    }

    /// Takes the outcome of an attempt. That of an unknown delivery changes nothing.
    pub(crate) fn settle(
        &mut self,
        now: Timestamp,
        number: u64,
        outcome: &Outcome,
    ) -> Vec<DeliveryWrite> {
        let mut lanes = self.lanes.iter_mut();
        let found = lanes.find_map(|(lane, waiting)| {
            let head = waiting.front_mut().filter(|head| head.number == number);
            Some((lane.clone(), head?))
        });
        let Some((lane, head)) = found else {
            return Vec::new();
        };
        head.under_way = None;
        head.attempts += 1;
        let attempts = head.attempts;
        let give_up_at = match lane.0 {
            DeliveryKind::Hook => after(head.created_at, self.bounds.give_up_ms),
            // An inbox must become right again.
            DeliveryKind::Inbox => Timestamp::MAX,
        };
        let write = match verdict(outcome) {
            Verdict::Taken => DeliveryWrite::Forget { number },
            Verdict::Failed { asked_ms, .. } if now < give_up_at => {
                let due_at = after(now, wait_ms(number, attempts, asked_ms)).min(give_up_at);
                head.due_at = due_at;
                return vec![DeliveryWrite::Again {
                    number,
                    attempts,
                    due_at,
                }];
            }
            Verdict::Failed { reason, .. } | Verdict::GivenUp { reason } => {
                self.dead.push((number, now));
                DeliveryWrite::Bury {
                    number,
                    attempts,
                    at: now,
                    reason: reason.chars().take(REASON_LENGTH).collect(),
                }
            }
        };
        self.pass(&lane);
        let mut writes = vec![write];
        writes.extend(self.forget_letters(now));
        writes
    }

    /// Removes the first delivery of a lane.
    fn pass(&mut self, lane: &Lane) {
        if let Some(waiting) = self.lanes.get_mut(lane) {
            waiting.pop_front();
            if waiting.is_empty() {
                self.lanes.remove(lane);
            }
        }
    }

    /// Forgets dead letters beyond their number and age.
    pub(crate) fn forget_letters(&mut self, now: Timestamp) -> Vec<DeliveryWrite> {
        let excess = self.dead.len().saturating_sub(DEAD_LETTERS_MAX);
        let (mut index, mut writes) = (0, Vec::new());
        self.dead.retain(|(number, at)| {
            index += 1;
            let is_kept = excess < index && now < after(*at, DEAD_LETTER_MS);
            if !is_kept {
                writes.push(DeliveryWrite::Forget { number: *number });
            }
            is_kept
        });
        writes
    }

    /// The time of the next attempt, or of the next dead letter to forget.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let is_under_way = |head: &&Waiting| head.under_way.is_some();
        // While all calls are taken, the rest needs no clock: an outcome starts it.
        let is_busy = self.bounds.at_once <= self.heads().filter(is_under_way).count();
        let due = self.heads().filter(|head| !is_busy || is_under_way(head));
        let letters = self.dead.iter().map(|(_, at)| after(*at, DEAD_LETTER_MS));
        due.map(Waiting::next).chain(letters).min()
    }
}

/// A delivery whose attempt begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) number: u64,
    pub(crate) kind: DeliveryKind,
    pub(crate) target: String,
}

/// The queue's reading of an outcome.
enum Verdict {
    Taken,
    Failed {
        reason: String,
        asked_ms: Option<u64>,
    },
    GivenUp {
        reason: String,
    },
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Answered { status, .. } if (200..300).contains(status) => Verdict::Taken,
        Outcome::Answered { status: GONE, .. } => Verdict::GivenUp {
            reason: "it wants nothing more (410)".to_owned(),
        },
        Outcome::Answered {
            status,
            retry_after_ms,
        } => Verdict::Failed {
            reason: format!("it answered {status}"),
            asked_ms: *retry_after_ms,
        },
        Outcome::Failed { reason } => Verdict::Failed {
            reason: reason.clone(),
            asked_ms: None,
        },
        Outcome::Refused { reason } => Verdict::GivenUp {
            reason: reason.clone(),
        },
    }
}
