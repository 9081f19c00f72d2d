//! The seeds of a world: each is one run, and its counts show that enough has happened.

use std::ops::AddAssign;
use std::panic::{RefUnwindSafe, catch_unwind};

/// The sums of the counts of all runs, and whether these are as many as a whole test has.
/// `SEED` runs one of them, `SESSILE_SEEDS` so many.
pub fn each_seed<T: Copy + Default + AddAssign, const N: usize>(
    name: &str,
    whole: u64,
    run: impl Fn(u64) -> [T; N] + RefUnwindSafe,
) -> ([T; N], bool) {
    let seeds = match crate::number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..crate::number("SESSILE_SEEDS").unwrap_or(whole),
    };
    let is_whole = whole <= seeds.end - seeds.start;
    let mut sums = [T::default(); N];
    for seed in seeds {
        let Ok(counts) = catch_unwind(|| run(seed)) else {
            panic!("SEED={seed} cargo test --test simulation {name} repeats this");
        };
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    (sums, is_whole)
}
