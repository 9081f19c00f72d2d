//! Chance that is the same for the same seed.

use std::collections::BTreeSet;

use crate::host::Fate;

/// SplitMix64: small, and good enough to decide what breaks next.
pub struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The seed is mixed, so that runs of neighbouring seeds share no numbers.
    pub fn new(seed: u64) -> Self {
        Self(mixed(seed.wrapping_add(STEP)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number from `least` on and below `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least).max(1)
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.next() % 1000 < per_mille
    }

    /// The end of an input: good so many times in a thousand, and always in calm.
    pub fn fate(&mut self, is_calm: bool, lives: u64) -> Fate {
        match () {
            () if is_calm || self.chance(lives) => Fate::Lives,
            () if self.chance(300) => Fate::DiskFails(self.between(0, 12)),
            () if self.chance(500) => Fate::DiesBefore,
            () => Fate::DiesAfter,
        }
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let index = self.between(0, list.len() as u64);
        &list[index as usize]
    }
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn seeds_share_no_numbers() {
    let numbers = |seed| {
        let mut random = Random::new(seed);
        (0..100).map(move |_| random.next())
    };
    let all: BTreeSet<u64> = (0..100).flat_map(numbers).collect();
    assert_eq!(all.len(), 10_000);
}
