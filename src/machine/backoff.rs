//! The wait between two attempts at a delivery.

/// The wait after the first failed attempt, in milliseconds: an endpoint restarts in that time.
const FIRST_MS: u64 = 1_000;
/// The longest wait that an endpoint does not ask for, in milliseconds: after an outage
/// deliveries resume within the hour.
const LONGEST_MS: u64 = 60 * 60 * 1_000;
/// The longest wait that an endpoint may ask for, in milliseconds.
const ASKED_MS: u64 = 24 * 60 * 60 * 1_000;

/// Milliseconds to wait after so many attempts. The wait doubles, and is shortened by up to a
/// third that depends on the number, so that sessions that failed together do not return
/// together. An endpoint may lengthen it (`Retry-After`), never shorten it.
pub(crate) fn wait_ms(number: u64, attempts: u64, asked_ms: Option<u64>) -> u64 {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let doubled = FIRST_MS
        .checked_shl(doublings.min(32))
        .unwrap_or(LONGEST_MS);
    let wait = doubled.min(LONGEST_MS);
    let less = mixed(number, attempts) % (wait / 3 + 1);
    (wait - less).max(asked_ms.unwrap_or(0).min(ASKED_MS))
}

/// Mixes both numbers so that every bit depends on all of theirs (`SplitMix64`).
fn mixed(number: u64, attempts: u64) -> u64 {
    let sum = number ^ attempts.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let sum = (sum ^ sum >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = (sum ^ sum >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum ^ sum >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        for (attempts, longest) in [(1, 1_000), (2, 2_000), (5, 16_000), (12, 2_048_000)] {
            let wait = wait_ms(7, attempts, None);
            assert!(
                (longest * 2 / 3..=longest).contains(&wait),
                "{attempts}: {wait}"
            );
        }
        for attempts in [13, 33, 34, 70, u64::MAX] {
            let wait = wait_ms(7, attempts, None);
            assert!(
                (LONGEST_MS * 2 / 3..=LONGEST_MS).contains(&wait),
                "{attempts}: {wait}"
            );
        }
    }

    #[test]
    fn sessions_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<u64> =
            (0..100).map(|number| wait_ms(number, 10, None)).collect();
        assert!(90 < waits.len(), "{waits:?}");
    }

    #[test]
    fn an_endpoint_may_ask_for_more_and_not_for_less() {
        assert_eq!(wait_ms(7, 3, Some(60_000)), 60_000);
        assert_eq!(wait_ms(7, 3, Some(0)), wait_ms(7, 3, None));
        assert_eq!(wait_ms(7, 3, Some(u64::MAX)), ASKED_MS);
    }
}
