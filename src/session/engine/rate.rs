//! Rates of a connection, and of a client over all its connections (P14). Kept in memory only:
//! after a sleep everyone starts with full buckets.

use crate::machine::Bucket;
use crate::ordered::Map;
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{CLIENTS_MAX, Limits};

/// The buckets of one connection, or of one client.
#[derive(Debug)]
pub(crate) struct Rates {
    /// The sender that is too fast, as refusals name it.
    whose: &'static str,
    messages: Bucket,
    text: Bucket,
    frames: Bucket,
    signals: Bucket,
    refusals: Bucket,
    effects: Bucket,
}

impl Rates {
    /// This many connections' worth.
    pub(crate) fn new(limits: &Limits, times: u64, whose: &'static str) -> Self {
        let bucket = |per_second: u64, burst: u64| {
            Bucket::new(
                per_second.saturating_mul(times),
                burst.saturating_mul(times),
            )
        };
        let text = limits.text_bytes_per_second;
        let signals = limits.signals_per_second;
        let effects = limits.effect_bytes_per_second;
        Self {
            whose,
            messages: bucket(limits.messages_per_second, limits.messages_burst),
            // A second's worth, so that a single message is always allowed.
            text: bucket(text, text.max(limits.frame_bytes)),
            frames: bucket(limits.frames_per_second, limits.frames_burst),
            signals: bucket(signals, signals),
            refusals: bucket(limits.refusals_per_second, limits.refusals_burst),
            effects: Bucket::new(effects, effects),
        }
    }

    /// One WebSocket message: `Err` means that the connection must be closed, since even refusing
    /// so many costs too much.
    pub(crate) fn message(&mut self, now: Timestamp) -> Result<(), ErrorInfo> {
        let taken = self.messages.take(now, 1);
        taken.map_err(|wait| limited(self.whose, "send so many messages", wait))
    }

    /// The bytes of one WebSocket message.
    pub(crate) fn text(&mut self, now: Timestamp, bytes: usize) -> Result<(), ErrorInfo> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let taken = self.text.take(now, bytes);
        taken.map_err(|wait| limited(self.whose, "send so much text", wait))
    }

    /// One frame that goes to everybody.
    pub(crate) fn frame(&mut self, now: Timestamp, verb: &str) -> Result<(), ErrorInfo> {
        self.frames
            .take(now, 1)
            .map_err(|wait| limited(self.whose, verb, wait))
    }

    /// One signal.
    pub(crate) fn signal(&mut self, now: Timestamp, verb: &str) -> Result<(), ErrorInfo> {
        let taken = self.signals.take(now, 1);
        taken.map_err(|wait| limited(self.whose, verb, wait))
    }

    /// One frame that is refused: `Err` as for a message.
    pub(crate) fn refusal(&mut self, now: Timestamp) -> Result<(), ErrorInfo> {
        let taken = self.refusals.take(now, 1);
        taken.map_err(|wait| limited(self.whose, "send so much that is refused", wait))
    }

    /// Whether the client has any allowance for effects left, whatever their size.
    pub(crate) fn may_act(&mut self, now: Timestamp) -> Result<(), ErrorInfo> {
        let taken = self.effects.take(now, 1);
        taken.map_err(|wait| limited(self.whose, "do so much", wait))
    }

    /// One request: `Err` is its answer, whatever it asks for.
    pub(crate) fn may_ask(&mut self, now: Timestamp) -> Result<(), ErrorInfo> {
        self.message(now)?;
        self.may_act(now)?;
        let refusals = self.refusals.look(now, 1);
        refusals.map_err(|wait| limited(self.whose, "send so much that is refused", wait))
    }

    /// Charges the effects of an input, in bytes.
    pub(super) fn acted(&mut self, now: Timestamp, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.effects.charge(now, bytes);
    }

    fn are_full(&mut self, now: Timestamp) -> bool {
        let buckets = [
            &mut self.messages,
            &mut self.text,
            &mut self.frames,
            &mut self.signals,
            &mut self.refusals,
            &mut self.effects,
        ];
        buckets.into_iter().all(|bucket| bucket.is_full(now))
    }
}

/// The rates of clients, each over all that it sends: more connections do not make a client faster,
/// and requests have rates too.
#[derive(Debug, Default)]
pub(crate) struct Clients(Map<String, Rates>);

impl Clients {
    /// Takes something from the rates of a client, who begins with full buckets.
    pub(super) fn of<T>(
        &mut self,
        now: Timestamp,
        client: &str,
        limits: &Limits,
        take: impl FnOnce(&mut Rates) -> T,
    ) -> T {
        if let Some(rates) = self.0.get_mut(client) {
            return take(rates);
        }
        if CLIENTS_MAX <= self.0.len() {
            self.forget(now);
        }
        let mut rates = Rates::new(limits, limits.client_rates, "client");
        let taken = take(&mut rates);
        self.0.insert(client.to_owned(), rates);
        taken
    }

    /// Forgets clients with full buckets; if there are none, the one that was quiet for longest.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, rates| !rates.are_full(now));
        if CLIENTS_MAX <= self.0.len() {
            let quiet = self
                .0
                .iter()
                .min_by_key(|(_, rates)| rates.messages.filled_at);
            let quiet = quiet.map(|(client, _)| client.clone());
            if let Some(quiet) = quiet {
                self.0.remove(&quiet);
            }
        }
    }
}

fn limited(whose: &str, verb: &str, wait_ms: u64) -> ErrorInfo {
    let message = format!("unable to {verb}; the {whose} sends too fast, wait {wait_ms} ms");
    ErrorInfo::rate_limited(message, wait_ms)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_its_turn() {
        let mut bucket = Bucket::new(20, 3);
        for _ in 0..3 {
            bucket.take(1_000, 1).unwrap();
        }
        assert_eq!(bucket.take(1_000, 1), Err(50));
        assert_eq!(bucket.take(1_049, 1), Err(1));
        bucket.take(1_050, 1).unwrap();
    }

    #[test]
    fn a_clock_that_jumps_back_gives_nothing_twice() {
        let mut bucket = Bucket::new(1, 1);
        bucket.take(10_000, 1).unwrap();
        assert!(bucket.take(0, 1).is_err());
        assert!(bucket.take(10_001, 1).is_err());
    }

    #[test]
    fn what_was_done_is_paid_back_before_anything_else_is() {
        let mut bucket = Bucket::new(10, 10);
        bucket.charge(0, 30);
        assert_eq!(bucket.take(0, 1), Err(2_100));
        assert_eq!(bucket.look(2_099, 1), Err(1));
        bucket.take(2_100, 1).unwrap();
    }

    #[test]
    fn clients_are_bounded_and_whoever_owes_is_remembered() {
        let (mut clients, limits) = (Clients::default(), Limits::default());
        clients.of(0, "debtor", &limits, |rates| rates.acted(0, 1 << 30));
        for number in 0..3 * CLIENTS_MAX {
            let client = format!("client-{number}");
            clients
                .of(0, &client, &limits, |rates| rates.message(0))
                .unwrap();
            assert!(clients.0.len() <= CLIENTS_MAX);
        }
        assert!(
            clients
                .of(0, "client-1", &limits, |rates| rates.may_act(0))
                .is_ok()
        );
        let mut clients = Clients::default();
        clients.of(0, "debtor", &limits, |rates| rates.acted(0, 1 << 30));
        for number in 0..3 * CLIENTS_MAX {
            // Each has full buckets again when the next one comes.
            let (client, now) = (
                format!("client-{number}"),
                Timestamp::try_from(number).unwrap(),
            );
            clients
                .of(now, &client, &limits, |rates| rates.message(now))
                .unwrap();
        }
        assert!(
            clients
                .of(9_000, "debtor", &limits, |rates| rates.may_act(9_000))
                .is_err()
        );
    }
}
