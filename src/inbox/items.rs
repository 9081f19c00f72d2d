//! The items of an inbox in memory, without their bodies: what changes with the news of a session,
//! and what a list shows. Nothing here stores or sends.

use crate::ordered::{Map, Set, sort_by_number};
use crate::protocol::inbox::{Cursor, Page};
use crate::protocol::limits::{INBOX_BATCH, INBOX_SESSIONS, INBOX_SETTLED};
use crate::protocol::news::{ItemKind, News};
use crate::protocol::serial::{Epoch, Place};
use crate::store::{ItemEntry, ItemKey, ItemState, ItemWrite, Life};

/// The items of one inbox.
#[derive(Debug, Default)]
pub(super) struct Items {
    entries: Map<ItemKey, ItemEntry>,
    /// The highest serial.
    pub(super) version: Place,
    /// Later changes are all there.
    pub(super) floor: Place,
    /// Sessions that are there.
    sessions: usize,
    /// Items that wait.
    pub(super) open: usize,
    /// Items that are settled or gone.
    settled: usize,
}

/// The key of a session itself.
fn of_session(session: &str) -> ItemKey {
    ItemKey {
        session: session.to_owned(),
        kind: ItemKind::Session,
        id: String::new(),
    }
}

impl Items {
    pub(super) fn load((entries, floor): (Vec<(ItemKey, ItemEntry)>, Place)) -> Self {
        let mut items = Self {
            floor,
            version: floor,
            ..Self::default()
        };
        for (key, entry) in entries {
            items.version = items.version.max(entry.version);
            items.put(key, entry);
        }
        items
    }

    /// Whether nothing was ever stored.
    pub(super) fn is_empty(&self) -> bool {
        self.version == 0
    }

    fn counter(&mut self, kind: ItemKind, state: ItemState) -> &mut usize {
        match (kind, state) {
            (ItemKind::Session, ItemState::Open) => &mut self.sessions,
            (_, ItemState::Open) => &mut self.open,
            (_, ItemState::Settled | ItemState::Gone) => &mut self.settled,
        }
    }

    fn put(&mut self, key: ItemKey, entry: ItemEntry) {
        *self.counter(key.kind, entry.state) += 1;
        let kind = key.kind;
        if let Some(before) = self.entries.insert(key, entry) {
            *self.counter(kind, before.state) -= 1;
        }
    }

    fn remove(&mut self, key: &ItemKey) {
        if let Some(entry) = self.entries.remove(key) {
            *self.counter(key.kind, entry.state) -= 1;
        }
    }

    /// Makes changes their own; called once they are stored.
    pub(super) fn apply(&mut self, writes: Vec<ItemWrite>) {
        for write in writes {
            match write {
                ItemWrite::Put { key, entry, .. } => {
                    self.version = self.version.max(entry.version);
                    self.put(key, entry);
                }
                ItemWrite::Forget(key) => self.remove(&key),
                ItemWrite::Floor(floor) => self.floor = floor,
            }
        }
    }

    /// Whether news says something that this inbox does not know yet: each place of a life counts
    /// once, and a life that began later replaces the one before.
    pub(super) fn is_new(&self, news: &News, life: Life) -> bool {
        let Some(known) = self.entries.get(&of_session(&news.session)) else {
            // The end of a session is no news where nothing is known of it.
            return news.about.is_some();
        };
        let is_gone = known.state == ItemState::Gone;
        let Some(before) = known.life else {
            return true;
        };
        if before.epoch != life.epoch {
            return is_gone || before.begun_at < life.begun_at;
        }
        before.place < life.place || before.place == life.place && !is_gone
    }

    /// Whether an item is known, in whatever state.
    pub(super) fn state(&self, key: &ItemKey) -> Option<ItemState> {
        self.entries.get(key).map(|entry| entry.state)
    }

    /// The place up to which a life of a session was told; 0 if it was not.
    pub(super) fn told(&self, session: &str, life: Life) -> Place {
        let known = self.entries.get(&of_session(session));
        let before = known.and_then(|entry| entry.life);
        let same = before.filter(|before| before.epoch == life.epoch);
        same.map_or(0, |before| before.place)
    }

    /// How many items wait with the news that did not before.
    pub(super) fn more_open(&self, news: &News) -> usize {
        let open = news.items.iter().filter(|item| item.is_open);
        let more = open.filter(|item| {
            let key = ItemKey {
                session: news.session.clone(),
                kind: item.kind,
                id: item.id.clone(),
            };
            let known = self.entries.get(&key);
            known.is_none_or(|known| known.state != ItemState::Open)
        });
        more.count()
    }

    /// The changes that news makes, but for bodies that are stored already (`is_stored`).
    pub(super) fn changes(
        &self,
        news: News,
        life: Life,
        is_stored: impl Fn(&ItemKey, &str) -> bool,
    ) -> Vec<ItemWrite> {
        let version = self.version + 1;
        let session = of_session(&news.session);
        let mut writes = Vec::new();
        let mut put = |key: ItemKey, state, at, life, body: Option<String>| {
            let known = self.entries.get(&key);
            let is_same = known.is_some_and(|it| it.state == state && it.life == life);
            if is_same && body.as_deref().is_none_or(|body| is_stored(&key, body)) {
                return;
            }
            let entry = ItemEntry {
                version,
                state,
                at,
                life,
            };
            writes.push(ItemWrite::Put { key, entry, body });
        };
        let mut waiting: Set<(ItemKind, String)> = news.open.into_iter().collect();
        let told = news.items.iter().map(|item| (item.kind, item.id.clone()));
        waiting.extend(told);
        match &news.about {
            Some(about) => {
                let body = crate::protocol::frame::encode(about);
                let at = about.last_activity_at;
                put(session, ItemState::Open, at, Some(life), Some(body));
            }
            None => put(session, ItemState::Gone, 0, Some(life), None),
        }
        for item in news.items {
            let key = ItemKey {
                session: news.session.clone(),
                kind: item.kind,
                id: item.id,
            };
            let state = match item.is_open {
                true => ItemState::Open,
                false => ItemState::Settled,
            };
            let body: Box<str> = item.body.into();
            put(key, state, item.at, None, Some(body.into()));
        }
        let is_there = news.about.is_some();
        for (key, entry) in self.of_session(&news.session) {
            let waits = waiting.contains(&(key.kind, key.id.clone()));
            let is_left = entry.state == ItemState::Open && !waits
                || !is_there && entry.state == ItemState::Settled;
            if is_left {
                put(key.clone(), ItemState::Gone, entry.at, None, None);
            }
        }
        writes
    }

    /// The items of a session, without itself.
    fn of_session(&self, session: &str) -> impl Iterator<Item = (&ItemKey, &ItemEntry)> {
        let from = of_session(session);
        let items = self.entries.since(&from);
        let items = items.take_while(move |(key, _)| key.session == session);
        items.filter(|(key, _)| key.kind != ItemKind::Session)
    }

    /// The items to forget once there are too many, in batches: those settled or gone, and sessions
    /// without anything that waits, the oldest first.
    pub(super) fn excess(&self) -> Vec<ItemWrite> {
        let mut forgotten = Vec::new();
        if INBOX_SETTLED + INBOX_BATCH <= self.settled {
            let settled = self.entries.iter();
            let settled = settled.filter(|(_, entry)| entry.state != ItemState::Open);
            let mut settled: Vec<_> = settled.map(|(key, it)| (it.version, key)).collect();
            sort_by_number(&mut settled, |(version, _)| *version);
            forgotten.extend(settled.into_iter().take(INBOX_BATCH));
        }
        if INBOX_SESSIONS + INBOX_BATCH <= self.sessions {
            let sessions = self.listed(ItemKind::Session, false);
            let mut idle: Vec<_> = sessions
                .filter(|(key, _)| {
                    let mut items = self.of_session(&key.session);
                    items.all(|(_, entry)| entry.state != ItemState::Open)
                })
                .map(|(key, entry)| (entry.at, entry.version, key))
                .collect();
            sort_by_number(&mut idle, |(at, _, _)| u64::try_from(*at).unwrap_or(0));
            let idle = idle.into_iter().take(INBOX_BATCH);
            forgotten.extend(idle.map(|(_, version, key)| (version, key)));
        }
        let Some(floor) = forgotten.iter().map(|(version, _)| *version).max() else {
            return Vec::new();
        };
        let forget = forgotten.into_iter();
        let forget = forget.map(|(_, key)| ItemWrite::Forget(key.clone()));
        let floor = ItemWrite::Floor(floor.max(self.floor));
        forget.chain([floor]).collect()
    }

    /// The items of sessions that are gone, to be forgotten.
    pub(super) fn forget_gone(&self) -> Vec<ItemWrite> {
        let sessions = self
            .entries
            .iter()
            .filter(|(key, entry)| key.kind == ItemKind::Session && entry.state == ItemState::Gone);
        let (mut writes, mut floor) = (Vec::new(), self.floor);
        for (session, entry) in sessions {
            let items = self.of_session(&session.session);
            for (key, entry) in items.chain([(session, entry)]) {
                floor = floor.max(entry.version);
                writes.push(ItemWrite::Forget(key.clone()));
            }
        }
        if !writes.is_empty() {
            writes.push(ItemWrite::Floor(floor));
        }
        writes
    }

    /// The number of items.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    fn listed(&self, kind: ItemKind, all: bool) -> impl Iterator<Item = (&ItemKey, &ItemEntry)> {
        let entries = self.entries.iter();
        entries.filter(move |(key, entry)| {
            let is_shown = match entry.state {
                ItemState::Open => true,
                ItemState::Settled => all,
                ItemState::Gone => false,
            };
            key.kind == kind && is_shown
        })
    }

    /// A page of a list, of the sessions that may be seen, and whether there is more.
    pub(super) fn page(
        &self,
        page: &Page,
        may_see: impl Fn(&str) -> bool,
    ) -> (Vec<&ItemKey>, bool) {
        // Work is done in the order in which it came.
        let order = |a: &Cursor, b: &Cursor| match page.kind == ItemKind::Work {
            true => b.order(a),
            false => a.order(b),
        };
        let listed = self.listed(page.kind, page.all);
        let seen = listed.filter(|(key, _)| may_see(&key.session));
        let placed = seen.map(|(key, entry)| (cursor(key, entry), key));
        let after = placed.filter(|(place, _)| {
            let cursor = page.cursor.as_ref();
            cursor.is_none_or(|cursor| order(cursor, place).is_lt())
        });
        let mut found: Vec<_> = after.collect();
        found.sort_unstable_by(|(a, _), (b, _)| order(a, b));
        let has_more = page.limit < found.len();
        found.truncate(page.limit);
        (found.into_iter().map(|(_, key)| key).collect(), has_more)
    }

    /// The place of an item in its list.
    pub(super) fn cursor(&self, key: &ItemKey) -> Option<Cursor> {
        Some(cursor(key, self.entries.get(key)?))
    }

    /// Everything that changed after a serial, by its latest change, of the sessions that may be
    /// seen; `None` if that is not known any more.
    pub(super) fn changed(
        &self,
        since: Place,
        may_see: impl Fn(&str) -> bool,
    ) -> Option<Vec<(Place, ItemKey, bool)>> {
        if since < self.floor || self.version < since {
            return None;
        }
        let entries = self.entries.iter();
        let changed = entries.filter(|(key, it)| since < it.version && may_see(&key.session));
        let changed =
            changed.map(|(key, it)| (it.version, key.clone(), it.state == ItemState::Gone));
        let mut changed: Vec<_> = changed.collect();
        sort_by_number(&mut changed, |(version, _, _)| *version);
        Some(changed)
    }
}

fn cursor(key: &ItemKey, entry: &ItemEntry) -> Cursor {
    Cursor {
        at: entry.at,
        session: key.session.clone(),
        id: key.id.clone(),
    }
}

/// The life that news is of.
pub(super) fn life(news: &News) -> Option<Life> {
    Some(Life {
        epoch: Epoch::parse(&news.epoch)?,
        begun_at: news.begun_at,
        place: news.place,
    })
}
