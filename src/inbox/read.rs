//! The lists of an inbox, as far as a token may see them (P15.1).

use serde_json::value::RawValue;

use super::{Inbox, Sight};
use crate::protocol::capability::Operation;
use crate::protocol::frame::encode;
use crate::protocol::inbox::{Content, Lists, Next, Page, list_answer};
use crate::protocol::limits::{INBOX_LIST, PAGE_BYTES};
use crate::protocol::news::ItemKind;
use crate::store::{InboxStore, ItemKey, StoreError};

/// Bodies that are read at once.
const CHUNK: usize = 50;

/// A part of a list, and the cursor of the next.
pub(super) type Listed = (Vec<Box<RawValue>>, Option<String>);

impl Inbox {
    /// Whether a token may see a session here: it may read it, and in a role's inbox its role there
    /// is that role.
    pub(super) fn may_see(&self, sight: &Sight, session: &str) -> bool {
        let operations = sight.capabilities.resolve(session);
        let may_read = operations.is_some_and(|it| it.contains(Operation::Read));
        let role = sight.role;
        may_read
            && self
                .role
                .is_none_or(|own| own == role.unwrap_or_else(|| sight.capabilities.role(session)))
    }

    /// A page of a list, which ends at a megabyte.
    pub(super) fn page(
        &self,
        store: &InboxStore,
        sight: &Sight,
        page: &Page,
    ) -> Result<Listed, StoreError> {
        let (keys, has_more) = self.items.page(page, |it| self.may_see(sight, it));
        let (bodies, read) = bounded(store, &keys)?;
        let last = read.checked_sub(1).and_then(|last| keys.get(last));
        let is_cut = has_more || read < keys.len();
        let next = last.filter(|_| is_cut);
        let next = next.and_then(|key| self.items.cursor(key));
        Ok((bodies, next.map(|cursor| cursor.text())))
    }

    /// All lists, each as far as it fits.
    pub(super) fn lists(&self, store: &InboxStore, sight: &Sight) -> Result<Lists, StoreError> {
        let list = |kind| {
            let page = Page {
                kind,
                all: false,
                cursor: None,
                limit: INBOX_LIST,
            };
            self.page(store, sight, &page)
        };
        let (sessions, more_sessions) = list(ItemKind::Session)?;
        let (approvals, more_approvals) = list(ItemKind::Approval)?;
        let (calls, more_calls) = list(ItemKind::Call)?;
        let (work, more_work) = list(ItemKind::Work)?;
        Ok(Lists {
            sessions,
            approvals,
            calls,
            work,
            next: Next {
                sessions: more_sessions,
                approvals: more_approvals,
                calls: more_calls,
                work: more_work,
            },
        })
    }

    /// `GET /v1/inbox`.
    pub(super) fn content(&self, store: &InboxStore, sight: &Sight) -> Result<String, StoreError> {
        let content = Content {
            lists: self.lists(store, sight)?,
            serial: self.epoch.at(self.items.version).to_string(),
        };
        Ok(encode(&content))
    }

    /// `GET /v1/sessions`, `GET /v1/approvals`.
    pub(super) fn one_list(
        &self,
        store: &InboxStore,
        sight: &Sight,
        page: &Page,
    ) -> Result<String, StoreError> {
        let (items, next) = self.page(store, sight, page)?;
        Ok(list_answer(page.kind, &items, next.as_deref()))
    }
}

/// The bodies of items up to a megabyte, one at least; and how many items were read.
fn bounded(
    store: &InboxStore,
    keys: &[&ItemKey],
) -> Result<(Vec<Box<RawValue>>, usize), StoreError> {
    let (mut bodies, mut bytes, mut read) = (Vec::new(), 0, 0);
    for keys in keys.chunks(CHUNK) {
        for body in store.bodies(keys)? {
            bytes += body.len();
            if PAGE_BYTES < bytes && 0 < read {
                return Ok((bodies, read));
            }
            read += 1;
            let body = RawValue::from_string(body);
            bodies.push(body.map_err(|_| StoreError("an item is unreadable".to_owned()))?);
        }
    }
    Ok((bodies, read))
}
