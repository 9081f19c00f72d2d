//! What is owed, in memory: one line of waiting deliveries for each target, and the letters that
//! were given up. Pure bookkeeping: it names the rows to write and knows no session.

use std::collections::{BTreeMap, VecDeque};

use super::Outcome;
use super::backoff::{after, wait_ms};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{
    DEAD_LETTER_MS, DEAD_LETTERS_MAX, DELIVERIES_AT_ONCE, DELIVERY_SLACK_MS, Limits,
};
use crate::store::{DeliveryKind, DeliveryWrite, Owed, Parcel};

/// Numbers given in one millisecond, before they run ahead of the clock.
const NUMBERS_PER_MS: u64 = 1 << 10;
/// Characters of a reason that are kept.
const REASON_LENGTH: usize = 200;
/// The status by which a target says that it wants nothing more (P10.3).
const GONE: u16 = 410;

/// One way to one target: what goes it arrives in order.
type Lane = (DeliveryKind, String);

/// Everything that is owed, and what was given up.
#[derive(Debug)]
pub(in crate::session) struct Queue {
    lanes: BTreeMap<Lane, VecDeque<Waiting>>,
    /// Those that were given up and when, the oldest first.
    dead: VecDeque<(u64, Timestamp)>,
    /// The last number that was given.
    last: u64,
    bounds: Bounds,
}

/// The bounds of a deployment.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    most: u64,
    call_ms: u64,
    give_up_ms: u64,
}

/// A delivery that was not taken yet.
#[derive(Debug)]
struct Waiting {
    number: u64,
    attempts: u64,
    created_at: Timestamp,
    due_at: Timestamp,
    /// Until when the outcome of an attempt is waited for.
    under_way: Option<Timestamp>,
}

impl Waiting {
    /// When it is to be tried, or tried again because no outcome came.
    fn next(&self) -> Timestamp {
        self.under_way.unwrap_or(self.due_at)
    }
}

impl Queue {
    /// Takes up what rows know. Nothing is under way: whoever tried last is not there to say.
    pub(in crate::session) fn load(rows: Vec<Owed>, limits: &Limits) -> Self {
        let bounds = Bounds {
            most: limits.deliveries,
            call_ms: limits.delivery_ms,
            give_up_ms: limits.give_up_ms,
        };
        let mut queue = Self {
            lanes: BTreeMap::new(),
            dead: VecDeque::new(),
            last: 0,
            bounds,
        };
        for owed in rows {
            queue.last = queue.last.max(owed.number);
            match owed.dead_at {
                Some(at) => queue.dead.push_back((owed.number, at)),
                None => queue.push(owed),
            }
        }
        queue.dead.make_contiguous().sort_by_key(|(_, at)| *at);
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
        let lane = self.lanes.entry((owed.kind, owed.target));
        lane.or_default().push_back(waiting);
    }

    /// One more is owed; what is delivered is made with its number. Beyond the bound it is given up at
    /// once, and nothing that came before.
    pub(super) fn add(
        &mut self,
        now: Timestamp,
        kind: DeliveryKind,
        target: &str,
        parcel: impl FnOnce(u64) -> Parcel,
    ) -> Vec<DeliveryWrite> {
        // The time, since no row may be left of those that were given.
        let at = u64::try_from(now).unwrap_or(0);
        let number = at.saturating_mul(NUMBERS_PER_MS).max(self.last + 1);
        self.last = number;
        let is_full = self.bounds.most <= self.waiting();
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
            self.dead.push_back((number, now));
        } else {
            self.push(owed.clone());
        }
        let mut writes = vec![DeliveryWrite::Add {
            owed,
            reason: is_full.then(|| format!("{} wait already", self.bounds.most)),
            parcel: parcel(number),
        }];
        writes.extend(self.forget_letters(now));
        writes
    }

    /// How many wait.
    pub(in crate::session) fn waiting(&self) -> u64 {
        let waiting: usize = self.lanes.values().map(VecDeque::len).sum();
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    /// Whether there is no row at all.
    pub(in crate::session) fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.dead.is_empty()
    }

    fn heads(&self) -> impl Iterator<Item = &Waiting> {
        self.lanes.values().filter_map(VecDeque::front)
    }

    /// The deliveries to try now: the first of each lane, who waited longest first.
    pub(super) fn start(&mut self, now: Timestamp) -> Vec<Started> {
        let until = after(now, self.bounds.call_ms.saturating_add(DELIVERY_SLACK_MS));
        let busy = self
            .heads()
            .filter(|head| head.under_way.is_some_and(|until| now < until));
        let room = DELIVERIES_AT_ONCE.saturating_sub(busy.count());
        let lanes = self.lanes.iter_mut();
        let heads = lanes.filter_map(|(lane, waiting)| Some((lane, waiting.front_mut()?)));
        let mut due: Vec<(&Lane, &mut Waiting)> =
            heads.filter(|(_, head)| head.next() <= now).collect();
        due.sort_by_key(|(_, head)| (head.due_at, head.number));
        let started = due.into_iter().take(room).map(|((kind, target), head)| {
            head.under_way = Some(until);
            Started {
                number: head.number,
                kind: *kind,
                target: target.clone(),
            }
        });
        started.collect()
    }

    /// An attempt has come to an end. One that is not known any more says nothing.
    pub(super) fn settle(
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
        let give_up_at = after(head.created_at, self.bounds.give_up_ms);
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
                self.dead.push_back((number, now));
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

    /// The first of a lane is done with.
    fn pass(&mut self, lane: &Lane) {
        if let Some(waiting) = self.lanes.get_mut(lane) {
            waiting.pop_front();
            if waiting.is_empty() {
                self.lanes.remove(lane);
            }
        }
    }

    /// Forgets letters that are too many, or that nobody asked for in time.
    pub(super) fn forget_letters(&mut self, now: Timestamp) -> Vec<DeliveryWrite> {
        let mut writes = Vec::new();
        while let Some((number, at)) = self.dead.front().copied() {
            let is_old = after(at, DEAD_LETTER_MS) <= now;
            if !is_old && self.dead.len() <= DEAD_LETTERS_MAX {
                break;
            }
            self.dead.pop_front();
            writes.push(DeliveryWrite::Forget { number });
        }
        writes
    }

    /// When something is to be done next.
    pub(in crate::session) fn deadline(&self) -> Option<Timestamp> {
        let is_under_way = |head: &&Waiting| head.under_way.is_some();
        // With all places taken the rest waits for an outcome, which starts it.
        let is_busy = DELIVERIES_AT_ONCE <= self.heads().filter(is_under_way).count();
        let due = self.heads().filter(|head| !is_busy || is_under_way(head));
        let letters = self.dead.front().map(|(_, at)| after(*at, DEAD_LETTER_MS));
        due.map(Waiting::next).chain(letters).min()
    }
}

/// A delivery that is to be tried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) number: u64,
    pub(super) kind: DeliveryKind,
    pub(super) target: String,
}

/// The end of an attempt, as the queue takes it.
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
