//! Everything that devices are owed goes out when it is due, and its outcome comes back (P10.2).

use serde_json::json;

use super::delivery::{Decide, Delivered, Delivery, Posting};
use super::{Effect, Inbox};
use crate::machine::Started;
use crate::protocol::ids::Timestamp;
use crate::protocol::news::ItemKind;
use crate::protocol::notice::{Letter, percent_encoded};
use crate::store::{DeliveryWrite, InboxStore, InboxWrite, ItemKey, ItemState, StoreError};
use crate::token::decide_claims;

impl Inbox {
    /// Begins the attempts that are due. Notices that are stale by now are dropped.
    pub(super) fn post(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        loop {
            let mut write = InboxWrite::default();
            for Started { number, target, .. } in self.queue.start(now) {
                match self.delivery(store, now, number, &target)? {
                    Some(posting) => out.push(Effect::Deliver(Delivery::Post(posting))),
                    None => write.owed.push(self.queue.forget(number)),
                }
            }
            if write.owed.is_empty() {
                return Ok(());
            }
            store.write(&write, true)?;
        }
    }

    /// A delivery as it goes out; `None` if nobody needs it any more.
    fn delivery(
        &self,
        store: &InboxStore,
        now: Timestamp,
        number: u64,
        id: &str,
    ) -> Result<Option<Posting>, StoreError> {
        let (Some(device), Some(parcel)) = (self.devices.get(id), store.parcel(number)?) else {
            return Ok(None);
        };
        let unreadable = |_| StoreError("a notice is unreadable".to_owned());
        let letter: Letter = serde_json::from_str(&parcel.body).map_err(unreadable)?;
        let is_open = letter.approval.as_ref().is_none_or(|approval| {
            let key = ItemKey {
                session: letter.session.clone(),
                kind: ItemKind::Approval,
                id: approval.clone(),
            };
            self.items.state(&key) == Some(ItemState::Open)
        });
        if !is_open || letter.until <= now {
            return Ok(None);
        }
        let url = format!("{}/v1/sessions/{}", device.origin, letter.session);
        let ttl_s = letter.until.saturating_sub(now) / 1000;
        let urgency = match letter.approval {
            Some(_) => "high",
            None => "normal",
        };
        let options = json!({
            "id": parcel.id, "collapse": letter.collapse, "ttlS": ttl_s, "urgency": urgency,
        });
        let decide = letter.approval.filter(|_| letter.decides).map(|approval| {
            let (client, until) = (self.client(), letter.until);
            Decide {
                url: format!("{url}/approvals/{}/decide", percent_encoded(&approval)),
                claims: decide_claims(&letter.session, client, &approval, now, until),
            }
        });
        let notice = letter.notice.get();
        let rest = notice.strip_prefix('{').unwrap_or_default();
        Ok(Some(Posting {
            number,
            device: device.address.json.clone(),
            notice: format!("{{\"url\":{},{rest}", json!(url)),
            options: options.to_string(),
            decide,
        }))
    }

    /// The client whose inbox it is.
    pub(super) fn client(&self) -> &str {
        self.name.strip_prefix("client:").unwrap_or_default()
    }

    /// Takes the outcome of an attempt: a device that is gone is removed.
    pub(super) fn settle(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        delivered: &Delivered,
    ) -> Result<(), StoreError> {
        let Some(id) = self.queue.target_of(delivered.number) else {
            return Ok(());
        };
        if delivered.is_gone {
            return self.remove_device(store, &id);
        }
        let outcome = delivered.outcome();
        let owed = self.queue.settle(now, delivered.number, &outcome, 0);
        self.keep(store, owed)
    }

    /// Forgets dead letters that are old.
    pub(super) fn forget_letters(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owed = self.queue.forget_letters(now);
        self.keep(store, owed)
    }

    fn keep(&self, store: &InboxStore, owed: Vec<DeliveryWrite>) -> Result<(), StoreError> {
        let write = InboxWrite {
            owed,
            ..InboxWrite::default()
        };
        store.write(&write, true)
    }
}
