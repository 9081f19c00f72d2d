//! P11.10 while everything breaks: the process of the inbox, its calls and their answers, and a
//! client that goes on coming to sessions with tokens that are still let in.

use std::collections::BTreeSet;

use sessile::inbox::{Input, Revoking};
use sessile::protocol::erasure::ERASURE_MS;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::Limits;

use crate::erasure::{came, end, erase, report};
use crate::world::{NOW, World};

struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Returns how often the process ended, and how often a session was deleted that was there again.
fn run(seed: u64) -> [u64; 2] {
    let mut random = Random(seed);
    let mut world = World::new(Limits::default());
    let name = |random: &mut Random| format!("s{}", random.below(12));
    let mut there: BTreeSet<String> = BTreeSet::new();
    let mut untold: BTreeSet<String> = BTreeSet::new();
    let (mut deaths, mut again) = (0, 0);
    for _ in 0..random.below(20) {
        let session = name(&mut random);
        came(&mut world, &session);
        there.insert(session);
    }
    let mut calls: Vec<Revoking> = Vec::new();
    let mut answers: Vec<(Revoking, u16)> = Vec::new();
    let mut deleted = BTreeSet::new();
    let hold = NOW + i64::try_from(ERASURE_MS).unwrap();
    erase(&mut world, NOW);
    let mut now: Timestamp = NOW;
    loop {
        calls.append(&mut world.revoking);
        let is_calm = hold <= now;
        match random.below(if is_calm { 4 } else { 8 }) {
            0 if !calls.is_empty() => {
                let at = random.below(calls.len() as u64);
                let call = calls.swap_remove(usize::try_from(at).unwrap());
                let fails = !is_calm && random.below(4) == 0;
                if call.erases && !fails {
                    there.remove(&call.name);
                    again += u64::from(!deleted.insert(call.name.clone()));
                }
                answers.push((call, if fails { 0 } else { 200 }));
            }
            1 if !answers.is_empty() => {
                let (call, status) = answers.remove(0);
                end(&mut world, now, &call, status);
            }
            2 => {
                if let Some(session) = untold.pop_first() {
                    came(&mut world, &session);
                }
            }
            3 => {
                let Some(at) = world.deadline().filter(|at| *at < NOW + 3_600_000) else {
                    let is_idle = calls.is_empty() && answers.is_empty();
                    if is_calm && is_idle && world.revoking.is_empty() {
                        break;
                    }
                    continue;
                };
                // Nobody is let in any more after that.
                if at < hold || is_calm || untold.is_empty() {
                    now = now.max(at);
                    world.handle(now, Input::Deadline);
                }
            }
            4 | 5 => {
                let session = name(&mut random);
                there.insert(session.clone());
                untold.insert(session);
                now += 200;
                now = now.min(hold - 1);
            }
            6 if random.below(3) == 0 => {
                calls.append(&mut world.revoking);
                // Calls that were made arrive or not; no process is there for their answers.
                for call in calls.drain(..).filter(|call| call.erases) {
                    if random.below(2) == 0 {
                        there.remove(&call.name);
                        deleted.insert(call.name);
                    }
                }
                answers.clear();
                world.sleep();
                deaths += 1;
            }
            _ => {}
        }
    }
    assert_eq!(report(&mut world, now)["state"], "done", "seed {seed}");
    assert_eq!(there, BTreeSet::new(), "seed {seed}");
    assert_eq!(report(&mut world, now)["sessions"], 0, "seed {seed}");
    [deaths, again]
}

#[test]
fn p11_10_whatever_breaks_every_session_of_the_client_goes() {
    let mut all = [0, 0];
    for seed in 0..40 {
        let [deaths, again] = run(seed);
        all = [all[0] + deaths, all[1] + again];
    }
    assert!(10 < all[0] && 10 < all[1], "it happened: {all:?}");
}
