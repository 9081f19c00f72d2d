//! Sums of annotations (P9.3).

use crate::protocol::annotation::{Kind, Names, Sum, Sums};
use crate::protocol::data::json_bytes;
use crate::protocol::limits::{SUM_CLIENTS, SUMS_LISTED_BYTES};

/// The bytes of a number and of the signs around an entry, at most.
const ENTRY_BYTES: usize = 24;

/// A client's count of a name, if the sums tell: `None` if it may be one of those not listed.
pub(super) fn own(sums: &Sums, kind: &Kind, name: &str, client: &str) -> Option<u64> {
    let Some(sum) = sums.get(&kind.text).and_then(|names| names.get(name)) else {
        return Some(0);
    };
    match sum.clients.get(client) {
        None if sum.clipped => None,
        count => Some(count.copied().unwrap_or(0)),
    }
}

/// A client's count of a name grows from `before`.
pub(super) fn add(sums: &mut Sums, kind: &Kind, name: &str, client: &str, before: u64, count: u64) {
    let room = bytes(sums) + json_bytes(client) + ENTRY_BYTES <= SUMS_LISTED_BYTES;
    let names = sums.or_default(kind.text.clone());
    let sum = names.or_default(name.to_owned());
    sum.total = sum.total.saturating_add(count);
    let fits = room && sum.clients.len() < SUM_CLIENTS;
    if fits || sum.clients.contains_key(client) {
        let own = before.saturating_add(count);
        sum.clients.insert(client.to_owned(), own);
    }
    clip(sum);
}

/// A client's count of a name is gone.
pub(super) fn take(sums: &mut Sums, kind: &Kind, name: &str, client: &str, count: u64) {
    let Some(names) = sums.get_mut(&kind.text) else {
        return;
    };
    if let Some(sum) = names.get_mut(name) {
        sum.total = sum.total.saturating_sub(count);
        sum.clients.remove(client);
        clip(sum);
    }
    names.retain(|_, sum| 0 < sum.total);
    if names.is_empty() {
        sums.remove(&kind.text);
    }
}

/// Whether the clients listed are all there are follows from their counts.
fn clip(sum: &mut Sum) {
    let listed = sum.clients.values().sum::<u64>();
    sum.clipped = listed < sum.total;
}

/// About the bytes of the sums as JSON.
pub(super) fn bytes(sums: &Sums) -> usize {
    let kinds = sums.iter();
    kinds
        .map(|(kind, names)| entry(kind) + bytes_of_names(names))
        .sum()
}

fn bytes_of_names(names: &Names) -> usize {
    /// `"total"`, `"clients"` and `"clipped"` of a sum.
    const SUM_BYTES: usize = 48;
    let clients = |sum: &Sum| {
        sum.clients
            .keys()
            .map(|client| entry(client))
            .sum::<usize>()
    };
    let names = names.iter();
    names
        .map(|(name, sum)| entry(name) + SUM_BYTES + clients(sum))
        .sum()
}

fn entry(key: &str) -> usize {
    json_bytes(key) + ENTRY_BYTES
}

/// The names of all kinds together.
pub(super) fn names(sums: &Sums) -> usize {
    sums.values().map(Names::len).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::annotation::Method;

    #[test]
    fn p9_3_a_hundred_clients_are_listed_and_all_are_counted() {
        let kind = Kind {
            text: "like:distinct".to_owned(),
            method: Method::Distinct,
        };
        let mut sums = Sums::new();
        for client in 0..150 {
            add(&mut sums, &kind, "", &format!("c{client}"), 0, 1);
        }
        let sum = sums.get(&kind.text).unwrap().get("").unwrap();
        assert_eq!(
            (sum.total, sum.clients.len(), sum.clipped),
            (150, SUM_CLIENTS, true)
        );
        assert_eq!(own(&sums, &kind, "", "c3"), Some(1));
        assert_eq!(own(&sums, &kind, "", "c149"), None, "it must be looked up");
        assert_eq!(own(&sums, &kind, "x", "c149"), Some(0));
        for client in 50..150 {
            take(&mut sums, &kind, "", &format!("c{client}"), 1);
        }
        let sum = sums.get(&kind.text).unwrap().get("").unwrap();
        assert_eq!((sum.total, sum.clients.len(), sum.clipped), (50, 50, false));
        for client in 0..50 {
            take(&mut sums, &kind, "", &format!("c{client}"), 1);
        }
        assert!(sums.is_empty());
    }
}
