//! Everything that can be read is what the model says.

use std::collections::BTreeMap;

use sessile::protocol::data::{Data, from_unit};
use sessile::protocol::message::{Message, Status};
use sessile::protocol::serial::{PLACE_MAX, Place};
use sessile::store::{Change, Changed, Head, Kind, Link, Missing, Page, Span};

use crate::model::{Held, Pair, epoch, measure};

impl Pair {
    /// Everything that can be read is what the model says.
    pub(crate) fn check(&self) {
        let store = &self.store;
        assert_eq!(store.beginning(), Ok(Some(self.beginning())));
        assert_eq!(store.end(), Ok(self.end));
        self.check_streaming();
        self.check_turns();
        let oldest = self.places().into_iter().take(3);
        let oldest: Vec<Place> = oldest.collect();
        assert_eq!(store.oldest(self.end.place, 3), Ok(oldest.clone()));
        if let [first, ..] = *oldest {
            assert_eq!(store.oldest(first, 3), Ok(vec![first]));
        }
        for place in 0..=self.end.place + 1 {
            let message = self.held.get(&place).map(|held| held.message.clone());
            assert_eq!(store.head(place), Ok(message.as_ref().map(head)));
            assert_eq!(store.message(epoch(), place), Ok(message));
            for since in 0..=self.end.place + 1 {
                assert_eq!(store.missing(place, since), Ok(self.missing(place, since)));
            }
            if place < self.floor {
                continue; // Nobody resumes from what was trimmed (P3.6).
            }
            assert_eq!(
                store.changed(place, 100),
                Ok(self.changed(place)),
                "after {place}"
            );
            let few: Vec<Changed> = self.changed(place).into_iter().take(2).collect();
            assert_eq!(store.changed(place, 2), Ok(few));
        }
        for ((client, number, id), (place, at)) in &self.ids {
            let kinds = [Kind::Append, Kind::Update, Kind::Delete, Kind::Signal];
            let kind = kinds
                .into_iter()
                .find(|kind| *kind as i64 == *number)
                .expect("a kind");
            let since = self.keep_since();
            let known = (since <= *at).then_some(*place);
            assert_eq!(store.once(client, kind, id, since), Ok(known));
            assert_eq!(store.once("bob", kind, id, since), Ok(None));
        }
        for id in ["one", "two", "three", "x", "kept"] {
            let mut held = self.held.values().rev();
            let newest = held.find(|held| held.message.id.as_deref() == Some(id));
            let newest = newest.map(|held| held.message.serial.place);
            assert_eq!(store.once("ann", Kind::Message, id, 0), Ok(newest));
            assert_eq!(store.once("bob", Kind::Message, id, 0), Ok(None));
        }
    }

    /// Messages are linked as they say, and are read in any order that they are listed in.
    pub(crate) fn check_links(&self, places: &[Place], bytes: usize) {
        let all: Vec<Link> = self.held.values().map(|held| link(&held.message)).collect();
        let store = &self.store;
        for (index, expected) in all.iter().enumerate() {
            let place = expected.place;
            assert_eq!(store.link(place), Ok(Some(expected.clone())));
            let later = all.iter().skip(index + 1).take(3);
            let later: Vec<Link> = later.cloned().collect();
            assert_eq!(store.links(place, PLACE_MAX, false, 3), Ok(later));
            let earlier = all.iter().take(index).rev().take(3);
            let earlier: Vec<Link> = earlier.cloned().collect();
            assert_eq!(store.links(0, place, true, 3), Ok(earlier));
        }
        assert_eq!(store.link(self.end.place + 1), Ok(None));
        let listed: Vec<&Held> = places
            .iter()
            .filter_map(|place| self.held.get(place))
            .collect();
        let (mut taken, mut messages) = (0, Vec::new());
        for held in &listed {
            taken += size(&held.message);
            if !messages.is_empty() && bytes < taken {
                break;
            }
            messages.push(held.message.clone());
        }
        let expected = Page {
            has_more: messages.len() < listed.len(),
            messages,
        };
        assert_eq!(store.listed(epoch(), places, bytes), Ok(expected));
    }

    fn check_streaming(&self) {
        let streaming = self.store.streaming().expect("what streams");
        let expected = self.held.values();
        let expected = expected.filter(|held| held.message.status == Some(Status::Streaming));
        let expected: Vec<&Held> = expected.collect();
        assert_eq!(streaming.len(), expected.len());
        for (streaming, held) in streaming.iter().zip(expected) {
            assert_eq!(streaming.head, head(&held.message));
            assert_eq!((streaming.units, streaming.bytes), measure(&held.message));
            assert_eq!(streaming.tail.segment, held.tail.segment);
            // Marks are in the row's bytes, on top of the text.
            assert!(held.tail.bytes < streaming.tail.bytes);
        }
    }

    fn missing(&self, place: Place, since: Place) -> Option<Missing> {
        let held = self.held.get(&place)?;
        let known = held
            .known
            .iter()
            .rev()
            .find(|(version, _)| *version <= since);
        let (_, offset) = *known?;
        let Some(Data::Text(text)) = &held.message.data else {
            return None;
        };
        Some(Missing {
            offset,
            text: from_unit(text, offset).to_owned(),
        })
    }

    fn changed(&self, after: Place) -> Vec<Changed> {
        let mut changed = BTreeMap::new();
        for held in self.held.range(..=after).map(|(_, held)| held) {
            let subject = held.message.serial.place;
            let changes = self.changes.iter().filter(|change| after < change.0);
            let kinds: Vec<Change> = changes
                .filter(|change| change.1 == subject)
                .map(|change| change.2)
                .collect();
            let place = held.message.version.place;
            if after < place {
                let is_updated = kinds.contains(&Change::Update);
                let is_superseded = kinds.contains(&Change::Supersede);
                let is_deleted = is_superseded || kinds.contains(&Change::Delete);
                changed.insert(
                    subject,
                    Changed {
                        subject,
                        place,
                        is_updated,
                        is_deleted,
                        is_superseded,
                        is_annotated: false,
                    },
                );
            }
        }
        changed.into_values().collect()
    }

    /// A page of a span is what the model says.
    pub(crate) fn check_page(&self, span: &Span<'_>) -> Page {
        let fits = |held: &&Held| {
            let place = held.message.serial.place;
            let is_named = span
                .names
                .is_none_or(|names| names.contains(&held.message.name));
            span.after < place && place < span.before && is_named
        };
        let mut fitting: Vec<&Held> = self.held.values().filter(fits).collect();
        if span.newest_first {
            fitting.reverse();
        }
        let (mut bytes, mut messages) = (0, Vec::new());
        for held in &fitting {
            bytes += size(&held.message);
            if messages.len() == span.limit || !messages.is_empty() && span.bytes < bytes {
                break;
            }
            messages.push(held.message.clone());
        }
        let expected = Page {
            has_more: messages.len() < fitting.len(),
            messages,
        };
        let page = self.store.page(epoch(), span).expect("a page");
        assert_eq!(page, expected, "{span:?}");
        page
    }
}

fn size(message: &Message) -> usize {
    let headers = message.headers.as_ref();
    let headers = headers.map_or(0, |map| serde_json::to_string(map).expect("JSON").len());
    headers + message.data.as_ref().map_or(0, Data::bytes)
}

fn link(message: &Message) -> Link {
    let headers = message.headers.as_ref();
    Link {
        place: message.serial.place,
        turn: message.turn.clone(),
        parent: message.parent.map(|parent| parent.place),
        edits: headers.and_then(|headers| headers.get("sessile-edits").cloned()),
        is_deleted: message.deleted_at.is_some(),
    }
}

pub(crate) fn head(message: &Message) -> Head {
    Head {
        place: message.serial.place,
        version: message.version.place,
        seq: message.seq.unwrap_or(0),
        status: message.status,
        client: message.client.clone(),
        connection: message.connection.clone(),
        name: message.name.clone(),
        id: message.id.clone(),
        turn: message.turn.clone(),
        is_deleted: message.deleted_at.is_some(),
        updated_at: message.updated_at,
    }
}
