//! Contacts: the inbox of each client that comes is told so, once (P11.5).
//!
//! A client comes when it connects, or writes by HTTP. The session's own row says who came, and
//! whose inbox knows. A telling that succeeds costs no row of its own: when the session wakes, it
//! tells the others once more, and then the row says that they know. An alarm wakes it for those
//! whose telling a crash may have prevented. A client that only reads is in no row before, as its
//! connection says that it came.

use super::state::{Contact, NUMBERS, Revoked};
use crate::machine::{next_number, wait_ms};
use crate::ordered::Set;
use crate::protocol::frame::encode;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{
    CONTACTS_AT_ONCE, CONTACTS_IMPORTED, CONTACTS_KEPT, DELIVERY_SLACK_MS, TELL_AGAIN_MS_MOST,
};
use crate::protocol::revocation::Revocation;
use crate::session::context::{Context, Memory};
use crate::session::engine::{Delivered, Delivery, Outcome, Owner, Wait, after};
use crate::session::inboxes::part::INBOXES;
use crate::session::part::Part;
use crate::store::{DeliveryKind, MetaWrite, StoreError};
use crate::token::check_client;

/// Milliseconds until an inbox is tried again that is first to hear of the end of an earlier life.
const BEHIND_MS: u64 = 2_000;

/// Contacts, as a part of the session.
pub(crate) struct Contacts;

/// They wait for a telling that a crash prevented, or that failed.
const CONTACTS: Owner = Owner {
    name: "contacts",
    wait: Wait::Alarm,
};

impl Part for Contacts {
    const OWNER: Option<Owner> = Some(CONTACTS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let mut revoked = Revoked::default();
        if cx.engine.outbound.has_inboxes {
            if cx.engine.created_at.is_some() {
                for line in cx.engine.store.contacts()?.lines() {
                    let (sign, client) = line.split_at_checked(1).unwrap_or_default();
                    match sign {
                        "+" => _ = revoked.clients.insert(client.to_owned(), Contact::Told),
                        _ => revoked.meet(client, false),
                    }
                }
            }
            for live in cx.engine.connections.values() {
                revoked.meet(&live.connection.client, false);
            }
            // Those were told once before, as it seems: this time the row says so.
            revoked.is_again = revoked.is_stirred;
        }
        cx.memory.revoked = revoked;
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let revoked = &cx.memory.revoked;
        let other = cx.engine.clock.next_beside(CONTACTS);
        let is_covered = other <= after(cx.engine.now, TELL_AGAIN_MS_MOST)
            // A session without rows has none to make up for.
            || cx.engine.created_at.is_none();
        let times = revoked.clients.values().map(|contact| match contact {
            Contact::Owed => revoked.retry_at,
            Contact::UnderWay { until, .. } if !is_covered => *until,
            _ => Timestamp::MAX,
        });
        times.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        start(cx)
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let revoked = &cx.memory.revoked;
        let is_to_save = revoked.is_unsaved && cx.engine.created_at.is_some();
        match revoked.is_stirred || is_to_save {
            true => start(cx),
            false => Ok(()),
        }
    }
}

impl Revoked {
    /// A client comes; one that may write is kept before it is told.
    fn meet(&mut self, client: &str, may_write: bool) {
        if self.clients.get(client).is_some() {
            return;
        }
        if CONTACTS_KEPT <= self.clients.len() {
            self.clients.retain(|_, contact| *contact != Contact::Told);
        }
        self.clients.insert(client.to_owned(), Contact::Owed);
        self.is_stirred = true;
        self.is_unsaved |= may_write;
    }

    /// The number of another telling, if there is room for one.
    fn number(&mut self, now: Timestamp) -> Option<u64> {
        let contacts = self.clients.values();
        let busy = contacts.filter(|contact| matches!(contact, Contact::UnderWay { .. }));
        if CONTACTS_AT_ONCE <= busy.count() || now < self.retry_at {
            return None;
        }
        self.last = next_number(now, self.last);
        Some(NUMBERS.saturating_add(self.last))
    }

    fn lines(&self) -> String {
        let line = |(client, contact): (&String, &Contact)| {
            let sign = if *contact == Contact::Told { '+' } else { '-' };
            format!("{sign}{client}\n")
        };
        self.clients.iter().map(line).collect()
    }
}

/// A client comes: its inbox is told, unless it knows.
pub(crate) fn meet(cx: &mut Context<'_>, client: &str, may_write: bool) {
    if cx.engine.outbound.has_inboxes {
        cx.memory.revoked.meet(client, may_write);
    }
}

/// The clients of a session that is being imported, as its row has them: those that it has, and
/// these, whose words it brings. `None` if it has all of them.
pub(crate) fn with_clients(known: String, clients: &Set<String>) -> Option<String> {
    let mut lines = known;
    let before = lines.len();
    let mut count = lines.lines().count();
    for client in clients {
        let is_known = lines
            .lines()
            .any(|line| line.get(1..) == Some(client.as_str()));
        if count < CONTACTS_IMPORTED && !is_known && check_client(client).is_ok() {
            lines.extend(["-", client, "\n"]);
            count += 1;
        }
    }
    (before < lines.len()).then_some(lines)
}

/// The inboxes of the clients that came, as far as they are known.
pub(crate) fn inboxes(memory: &Memory) -> Set<String> {
    let clients = memory.revoked.clients.keys();
    clients.map(|client| format!("client:{client}")).collect()
}

/// Begins the tellings that are due, and keeps who came.
fn start(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let now = cx.engine.now;
    let until = after(
        now,
        cx.engine
            .limits
            .delivery_ms
            .saturating_add(DELIVERY_SLACK_MS),
    );
    let queue = &cx.memory.deliveries;
    let revoked = &mut cx.memory.revoked;
    revoked.is_stirred = false;
    for contact in revoked.clients.values_mut() {
        if matches!(contact, Contact::UnderWay { until, .. } if *until <= now) {
            *contact = Contact::Owed;
        }
    }
    loop {
        let mut clients = revoked.clients.iter();
        let owed = clients.find(|(client, contact)| {
            let inbox = || format!("client:{client}");
            **contact == Contact::Owed && !queue.owes(DeliveryKind::Inbox, &inbox())
        });
        let Some(client) = owed.map(|(client, _)| client.clone()) else {
            // It is to hear of the end of an earlier life first, which it takes for that of all.
            if revoked.clients.values().any(|it| *it == Contact::Owed) {
                revoked.retry_at = revoked.retry_at.max(after(now, BEHIND_MS));
            }
            break;
        };
        let Some(number) = revoked.number(now) else {
            break;
        };
        let connections = cx.engine.state.connections.values();
        let own = connections.filter(|live| live.connection.client == client);
        let issued_at = own.map(|live| live.connection.issued_at).min();
        let contact = Revocation {
            session: Some(cx.engine.id.clone()),
            before: issued_at.unwrap_or(Timestamp::MAX),
            ..Revocation::default()
        };
        cx.engine.out.deliveries.push(Delivery {
            number,
            id: String::new(),
            kind: DeliveryKind::Contact,
            target: format!("client:{client}"),
            body: encode(&contact),
            wants_token: false,
        });
        revoked
            .clients
            .insert(client, Contact::UnderWay { number, until });
    }
    let is_told = |contact: &Contact| *contact == Contact::Told;
    if revoked.is_again && revoked.clients.values().all(is_told) {
        (revoked.is_again, revoked.is_unsaved) = (false, true);
    }
    if revoked.is_unsaved && cx.engine.created_at.is_some() {
        revoked.is_unsaved = false;
        let lines = MetaWrite::Contacts(revoked.lines());
        match cx.engine.write_beside(&[lines.into()]) {
            // Without room, those that come again are told again.
            Err(error) if !error.is_full() => return Err(error),
            _ => {}
        }
    }
    let at = Contacts::due_at(cx);
    cx.engine.state.clock.set(CONTACTS, at);
    // News for inboxes may have counted on this alarm.
    cx.engine.state.clock.stir(INBOXES);
    Ok(())
}

/// Takes the outcome of a telling.
pub(crate) fn settle(cx: &mut Context<'_>, delivered: &Delivered) {
    let revoked = &mut cx.memory.revoked;
    let mut contacts = revoked.clients.values_mut();
    let is_it = |contact: &Contact| match contact {
        Contact::UnderWay { number, .. } => *number == delivered.number,
        _ => false,
    };
    let Some(contact) = contacts.find(|contact| is_it(contact)) else {
        return;
    };
    let is_taken = matches!(
        delivered.outcome,
        Outcome::Answered {
            status: 200..300,
            ..
        }
    );
    revoked.is_stirred = true;
    if is_taken {
        *contact = Contact::Told;
        revoked.failures = 0;
        return;
    }
    *contact = Contact::Owed;
    revoked.failures += 1;
    let wait = wait_ms(delivered.number, revoked.failures, None);
    revoked.retry_at = after(cx.engine.now, wait);
}
