//! Whole runs of a session among clients, over a network that delays and cuts, on a host
//! that evicts, dies and has clocks that jump. One seed is one run, always the same.
//!
//! `SEED=7 cargo test --test simulation` repeats one, `SESSILE_SEEDS=10000` runs that many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    unreachable_pub,
    dead_code
)]

mod agree;
mod answer;
mod approvals;
mod calls;
mod checks;
mod client;
mod deliveries;
mod draft;
mod forks;
mod handover;
#[path = "../session/host.rs"]
mod host;
mod inboxes;
mod job;
#[path = "../judge/mod.rs"]
mod judge;
mod leader;
mod ledger;
mod push;
mod random;
#[path = "../session/reader.rs"]
mod reader;
mod revocation;
mod run;
mod seeds;
mod shared;
mod sim;
#[path = "../sqlite/mod.rs"]
mod sqlite;
mod usage;
mod user;
mod waking;
mod words;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::TRACE;

const SEEDS: u64 = 120;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs every second seed, so that two tests share the work.
fn simulate(parity: u64) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SESSILE_SEEDS").unwrap_or(SEEDS),
    };
    let is_whole = seeds.end - seeds.start == SEEDS;
    let mut interruptions = 0;
    for seed in seeds.filter(|seed| seed % 2 == parity) {
        let ran = catch_unwind(AssertUnwindSafe(|| run::run(seed)));
        interruptions += ran.as_ref().unwrap_or(&0);
        if ran.is_err() {
            let trace = TRACE.with_borrow(Clone::clone);
            let lines: Vec<&str> = trace.lines().collect();
            let from = if number("SEED").is_some() {
                0
            } else {
                lines.len().saturating_sub(40)
            };
            for line in &lines[from..] {
                eprintln!("{}", line.chars().take(300).collect::<String>());
            }
            panic!("SEED={seed} cargo test --test simulation repeats this");
        }
    }
    assert!(
        !is_whole || 500 < interruptions,
        "P6.6: {interruptions} were seen"
    );
}

#[test]
fn nothing_is_lost_and_nothing_is_twice_in_even_runs() {
    simulate(0);
}

#[test]
fn nothing_is_lost_and_nothing_is_twice_in_odd_runs() {
    simulate(1);
}

#[test]
fn one_seed_twice_is_the_same_run() {
    for seed in 1000..1005 {
        run::run(seed);
        let first = TRACE.with_borrow(Clone::clone);
        run::run(seed);
        let second = TRACE.with_borrow(Clone::clone);
        assert!(1000 < first.len(), "something happened");
        assert!(first == second, "seed {seed} made two different runs");
    }
}
