//! Chance that is the same for the same seed.

use crate::host::Fate;

/// SplitMix64: small, and good enough to decide what breaks next.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
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
