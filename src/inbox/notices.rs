//! Notices: a client that is away is told on its devices (P10.2). The session says whether the
//! client is away; everything else is decided here, in the step that takes the news.

use serde_json::value::RawValue;

use super::Inbox;
use crate::protocol::approval::{Choice, Kind};
use crate::protocol::capability::Operation;
use crate::protocol::frame::encode;
use crate::protocol::ids::{Timestamp, after};
use crate::protocol::limits::{
    DECIDE_MS, NOTICE_ACTIONS, NOTICE_MS, NOTICES_AT_ONCE, NOTICES_COMPARED,
};
use crate::protocol::news::{Item, ItemKind, News};
use crate::protocol::notice::{Action, Ended, Letter, Notice, Said};
use crate::protocol::object::read_fields;
use crate::protocol::turn::Ending;
use crate::store::{
    DeliveryKind, DeliveryWrite, InboxStore, InboxWrite, ItemKey, Life, Parcel, StoreError,
};

/// A notice for every device that may hear of its session.
struct Event<'a> {
    notice: Notice<'a>,
    /// Its buttons, for devices that may decide.
    actions: Vec<Action>,
    /// A newer notice with the same takes its place.
    collapse: String,
    /// When it is stale.
    until: Timestamp,
}

impl Inbox {
    /// The rows by which devices are owed notices of news that this inbox takes now.
    pub(super) fn notices(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        news: &News,
        life: Life,
    ) -> Result<Vec<DeliveryWrite>, StoreError> {
        let Some(away) = news.away.as_ref().filter(|_| !self.devices.is_empty()) else {
            return Ok(Vec::new());
        };
        let told = self.items.told(&news.session, life);
        let mut writes = Vec::new();
        for ended in away.ended.iter().filter(|ended| told < ended.place) {
            let id = format!("{}-{}", news.session, life.epoch.at(ended.place));
            writes.extend(self.owe(store, now, &of_turn(news, ended, &id))?);
        }
        let new = news
            .items
            .iter()
            .filter(|item| self.is_new_approval(news, item));
        let new: Vec<&Item> = new.collect();
        for item in new.iter().rev().take(NOTICES_AT_ONCE).rev() {
            let Ok(asked) = serde_json::from_str::<Asked>(item.body.get()) else {
                continue;
            };
            let id = format!("{}-{}", news.session, asked.serial);
            let event = of_approval(news, item, &asked, &id);
            writes.extend(self.owe(store, now, &event)?);
        }
        Ok(writes)
    }

    /// Whether an item is an approval that waits, of which this inbox knows nothing yet.
    fn is_new_approval(&self, news: &News, item: &Item) -> bool {
        let key = ItemKey {
            session: news.session.clone(),
            kind: item.kind,
            id: item.id.clone(),
        };
        let is_approval = item.kind == ItemKind::Approval && item.is_open;
        is_approval && self.items.state(&key).is_none()
    }

    /// Takes the words of an agent that a session passes on.
    pub(super) fn pass_on(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        said: &Said,
    ) -> Result<(u16, String), StoreError> {
        let event = Event {
            notice: Notice {
                kind: "notify",
                id: &said.id,
                title: &said.title,
                body: said.body.as_deref(),
                session: &said.session,
                at: said.at,
                data: said.data.as_ref(),
                ..Notice::default()
            },
            actions: Vec::new(),
            collapse: said.id.clone(),
            until: after(said.at, NOTICE_MS),
        };
        let owed = self.owe(store, now, &event)?;
        let write = InboxWrite {
            owed,
            ..InboxWrite::default()
        };
        store.write(&write, !self.items.is_empty())?;
        Ok((200, "{}".to_owned()))
    }

    /// The rows by which each device that may hear of its session is owed a notice, once.
    fn owe(
        &mut self,
        store: &InboxStore,
        now: Timestamp,
        event: &Event<'_>,
    ) -> Result<Vec<DeliveryWrite>, StoreError> {
        const KIND: DeliveryKind = DeliveryKind::Device;
        let Event { notice, .. } = event;
        let mut writes = Vec::new();
        let devices = self.devices.iter();
        let devices = devices.filter_map(|(id, device)| {
            let operations = device.capabilities.resolve(notice.session)?;
            let may_hear = operations.contains(Operation::Push);
            may_hear.then(|| (id.clone(), operations.contains(Operation::Approve)))
        });
        for (device, decides) in devices.collect::<Vec<_>>() {
            // One that failed waits, and one in its place waits as long.
            let due_at = self.queue.due_at(KIND, &device).unwrap_or(now);
            let mut is_owed = false;
            let waiting = self.queue.waiting(KIND, &device);
            for number in waiting.into_iter().rev().take(NOTICES_COMPARED) {
                let Some(parcel) = store.parcel(number)? else {
                    continue;
                };
                is_owed |= parcel.id == notice.id;
                let letter = serde_json::from_str::<Letter>(&parcel.body);
                let is_older = letter.is_ok_and(|it| it.collapse == event.collapse);
                if is_older && parcel.id != notice.id {
                    writes.push(self.queue.forget(number));
                }
            }
            let Some(body) = event.letter(decides).filter(|_| !is_owed) else {
                continue;
            };
            let parcel = |_| Parcel {
                id: notice.id.to_owned(),
                body,
            };
            let mut added = self.queue.add(now, KIND, &device, None, parcel);
            self.queue.put_off(&mut added, due_at);
            writes.extend(added);
        }
        Ok(writes)
    }
}

impl Event<'_> {
    /// The notice as it is stored for a device.
    fn letter(&self, decides: bool) -> Option<String> {
        let actions = match decides {
            true => self.actions.as_slice(),
            false => &[],
        };
        let notice = encode(&Notice {
            actions,
            ..self.notice.clone()
        });
        let letter = Letter {
            notice: RawValue::from_string(notice).ok()?,
            session: self.notice.session.to_owned(),
            approval: self.notice.approval.map(str::to_owned),
            decides,
            collapse: self.collapse.clone(),
            until: self.until,
        };
        Some(encode(&letter))
    }
}

/// An approval, as far as a notice says it.
struct Asked {
    serial: String,
    kind: Kind,
    title: String,
    description: Option<String>,
    options: Vec<Choice>,
    deadline_at: Option<Timestamp>,
}

read_fields!(Asked {
    serial,
    kind,
    title,
    description,
    options: or_default,
    deadline_at as "deadlineAt",
});

fn of_turn<'a>(news: &'a News, ended: &'a Ended, id: &'a str) -> Event<'a> {
    let title = match ended.status {
        Ending::Complete => "The answer is ready",
        Ending::Cancelled => "The answer was stopped",
        Ending::Failed => "The answer failed",
    };
    let about = news.about.as_ref();
    Event {
        notice: Notice {
            kind: "turn.end",
            id,
            title,
            body: about.and_then(|about| about.title.as_deref()),
            session: &news.session,
            at: ended.at,
            turn: Some(&ended.turn),
            status: Some(ended.status),
            ..Notice::default()
        },
        actions: Vec::new(),
        collapse: format!("{}/turns", news.session),
        until: after(ended.at, NOTICE_MS),
    }
}

fn of_approval<'a>(news: &'a News, item: &'a Item, asked: &'a Asked, id: &'a str) -> Event<'a> {
    let action = |action: &str, title: &str| Action {
        action: action.to_owned(),
        title: title.to_owned(),
    };
    let (kind, actions) = match asked.kind {
        Kind::Approval => (
            "approval",
            vec![action("approve", "Approve"), action("reject", "Reject")],
        ),
        Kind::Question => {
            let options = asked.options.iter().take(NOTICE_ACTIONS);
            let options = options.map(|option| action(&option.id, &option.label));
            ("question", options.collect())
        }
    };
    let longest = after(item.at, DECIDE_MS);
    Event {
        notice: Notice {
            kind: "approval.request",
            id,
            title: &asked.title,
            body: asked.description.as_deref(),
            session: &news.session,
            at: item.at,
            approval: Some(&item.id),
            asked: Some(kind),
            ..Notice::default()
        },
        actions,
        collapse: format!("{}/approvals/{}", news.session, item.id),
        until: asked.deadline_at.unwrap_or(longest).min(longest),
    }
}
