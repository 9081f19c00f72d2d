//! A model of the store, in memory and without regard to cost; and one hand that does the same to
//! both, as the session would.

use std::collections::BTreeMap;
use std::rc::Rc;

use sessile::protocol::data::{Data, units};
use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::message::{Headers, Message, Role, Status, as_json};
use sessile::protocol::serial::{Epoch, Place};
use sessile::protocol::settings::Settings;
use sessile::protocol::turn::Cancel;
use sessile::store::{
    Beginning, Change, Close, End, Entry, Growth, IdWrite, Kept, Kind, MessageWrite, MetaWrite,
    NewFields, Store, Tail, TextWrite, Trim, Write,
};

use crate::sqlite::Sqlite;

/// Rows of the tests are full early, so that short texts have many segments.
pub(crate) const TAIL_BYTES: usize = 24;

pub(crate) fn epoch() -> Epoch {
    Epoch::parse("t35t").expect("an epoch")
}

/// A message, and how long its text was at which of its versions, if that is known.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) message: Message,
    pub(crate) known: Vec<(Place, u64)>,
    pub(crate) tail: Tail,
}

/// The model, and the store that must be equal to it.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) sqlite: Sqlite,
    pub(crate) store: Store,
    pub(crate) held: BTreeMap<Place, Held>,
    pub(crate) changes: Vec<(Place, Place, Change)>,
    pub(crate) ids: BTreeMap<(String, i64, String), (Place, Timestamp)>,
    pub(crate) turns: BTreeMap<Place, Kept>,
    /// Where each turn changed.
    pub(crate) turn_changes: Vec<(Place, Place)>,
    pub(crate) cancels: BTreeMap<Place, Cancel>,
    pub(crate) end: End,
    pub(crate) floor: Place,
    pub(crate) trimmed_at: Option<Timestamp>,
    settings: Settings,
    now: Timestamp,
}

/// A message to publish.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) data: Data,
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) headers: Option<Headers>,
    pub(crate) is_streaming: bool,
    /// Which of the open turns it is of.
    pub(crate) turn: Option<usize>,
}

impl Draft {
    pub(crate) fn text(text: &str) -> Self {
        Self {
            data: Data::Text(text.to_owned()),
            name: "message".to_owned(),
            id: None,
            headers: None,
            is_streaming: false,
            turn: None,
        }
    }

    pub(crate) fn streaming(text: &str) -> Self {
        Self {
            is_streaming: true,
            ..Self::text(text)
        }
    }
}

impl Pair {
    /// A session that has begun.
    pub(crate) fn new() -> Self {
        let sqlite = Sqlite::new();
        let pair = Self {
            store: Store::new(Rc::new(sqlite.clone())),
            sqlite,
            held: BTreeMap::new(),
            changes: Vec::new(),
            ids: BTreeMap::new(),
            turns: BTreeMap::new(),
            turn_changes: Vec::new(),
            cancels: BTreeMap::new(),
            end: End {
                place: 0,
                written_at: 1_000,
            },
            floor: 0,
            trimmed_at: None,
            settings: Settings::default(),
            now: 1_000,
        };
        pair.write(&[MetaWrite::Begin(pair.beginning()).into()]);
        pair
    }

    pub(crate) fn beginning(&self) -> Beginning {
        Beginning {
            epoch: epoch(),
            created_at: 1_000,
            floor: self.floor,
            trimmed_at: self.trimmed_at,
            settings: self.settings.clone(),
        }
    }

    /// The same rows, looked at by a session that has just woken up.
    pub(crate) fn reload(&mut self) {
        self.store = Store::new(Rc::new(self.sqlite.clone()));
    }

    pub(crate) fn write(&self, writes: &[Write]) {
        self.store.write(writes).expect("what is written");
    }

    pub(crate) fn next(&mut self) -> (Place, Timestamp) {
        self.now += 7;
        self.end = End {
            place: self.end.place + 1,
            written_at: self.now,
        };
        (self.end.place, self.now)
    }

    /// One of the messages that are not deleted.
    pub(crate) fn any(&self, index: usize, is_streaming: Option<bool>) -> Option<Place> {
        let fits = |held: &&Held| {
            let streams = held.message.status == Some(Status::Streaming);
            held.message.deleted_at.is_none() && is_streaming.is_none_or(|wanted| wanted == streams)
        };
        let fitting: Vec<&Held> = self.held.values().filter(fits).collect();
        let held = fitting.get(index.checked_rem(fitting.len())?)?;
        Some(held.message.serial.place)
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        self.held.keys().copied().collect()
    }

    pub(crate) fn publish(&mut self, draft: Draft) -> Place {
        let turn = draft.turn.and_then(|index| self.any_turn(index));
        let turn = turn.map(|place| self.turns[&place].turn.id.clone());
        let (place, at) = self.next();
        let serial = epoch().at(place);
        let message = Message {
            serial,
            version: serial,
            id: draft.id,
            name: draft.name,
            client: "ann".to_owned(),
            connection: place.is_multiple_of(2).then(|| ConnectionId::new("c0")),
            role: if place.is_multiple_of(3) {
                Role::Assistant
            } else {
                Role::User
            },
            turn,
            parent: (1 < place).then(|| epoch().at(place - 1)),
            data: Some(draft.data),
            headers: draft.headers,
            status: draft.is_streaming.then_some(Status::Streaming),
            seq: None,
            created_at: at,
            updated_at: at,
            annotations: None,
            deleted_at: None,
        };
        self.write(&[MessageWrite::Create(message.clone()).into()]);
        let (length, bytes) = measure(&message);
        let known = if draft.is_streaming {
            vec![(place, length)]
        } else {
            Vec::new()
        };
        self.held.insert(
            place,
            Held {
                message,
                known,
                tail: Tail { segment: 0, bytes },
            },
        );
        place
    }

    /// Appends as the session does, and closes in the same step if it is to.
    pub(crate) fn append(&mut self, place: Place, text: &str, close: Option<Status>) {
        self.append_and_close(place, text, close.map(|status| (status, None)));
    }

    /// The same, with headers that come with the end.
    pub(crate) fn append_and_close(
        &mut self,
        place: Place,
        text: &str,
        close: Option<(Status, Option<Headers>)>,
    ) {
        let (version, at) = self.next();
        let held = self.held.get_mut(&place).expect("a message");
        let seq = held.message.seq.unwrap_or(0) + 1;
        let is_full = TAIL_BYTES < held.tail.bytes + text.len();
        let is_new = is_full && held.tail.bytes != 0;
        if is_new {
            held.tail = Tail {
                segment: held.tail.segment + 1,
                bytes: 0,
            };
        }
        held.tail.bytes += text.len();
        let growth = Growth {
            place,
            segment: held.tail.segment,
            version,
            previous: held.message.version.place,
            seq,
            start: measure(&held.message).0,
            units: units(text),
            text: text.to_owned(),
            at,
        };
        let mut writes = vec![if is_new {
            TextWrite::Segment(growth).into()
        } else {
            TextWrite::Grow(growth).into()
        }];
        if let Some(Data::Text(whole)) = &mut held.message.data {
            whole.push_str(text);
        }
        held.message.seq = Some(seq);
        held.known.push((version, measure(&held.message).0));
        touch(&mut held.message, version, at);
        if let Some((status, headers)) = close {
            held.message.status = Some(status);
            let what = match &headers {
                Some(_) => Change::Update,
                None => Change::Close,
            };
            writes.push(
                TextWrite::Close(Close {
                    place,
                    version,
                    seq,
                    status,
                    headers: headers.as_ref().map(as_json),
                    at,
                })
                .into(),
            );
            if headers.is_some() {
                held.message.headers = headers;
            }
            writes.push(self.change(version, place, what, at));
        }
        self.write(&writes);
    }

    /// Closes without any more text.
    pub(crate) fn close(&mut self, place: Place, status: Status, headers: Option<Headers>) {
        let (version, at) = self.next();
        let held = self.held.get_mut(&place).expect("a message");
        held.message.status = Some(status);
        let what = match &headers {
            Some(_) => Change::Update,
            None => Change::Close,
        };
        if headers.is_some() {
            held.message.headers.clone_from(&headers);
        }
        touch(&mut held.message, version, at);
        let seq = held.message.seq.unwrap_or(0);
        let change = self.change(version, place, what, at);
        self.write(&[
            TextWrite::Close(Close {
                place,
                version,
                seq,
                status,
                headers: headers.as_ref().map(as_json),
                at,
            })
            .into(),
            change,
        ]);
    }

    pub(crate) fn update(&mut self, place: Place, data: Option<Data>, headers: Option<Headers>) {
        self.replace(place, data, headers, None);
    }

    /// Closes with data of its own, which may be anything.
    pub(crate) fn close_as(&mut self, place: Place, data: Data, status: Status) {
        self.replace(place, Some(data), None, Some(status));
    }

    fn replace(
        &mut self,
        place: Place,
        data: Option<Data>,
        headers: Option<Headers>,
        status: Option<Status>,
    ) {
        let (version, at) = self.next();
        let held = self.held.get_mut(&place).expect("a message");
        if status.is_some() {
            held.message.status = status;
        }
        let is_streaming = held.message.status == Some(Status::Streaming);
        touch(&mut held.message, version, at);
        if let Some(data) = data.clone() {
            held.message.data = Some(data);
            let (length, bytes) = measure(&held.message);
            held.tail = Tail { segment: 0, bytes };
            held.known = if is_streaming {
                vec![(version, length)]
            } else {
                Vec::new()
            };
        } else if is_streaming {
            held.known.push((version, measure(&held.message).0));
        }
        if headers.is_some() {
            held.message.headers.clone_from(&headers);
        }
        let seq = held.message.seq.unwrap_or(0);
        let headers = headers.map(|headers| serde_json::to_string(&headers).expect("JSON"));
        let update = MessageWrite::Update(NewFields {
            place,
            version,
            seq,
            data,
            headers,
            status,
            is_streaming,
            at,
        })
        .into();
        let change = self.change(version, place, Change::Update, at);
        self.write(&[update, change]);
    }

    pub(crate) fn delete(&mut self, place: Place) {
        self.delete_as(place, Change::Delete);
    }

    pub(crate) fn delete_as(&mut self, place: Place, what: Change) {
        let (version, at) = self.next();
        let held = self.held.get_mut(&place).expect("a message");
        touch(&mut held.message, version, at);
        held.message.data = None;
        held.message.deleted_at = Some(at);
        if held.message.status == Some(Status::Streaming) {
            held.message.status = Some(Status::Cancelled);
        }
        held.known.clear();
        held.tail.segment = 0;
        let change = self.change(version, place, what, at);
        let is_superseded = what == Change::Supersede;
        let delete = MessageWrite::Delete {
            place,
            version,
            is_superseded,
            at,
        }
        .into();
        self.write(&[delete, change]);
    }

    fn change(&mut self, place: Place, subject: Place, what: Change, at: Timestamp) -> Write {
        self.changes.push((place, subject, what));
        let client = place.is_multiple_of(2).then(|| "ann".to_owned());
        Entry {
            place,
            what,
            subject,
            client,
            at,
        }
        .into()
    }

    pub(crate) fn remember(&mut self, kind: Kind, id: &str, place: Place) {
        self.now += 7;
        self.ids.insert(
            ("ann".to_owned(), kind as i64, id.to_owned()),
            (place, self.now),
        );
        self.write(&[IdWrite {
            client: "ann".to_owned(),
            kind,
            id: id.to_owned(),
            place,
            at: self.now,
            keep_since: self.keep_since(),
        }
        .into()]);
    }

    pub(crate) fn keep_since(&self) -> Timestamp {
        self.now - 100
    }

    pub(crate) fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.now += 7;
        self.end.written_at = self.now;
        let (settings, at) = (self.settings.clone(), self.now);
        self.write(&[MetaWrite::Set { settings, at }.into()]);
        self.end.written_at = at;
    }

    pub(crate) fn trim(&mut self, up_to: Place) {
        let goes = |(place, held): &(&Place, &Held)| **place <= up_to && !self.is_kept(held);
        let gone: Vec<Place> = self
            .held
            .iter()
            .filter(goes)
            .map(|(place, _)| *place)
            .collect();
        for place in &gone {
            self.held.remove(place);
        }
        let at = self.now;
        self.trimmed_at = Some(at);
        self.write(&[Trim { up_to, gone, at }.into()]);
        self.trim_turns(up_to);
        self.floor = self.floor.max(up_to);
        self.changes.retain(|(place, _, _)| up_to < *place);
    }
}

fn touch(message: &mut Message, version: Place, at: Timestamp) {
    message.version = epoch().at(version);
    message.updated_at = at;
}

/// Length in UTF-16 code units and in bytes.
pub(crate) fn measure(message: &Message) -> (u64, usize) {
    match &message.data {
        Some(Data::Text(text)) => (units(text), text.len()),
        Some(Data::Json(_)) | None => (0, 0),
    }
}
