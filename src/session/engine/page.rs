//! Lists in the order of their places: whole ones of `attached` and the snapshot, and pages over
//! HTTP, newest first (P8.3, P8.9).

use serde::Serialize;

use super::error::Error;
use super::work::Work;
use crate::ordered::sort_by_number;
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::{PLACE_MAX, Place};

/// The items of a page by their places, each as JSON, and whether there are more.
pub(crate) type Items = (Vec<(Place, String)>, bool);

impl Work<'_> {
    /// The place before which a page begins: the end of the log where none is given.
    pub(crate) fn page_start(&self, before: Option<&str>) -> Result<Place, Error> {
        match before {
            Some(text) => Ok(self.cursor("before", text)?),
            None => Ok(PLACE_MAX + 1),
        }
    }

    /// A page as JSON, under the name of its items.
    pub(crate) fn page(&self, name: &str, (items, has_more): Items) -> String {
        let last = items.last().filter(|_| has_more);
        let next = last.map(|(place, _)| format!(r#","next":"{}""#, self.epoch.at(*place)));
        let next = next.unwrap_or_default();
        let items: Vec<String> = items.into_iter().map(|(_, item)| item).collect();
        let items = items.join(",");
        format!(r#"{{"{name}":[{items}],"hasMore":{has_more}{next}}}"#)
    }
}

/// Items by their places, the oldest first.
pub(crate) fn in_order<T>(items: impl Iterator<Item = T>, place: impl Fn(&T) -> Place) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    sort_by_number(&mut items, place);
    items
}

/// A whole list, unless it is too long: then it is left to the reads.
pub(crate) fn brief<T: Serialize>(items: impl Iterator<Item = T>, most: usize) -> Option<Vec<T>> {
    let mut bytes = 0;
    let fitting = items.map(|item| {
        bytes += encode(&item).len();
        (bytes <= most).then_some(item)
    });
    fitting.collect()
}

/// The newest of some items before a place, at most so many and as many as a page takes, but one
/// at least.
pub(crate) fn newest<T>(
    items: impl Iterator<Item = (Place, T)>,
    before: Place,
    limit: usize,
    encode: impl Fn(T) -> String,
) -> Items {
    let mut items: Vec<(Place, T)> = items.filter(|(place, _)| *place < before).collect();
    sort_by_number(&mut items, |(place, _)| Place::MAX - *place);
    let (count, mut bytes) = (items.len(), 0);
    let encoded = items.into_iter().take(limit);
    let fitting = encoded
        .map(|(place, item)| (place, encode(item)))
        .take_while(|(_, item)| {
            let is_first = bytes == 0;
            bytes += item.len();
            is_first || bytes <= PAGE_BYTES
        });
    let page: Vec<(Place, String)> = fitting.collect();
    let has_more = page.len() < count;
    (page, has_more)
}
