#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! The queue by itself: order, bounds, attempts, and what is taken up after a crash.

use super::{Queue, Started};
use crate::machine::Outcome;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{DEAD_LETTER_MS, DELIVERY_SLACK_MS, Limits};
use crate::store::{DeliveryKind, DeliveryWrite, Owed, Parcel};

const NOW: Timestamp = 1_800_000_000_000;
const KIND: DeliveryKind = DeliveryKind::Hook;
const TAKE_MS: u64 = 60_000;

fn limits() -> Limits {
    Limits {
        deliveries: 8,
        delivery_ms: 10_000,
        give_up_ms: 60_000,
        ..Limits::default()
    }
}

fn empty() -> Queue {
    Queue::load(Vec::new(), &limits(), 4)
}

fn add(queue: &mut Queue, target: &str) -> Owed {
    let writes = queue.add(NOW, KIND, target, None, |number| Parcel {
        id: number.to_string(),
        body: String::new(),
    });
    match writes.into_iter().next().unwrap() {
        DeliveryWrite::Add { owed, parcel, .. } => {
            assert_eq!(parcel.id, owed.number.to_string());
            owed
        }
        other => unreachable!("{other:?}"),
    }
}

const NONE: [u64; 0] = [];

fn numbers(started: &[Started]) -> Vec<u64> {
    started.iter().map(|started| started.number).collect()
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_ms: None,
    }
}

/// P10.4: one after the other to each target, whatever the others do.
#[test]
fn each_target_is_told_in_order() {
    let mut queue = empty();
    let [first, second, other] = ["a", "a", "b"].map(|target| add(&mut queue, target).number);
    assert_eq!(numbers(&queue.start(NOW)), [first, other]);
    assert_eq!(numbers(&queue.start(NOW)), NONE, "both are under way");
    assert!(!queue.settle(NOW, first, &answered(500), TAKE_MS).is_empty());
    assert_eq!(
        numbers(&queue.start(NOW)),
        NONE,
        "the second waits for the first"
    );
    let again = queue.deadline().unwrap();
    assert!(NOW < again && again <= NOW + 1_000);
    assert_eq!(numbers(&queue.start(again)), [first]);
    let taken = queue.settle(again, first, &answered(204), TAKE_MS);
    assert_eq!(taken, [DeliveryWrite::Forget { number: first }]);
    assert_eq!(numbers(&queue.start(again)), [second]);
}

/// P10.4: what nobody answered for is tried again, by whoever is there.
#[test]
fn an_attempt_without_an_outcome_is_made_again() {
    let mut queue = empty();
    let owed = add(&mut queue, "a");
    assert_eq!(numbers(&queue.start(NOW)), [owed.number]);
    let lost_at = queue.deadline().unwrap();
    assert_eq!(
        lost_at,
        NOW + 10_000 + DELIVERY_SLACK_MS as i64,
        "an alarm covers it"
    );
    assert_eq!(numbers(&queue.start(lost_at)), [owed.number]);
    let mut reloaded = Queue::load(vec![owed.clone()], &limits(), 4);
    assert_eq!(reloaded.deadline(), Some(NOW), "due at once after a crash");
    assert_eq!(numbers(&reloaded.start(NOW)), [owed.number]);
    // The outcome of an attempt from before counts as well as any.
    let late = Queue::load(vec![owed.clone()], &limits(), 4).settle(
        NOW,
        owed.number,
        &answered(200),
        TAKE_MS,
    );
    assert_eq!(
        late,
        [DeliveryWrite::Forget {
            number: owed.number
        }]
    );
}

#[test]
fn an_outcome_that_nobody_waits_for_says_nothing() {
    let mut queue = empty();
    let owed = add(&mut queue, "a");
    assert_eq!(
        queue.settle(NOW, owed.number + 1, &answered(200), TAKE_MS),
        []
    );
    assert_eq!(queue.pending(), 1);
}

/// P10.3: given up after `giveUpMs`, with one last attempt at that time.
#[test]
fn an_untaken_delivery_becomes_a_dead_letter_at_the_bound() {
    let mut queue = empty();
    let number = add(&mut queue, "a").number;
    let (mut now, mut attempts) = (NOW, 0);
    let reason = loop {
        assert_eq!(numbers(&queue.start(now)), [number]);
        attempts += 1;
        match &queue.settle(now, number, &answered(503), TAKE_MS)[..] {
            [DeliveryWrite::Again { owed, .. }] => now = owed.due_at,
            [DeliveryWrite::Bury { owed, reason, .. }] => {
                assert_eq!(owed.attempts, attempts);
                break reason.clone();
            }
            other => unreachable!("{other:?}"),
        }
    };
    assert_eq!(reason, "it answered 503");
    assert_eq!(now, NOW + 60_000);
    assert!((7..=9).contains(&attempts), "{attempts} within a minute");
    assert_eq!(queue.start(now), []);
    let forgotten_at = now + DEAD_LETTER_MS as i64;
    assert_eq!(queue.deadline(), Some(forgotten_at));
    assert_eq!(queue.forget_letters(forgotten_at - 1), []);
    assert_eq!(
        queue.forget_letters(forgotten_at),
        [DeliveryWrite::Forget { number }]
    );
    assert!(queue.is_empty());
}

/// P10.3: 410 says that it wants nothing more of this; a refused address is tried no more.
#[test]
fn some_outcomes_end_it_at_once() {
    let refused = Outcome::Refused {
        reason: "its host is not public".to_owned(),
    };
    for outcome in [answered(410), refused] {
        let mut queue = empty();
        let [first, second] = ["a", "a"].map(|target| add(&mut queue, target).number);
        queue.start(NOW);
        let writes = queue.settle(NOW, first, &outcome, TAKE_MS);
        assert!(
            matches!(&writes[..], [DeliveryWrite::Bury { .. }]),
            "{writes:?}"
        );
        assert_eq!(numbers(&queue.start(NOW)), [second], "the next goes on");
    }
}

/// P14: beyond `deliveries` the newest is a dead letter at once, and order is kept.
#[test]
fn as_many_wait_as_may() {
    let mut queue = empty();
    let owed: Vec<Owed> = (0..9).map(|_| add(&mut queue, "a")).collect();
    assert_eq!(queue.pending(), 8);
    let dead: Vec<bool> = owed.iter().map(|owed| owed.dead_at.is_some()).collect();
    assert_eq!(dead.iter().position(|is_dead| *is_dead), Some(8));
    let mut reloaded = Queue::load(owed, &limits(), 4);
    assert_eq!(reloaded.pending(), 8);
    assert_eq!(reloaded.start(NOW).len(), 1);
}

#[test]
fn a_hundred_dead_letters_are_kept() {
    let mut queue = empty();
    let mut kept = 0_i64;
    for _ in 0..150 {
        let number = add(&mut queue, "a").number;
        queue.start(NOW);
        for write in queue.settle(NOW, number, &answered(410), TAKE_MS) {
            kept += if matches!(write, DeliveryWrite::Forget { .. }) {
                -1
            } else {
                1
            };
        }
    }
    assert_eq!(kept, 100);
}

/// Four at once; the rest needs no clock, since an outcome starts it.
#[test]
fn no_more_are_under_way_than_may_be() {
    let mut queue = empty();
    let all: Vec<u64> = (0..6)
        .map(|lane| add(&mut queue, &lane.to_string()).number)
        .collect();
    assert_eq!(numbers(&queue.start(NOW)), all[..4]);
    assert!(NOW < queue.deadline().unwrap());
    queue.settle(NOW, all[1], &answered(200), TAKE_MS);
    assert_eq!(numbers(&queue.start(NOW)), [all[4]]);
}

/// A number is never given twice, though no row is left and the clock may stand.
#[test]
fn numbers_grow() {
    let mut queue = empty();
    let [first, second] = ["a", "b"].map(|target| add(&mut queue, target).number);
    assert!(first < second);
    let later = Queue::load(Vec::new(), &limits(), 4).add(NOW + 1, KIND, "a", None, |_| Parcel {
        id: String::new(),
        body: String::new(),
    });
    let Some(DeliveryWrite::Add { owed, .. }) = later.first() else {
        unreachable!("{later:?}")
    };
    assert!(second < owed.number && owed.number < 1 << 53);
    // The clock was put back, and the last thing is known to have been written at that time.
    let mut queue = empty();
    queue.number_after(NOW);
    let mut later = queue.add(NOW - 9, KIND, "a", None, |_| Parcel {
        id: String::new(),
        body: String::new(),
    });
    let Some(DeliveryWrite::Add { owed, .. }) = later.pop() else {
        unreachable!("{later:?}")
    };
    assert!(second < owed.number);
}

/// A wake about a subject.
fn wake(queue: &mut Queue, subject: u64) -> u64 {
    let writes = queue.add(NOW, DeliveryKind::Wake, "a", Some(subject), |number| {
        Parcel {
            id: number.to_string(),
            body: String::new(),
        }
    });
    match writes.into_iter().next().unwrap() {
        DeliveryWrite::Add { owed, .. } => owed.number,
        other => unreachable!("{other:?}"),
    }
}

/// P10.3: each by itself, once its owner says so, and one call is left to hooks.
#[test]
fn wakes_go_out_by_themselves_when_they_may() {
    let mut queue = empty();
    let wakes: Vec<u64> = (1..=5).map(|subject| wake(&mut queue, subject)).collect();
    assert_eq!(queue.start(NOW), [], "nobody has said that they may");
    assert_eq!(queue.deadline(), None, "they need no clock");
    queue.release(DeliveryKind::Wake, "a", |subject| subject != 2);
    let started = numbers(&queue.start(NOW));
    assert_eq!(started, [wakes[0], wakes[2], wakes[3], wakes[4]]);
    let sixth = wake(&mut queue, 6);
    queue.release(DeliveryKind::Wake, "a", |_| true);
    let hook = add(&mut queue, "b").number;
    assert_eq!(queue.start(NOW), [], "all calls are taken");
    queue.settle(NOW, wakes[2], &answered(500), TAKE_MS);
    assert_eq!(
        numbers(&queue.start(NOW)),
        [hook],
        "one of them is for hooks"
    );
    queue.settle(NOW, wakes[3], &answered(500), TAKE_MS);
    assert_eq!(numbers(&queue.start(NOW)), [wakes[1]]);
    assert!(
        NOW < queue.deadline().unwrap(),
        "no clock rings for the rest"
    );
    queue.settle(NOW, hook, &answered(204), TAKE_MS);
    assert_eq!(
        numbers(&queue.start(NOW)),
        [sixth],
        "no hook waits any more"
    );
}

/// P10.3: an attempt that is lost while there is no room for another needs no clock: one that rang
/// for it would ring again and again.
#[test]
fn a_lost_wake_without_room_rings_no_clock() {
    let mut queue = empty();
    let wakes: Vec<u64> = (1..=4).map(|subject| wake(&mut queue, subject)).collect();
    queue.release(DeliveryKind::Wake, "a", |subject| subject == 1);
    assert_eq!(numbers(&queue.start(NOW)), [wakes[0]]);
    queue.release(DeliveryKind::Wake, "a", |_| true);
    assert_eq!(numbers(&queue.start(NOW + 5_000)), wakes[1..]);
    let hook = add(&mut queue, "b").number;
    let lost = queue.deadline().unwrap();
    assert_eq!(numbers(&queue.start(lost)), [hook]);
    assert!(lost < queue.deadline().unwrap(), "the clock rings later");
    queue.settle(lost, wakes[1], &answered(500), TAKE_MS);
    assert_eq!(numbers(&queue.start(lost)), [wakes[0]], "an outcome does");
}

/// P10.3: 2xx is not the end: it goes out again unless it is taken, later each time.
#[test]
fn an_accepted_wake_waits_to_be_taken() {
    let mut queue = Queue::load(Vec::new(), &Limits::default(), 4);
    let number = wake(&mut queue, 7);
    queue.release(DeliveryKind::Wake, "a", |_| true);
    let (mut now, mut waits) = (NOW, Vec::new());
    for rounds in 0..9 {
        assert_eq!(queue.start(now)[0].rounds, rounds);
        let writes = queue.settle(now, number, &answered(202), TAKE_MS);
        let [DeliveryWrite::Again { owed, reason: None }] = &writes[..] else {
            unreachable!("{writes:?}");
        };
        waits.push(owed.due_at - now);
        now = owed.due_at;
    }
    assert_eq!(waits[..6], [60_000; 6]);
    assert!(120_000 < waits[8] && waits[8] <= 256_000, "{waits:?}");
    let taken = queue.taken(DeliveryKind::Wake, 7);
    assert_eq!(taken, [DeliveryWrite::Forget { number }]);
    assert!(queue.is_empty() && queue.deadline().is_none());
}

/// P10.3: a dead letter goes out again as if it were new, but under another id, and one that was
/// taken is no dead letter.
#[test]
fn a_dead_wake_may_come_again() {
    let mut queue = empty();
    let [first, second] = [1, 2].map(|subject| wake(&mut queue, subject));
    queue.release(DeliveryKind::Wake, "a", |_| true);
    queue.start(NOW);
    for number in [first, second] {
        let writes = queue.settle(NOW, number, &answered(410), TAKE_MS);
        assert!(matches!(&writes[..], [DeliveryWrite::Bury { .. }]));
    }
    let letters: Vec<u64> = queue.letters(DeliveryKind::Wake).collect();
    assert_eq!(letters, [1, 2]);
    let Some(DeliveryWrite::Again { owed, .. }) = queue.again(NOW + 9, DeliveryKind::Wake, 1)
    else {
        unreachable!("it goes out again");
    };
    assert_eq!((owed.number, owed.rounds, owed.attempts), (first, 1, 0));
    assert_eq!((owed.created_at, owed.dead_at), (NOW + 9, None));
    queue.release(DeliveryKind::Wake, "b", |_| true);
    let started = queue.start(NOW + 9);
    assert_eq!(
        (started[0].number, started[0].target.as_str()),
        (first, "b")
    );
    assert_eq!(
        queue.again(NOW, DeliveryKind::Wake, 1),
        None,
        "it is under way"
    );
    assert_eq!(queue.taken(DeliveryKind::Wake, 2).len(), 1);
    let all = queue.forget_kind(DeliveryKind::Wake);
    assert_eq!(all, Some(DeliveryWrite::ForgetKind(DeliveryKind::Wake)));
    assert!(queue.is_empty());
}
