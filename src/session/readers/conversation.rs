//! The conversation that leads to a message, without other branches (P6.9).
//!
//! The node that leads to another is chosen as a page chooses it: a turn is one node with all its
//! messages, a message without a turn is a node by itself, and a node follows the one it names or
//! else the one that began before it. Only links are read on the path; nothing is kept, so a page
//! begins at the message where the page before it ended.

use crate::ordered::Map;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::{LINKS_MAX, PAGE_BYTES};
use crate::protocol::serial::{Epoch, PLACE_MAX, Place, Serial};
use crate::protocol::turn::Turn;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::session::readers::page::encode_page;
use crate::store::{Link, Store, StoreError};

/// Links read at once, at least and at most.
const FEW: usize = 8;

const MANY: usize = 512;

/// A page of the conversation, newest first.
pub(crate) fn conversation(
    cx: &Context<'_>,
    to: String,
    before: Option<String>,
    limit: usize,
) -> Result<String, Error> {
    let to = cx.engine.cursor("to", &to)?;
    let before = before
        .map(|text| cx.engine.cursor("before", &text))
        .transpose()?;
    let Some(last) = cx.engine.store.link(to)? else {
        let serial = cx.engine.epoch.at(to);
        let message = format!("unable to read; there is no message {serial}");
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    let start = match before {
        None => Some((last, to + 1)),
        // If retention removed the last message of the page before, it removed the rest as well.
        Some(before) => cx.engine.store.link(before)?.map(|link| (link, before)),
    };
    let mut walk = Walk::new(cx.engine.store, cx.engine.epoch, limit);
    if let Some((link, before)) = start {
        walk.back(link, before)?;
    }
    let has_more = walk.has_more();
    walk.found.truncate(limit);
    let mut page = cx
        .engine
        .store
        .listed(cx.engine.epoch, &walk.found, PAGE_BYTES)?;
    page.has_more |= has_more;
    Ok(encode_page(cx, page)?)
}

/// The path back from a message.
struct Walk<'a> {
    store: &'a Store,
    epoch: Epoch,
    limit: usize,
    /// The number of links that may still be read.
    left: usize,
    /// The messages on the path.
    found: Vec<Place>,
}

impl<'a> Walk<'a> {
    fn new(store: &'a Store, epoch: Epoch, limit: usize) -> Self {
        Self {
            store,
            epoch,
            limit,
            left: LINKS_MAX,
            found: Vec::new(),
        }
    }

    /// Whether more messages lie beyond those found. A path without any message found within the
    /// bound ends here.
    fn has_more(&self) -> bool {
        self.limit < self.found.len() || self.left == 0 && !self.found.is_empty()
    }

    /// Walks back from a message, through the messages before a place in its node.
    fn back(&mut self, start: Link, before: Place) -> Result<(), StoreError> {
        let mut next = Some((start, before));
        while let Some((link, before)) = next {
            let first = self.take(link, before)?;
            if self.left == 0 || self.limit < self.found.len() {
                return Ok(());
            }
            let leads = self.leads(first)?;
            next = leads
                .filter(|_| 0 < self.left)
                .map(|link| (link, PLACE_MAX + 1));
        }
        Ok(())
    }

    /// Takes a node's messages before a place, newest first; returns the node's first.
    fn take(&mut self, link: Link, before: Place) -> Result<Link, StoreError> {
        let Some(id) = &link.turn else {
            if link.place < before && !link.is_deleted {
                self.found.push(link.place);
            }
            return Ok(link);
        };
        let (began, over) = self.span(id)?;
        let mut chunks = Chunks::new(began, before.min(over), true);
        let mut first = None;
        while let Some(links) = chunks.next(self)? {
            let own = links.into_iter();
            for own in own.filter(|own| own.turn.as_ref() == Some(id) && !own.is_deleted) {
                self.found.push(own.place);
                first = Some(own);
                if self.limit < self.found.len() {
                    break;
                }
            }
            if self.limit < self.found.len() {
                break;
            }
        }
        Ok(first.unwrap_or(link))
    }

    /// The places between which a turn's messages lie.
    fn span(&self, id: &str) -> Result<(Place, Place), StoreError> {
        let turn = self.store.turn(id)?;
        let over = |turn: &Turn| match turn.is_open() {
            true => PLACE_MAX + 1,
            false => turn.version,
        };
        Ok(turn.map_or((0, PLACE_MAX + 1), |turn| (turn.place, over(&turn))))
    }

    /// The message that a node follows, by the node's first; a deleted one is skipped for the one
    /// it followed itself.
    fn leads(&mut self, first: Link) -> Result<Option<Link>, StoreError> {
        let mut link = first;
        loop {
            link = self.original(link)?;
            let turn = match &link.turn {
                Some(id) => self.store.turn(id)?,
                None => None,
            };
            let named = turn.and_then(|turn| turn.input.or(turn.parent));
            let next = match named.or(link.parent) {
                Some(place) => self.link(place)?,
                None => self.previous(link.place)?,
            };
            // A message that leads here must be older.
            let Some(next) = next.filter(|next| next.place < link.place) else {
                return Ok(None);
            };
            if !next.is_deleted {
                return Ok(Some(next));
            }
            if let Some(id) = &next.turn
                && let Some(first) = self.first(id, link.place)?
            {
                return Ok(Some(first));
            }
            link = next;
        }
    }

    /// The node that a message is another version of, if both follow the same; or itself. Only a
    /// message's author makes another version of it.
    fn original(&mut self, mut link: Link) -> Result<Link, StoreError> {
        while let Some(edits) = link.edits.take() {
            let edited = match Serial::parse(&edits) {
                Some(serial) if serial.epoch == self.epoch => self.link(serial.place)?,
                Some(_) => None,
                None => self.first(&edits, link.place)?,
            };
            let is_before = |edited: &Link| !edited.is_deleted && edited.place < link.place;
            let Some(edited) = edited.filter(is_before) else {
                break;
            };
            let edited = match edited.turn.clone() {
                Some(id) => self.first(&id, link.place)?.unwrap_or(edited),
                None => edited,
            };
            if self.author(edited.place)? != self.author(link.place)? {
                break;
            }
            link = edited;
        }
        Ok(link)
    }

    /// The latest node that began before a place, by its first message.
    fn previous(&mut self, place: Place) -> Result<Option<Link>, StoreError> {
        let mut firsts: Map<String, Option<Place>> = Map::new();
        let mut chunks = Chunks::new(0, place, true);
        while let Some(links) = chunks.next(self)? {
            for link in links.into_iter().filter(|link| !link.is_deleted) {
                let Some(id) = &link.turn else {
                    return Ok(Some(link));
                };
                let first = match firsts.get(id) {
                    Some(first) => *first,
                    None => self.first(id, place)?.map(|first| first.place),
                };
                if first.is_none_or(|first| first == link.place) {
                    return Ok(Some(link));
                }
                firsts.insert(id.clone(), first);
            }
        }
        Ok(None)
    }

    /// The first message of a turn, if it is before a place.
    fn first(&mut self, id: &str, before: Place) -> Result<Option<Link>, StoreError> {
        let (began, over) = self.span(id)?;
        let mut chunks = Chunks::new(began, before.min(over), false);
        while let Some(links) = chunks.next(self)? {
            let is_own = |link: &Link| link.turn.as_deref() == Some(id) && !link.is_deleted;
            if let Some(first) = links.into_iter().find(is_own) {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// The author of a message.
    fn author(&mut self, place: Place) -> Result<Option<String>, StoreError> {
        self.left = self.left.saturating_sub(1);
        Ok(self.store.head(place)?.map(|head| head.client))
    }

    fn link(&mut self, place: Place) -> Result<Option<Link>, StoreError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.store.link(place)
    }
}

/// Links of a range, read in growing batches.
struct Chunks {
    after: Place,
    before: Place,
    newest_first: bool,
    size: usize,
}

impl Chunks {
    fn new(after: Place, before: Place, newest_first: bool) -> Self {
        Self {
            after,
            before,
            newest_first,
            size: FEW,
        }
    }

    /// The next links; `None` at the end, or at the bound.
    fn next(&mut self, walk: &mut Walk<'_>) -> Result<Option<Vec<Link>>, StoreError> {
        let limit = self.size.min(walk.left);
        if limit == 0 {
            return Ok(None);
        }
        let store = walk.store;
        let links = store.links(self.after, self.before, self.newest_first, limit)?;
        let Some(last) = links.last() else {
            return Ok(None);
        };
        match self.newest_first {
            true => self.before = last.place,
            false => self.after = last.place,
        }
        walk.left -= links.len();
        self.size = (2 * self.size).min(MANY);
        Ok(Some(links))
    }
}
