//! Files while everything breaks: the session's process, its disk, the Workers that bring bytes,
//! and the bucket. A file is in the bucket if and only if the session knows it, or its deletion is
//! still owed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sessile::protocol::capability::{Operations, Role};
use sessile::protocol::file::NewFile;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::limits::{DEAD_LETTER_MS, Limits};
use sessile::session::{Delivered, Delivery, Effect, Input, Outcome, Request, Sender};
use sessile::store::DeliveryKind;

use crate::host::Host;
use crate::random::Random;
use crate::seeds::each_seed;
use crate::sim::START;

const UPLOAD_MS: u64 = 20_000;
/// The longest call of the bucket, and of a Worker to the session.
const CALL_MS: u64 = 10_000;
const CALM_MS: u64 = 4 * 60 * 60 * 1_000;
const FILES: usize = 1_000;

/// A Worker that brings a file.
#[derive(Clone, Debug)]
struct Worker {
    client: String,
    file: String,
    key: String,
}

/// Something that happens at a time.
#[derive(Debug)]
enum Event {
    /// All bytes are in the bucket.
    Put(Worker),
    /// The Worker tells the session: it has put them, or could not.
    Ends(Worker, bool),
    /// The Worker itself deletes what nobody knows any more.
    Cleans(String),
    /// A deletion arrives at the bucket, from the process of that number.
    Arrives(Box<Delivery>, u32),
    Done(Delivered, u32),
    Trouble,
}

struct World {
    random: Random,
    host: Host,
    time: u64,
    events: BTreeMap<(u64, u64), Event>,
    ties: u64,
    is_calm: bool,
    /// The bucket takes nothing until then.
    down: u64,
    bucket: BTreeSet<String>,
    /// Keys of Workers that live: each ends its own upload.
    held: BTreeSet<String>,
    /// The keys of files, as they were told to the Worker.
    keys: BTreeMap<String, String>,
    uploads: u64,
    died: u64,
    deleted: u64,
    whole: u64,
    erased: u64,
}

/// Returns the uploads, those whose Worker died after its put, deletions of one file, files that
/// are left, and deletions of the session.
fn run(seed: u64) -> [u64; 5] {
    let mut random = Random::new(seed);
    let limits = Limits {
        upload_ms: UPLOAD_MS,
        // A debt for files is never refused for want of room.
        deliveries: *random.pick(&[1_000, 2]),
        give_up_ms: 5_000,
        ..Limits::default()
    };
    let mut world = World {
        random,
        host: Host::new(limits),
        time: 0,
        events: BTreeMap::new(),
        ties: 0,
        is_calm: false,
        down: 0,
        bucket: BTreeSet::new(),
        held: BTreeSet::new(),
        keys: BTreeMap::new(),
        uploads: 0,
        died: 0,
        deleted: 0,
        whole: 0,
        erased: 0,
    };
    world.schedule(1, Event::Trouble);
    world.pass(120_000);
    world.is_calm = true;
    // Nobody touches it: alarms alone bring everything to its end, one call after the other.
    world.pass(CALM_MS);
    world.judge();
    [
        world.uploads,
        world.died,
        world.deleted,
        world.whole,
        world.erased,
    ]
}

impl World {
    fn now(&self) -> Timestamp {
        START + self.time as i64
    }

    fn schedule(&mut self, after: u64, event: Event) {
        self.ties += 1;
        self.events.insert((self.time + after, self.ties), event);
    }

    /// Lets time pass, with all that happens meanwhile, alarms among it.
    fn pass(&mut self, duration: u64) {
        let until = self.time + duration;
        loop {
            let event = self.events.keys().next().copied();
            let now = self.now();
            let alarm = self.host.alarm;
            let alarm = alarm.map(|alarm| self.time + (alarm - now).max(0) as u64);
            let at = event.map(|(at, _)| at).into_iter().chain(alarm).min();
            let Some(at) = at.filter(|at| *at <= until) else {
                break;
            };
            self.time = self.time.max(at);
            if let Some(event) = event.filter(|(due, _)| *due <= at) {
                let event = self.events.remove(&event).unwrap();
                self.happen(event);
            } else {
                self.host.alarm = None;
                self.handle(Input::Deadline);
                // The platform rings again where a process died of it.
                if !self.host.is_awake() && self.host.alarm.is_none() {
                    self.host.alarm = Some(self.now() + 2_000);
                }
            }
            self.check();
        }
        self.time = until;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Put(worker) => self.put(worker),
            Event::Ends(worker, is_whole) => self.end(worker, is_whole),
            Event::Cleans(key) => {
                self.bucket.remove(&key);
                self.held.remove(&key);
            }
            Event::Arrives(delivery, process) => self.arrive(&delivery, process),
            Event::Done(delivered, process) => {
                if self.host.is_awake() && self.host.loads == process {
                    self.handle(Input::Delivered(delivered));
                }
            }
            Event::Trouble if self.is_calm => {}
            Event::Trouble => {
                self.trouble();
                let after = self.random.between(1, 2_000);
                self.schedule(after, Event::Trouble);
            }
        }
    }

    fn trouble(&mut self) {
        match self.random.between(0, 40) {
            0..22 => self.upload(),
            22..28 => {
                let known = self.host.log().oldest_files(FILES).unwrap();
                let Some((file, _)) = known.first() else {
                    return;
                };
                let client = *self.random.pick(&["ann", "bob"]);
                let request = Request::DeleteFile(file.clone());
                let answer = self.ask(client, request);
                self.deleted += u64::from(answer.is_some_and(|(status, _)| status == 200));
            }
            28..30 => {
                let answer = self.ask("ann", Request::Erase);
                self.erased += u64::from(answer.is_some());
            }
            30 => {
                let ms = self.random.between(5_000, 40_000);
                self.ask("ann", Request::Settings(json!({ "retentionMs": ms })));
            }
            31..34 => self.host.die(),
            34..37 => self.host.evict(),
            _ => self.down = self.time + self.random.between(0, 40_000),
        }
    }

    fn upload(&mut self) {
        self.uploads += 1;
        let client = *self.random.pick(&["ann", "bob"]);
        let file = format!("{:011x}{:04x}", self.now(), self.uploads);
        let name = self.random.between(0, 12);
        let new = NewFile {
            id: file.clone(),
            name: "a".to_owned(),
            media: "text/plain".to_owned(),
            bytes: 10,
            // Some are sent anew, while the one before is on its way too.
            upload: (name < 4).then(|| format!("u{name}")),
        };
        let Some((200, body)) = self.ask(client, Request::Upload(new)) else {
            return;
        };
        if body["duplicate"] == true {
            return;
        }
        let key = body["key"].as_str().unwrap().to_owned();
        self.keys.insert(file.clone(), key.clone());
        let (client, file) = (client.to_owned(), file);
        let worker = Worker { client, file, key };
        self.held.insert(worker.key.clone());
        let after = self.random.between(1, UPLOAD_MS);
        match self.random.between(0, 10) {
            // It dies before its put.
            0 => {
                self.held.remove(&worker.key);
            }
            1 => self.schedule(after, Event::Ends(worker, false)),
            _ => self.schedule(after, Event::Put(worker)),
        }
    }

    fn put(&mut self, worker: Worker) {
        if self.time < self.down {
            let after = self.random.between(1, 50);
            return self.schedule(after, Event::Ends(worker, false));
        }
        self.bucket.insert(worker.key.clone());
        if self.random.chance(250) {
            // It dies: the session has a row, and nobody ends it.
            self.died += 1;
            self.held.remove(&worker.key);
            return;
        }
        let after = self.random.between(1, CALL_MS);
        self.schedule(after, Event::Ends(worker, true));
    }

    fn end(&mut self, worker: Worker, is_whole: bool) {
        let request = Request::Arrived(worker.file.clone(), is_whole.then_some(10));
        match self.ask(&worker.client, request) {
            Some((404, _)) if is_whole && self.random.chance(700) => {
                let after = self.random.between(1, 300);
                self.schedule(after, Event::Cleans(worker.key));
            }
            // It dies, or hears of no end: the session alone knows.
            _ => {
                self.held.remove(&worker.key);
            }
        }
    }

    fn ask(&mut self, client: &str, request: Request) -> Option<(u16, Value)> {
        let sender = Sender {
            connection: None,
            client: client.to_owned(),
            operations: Operations::ALL,
            role: Role::User,
        };
        self.handle(Input::Request { sender, request })
    }

    /// Handles an input; gives its answer, if anybody hears it.
    fn handle(&mut self, input: Input) -> Option<(u16, Value)> {
        let fate = self.random.fate(self.is_calm, 850);
        let now = self.now();
        let effects = self.host.handle(now, input, fate);
        let mut answer = None;
        for effect in effects {
            match effect {
                Effect::Deliver(delivery) => {
                    assert_eq!(delivery.kind, DeliveryKind::File);
                    let after = self.random.between(1, 300);
                    let process = self.host.loads;
                    self.schedule(after, Event::Arrives(Box::new(delivery), process));
                }
                Effect::Respond { status, body } => {
                    answer = Some((status, serde_json::from_str(&body).unwrap()));
                }
                _ => {}
            }
        }
        answer
    }

    fn arrive(&mut self, delivery: &Delivery, process: u32) {
        let number = delivery.number;
        let is_lost = !self.is_calm && self.random.chance(200);
        let (outcome, after) = if self.time < self.down {
            let reason = "the bucket is down".to_owned();
            (Outcome::Failed { reason }, 50)
        } else {
            let gone = covered(&delivery.target, &delivery.body);
            self.bucket.retain(|key| !gone(key));
            if is_lost {
                let reason = "nobody answered".to_owned();
                (Outcome::Failed { reason }, CALL_MS)
            } else {
                let answered = Outcome::Answered {
                    status: 204,
                    retry_after_ms: None,
                };
                (answered, self.random.between(1, 9_000))
            }
        };
        self.schedule(after, Event::Done(Delivered { number, outcome }, process));
    }

    /// The files that the session knows, by their keys, and whether each is whole.
    fn known(&self) -> BTreeMap<String, bool> {
        let store = self.host.log();
        let all = store.oldest_files(FILES).unwrap().into_iter();
        // One of an upload that nobody heard the beginning of has no bytes anywhere.
        let heard = all.filter_map(|(id, _)| Some((self.keys.get(&id)?.clone(), id)));
        heard
            .map(|(key, id)| (key, store.file(&id).unwrap().unwrap().1))
            .collect()
    }

    /// P11.7: whole files are in the bucket; all that is there is known, or owed.
    fn check(&self) {
        let (known, store) = (self.known(), self.host.log());
        for (key, is_whole) in &known {
            assert!(!is_whole || self.bucket.contains(key), "{key} is lost");
        }
        let is_left = |key: &&String| !known.contains_key(*key) && !self.held.contains(*key);
        let left: Vec<_> = self.bucket.iter().filter(is_left).collect();
        if left.is_empty() {
            return;
        }
        let owed = store.deliveries().unwrap().into_iter();
        let owed: Vec<_> = owed
            .filter(|owed| owed.dead_at.is_none())
            .map(|owed| {
                let parcel = store.parcel(owed.number).unwrap().unwrap();
                covered(&owed.target, &parcel.body)
            })
            .collect();
        for key in left {
            assert!(owed.iter().any(|covers| covers(key)), "{key} is forgotten");
        }
    }

    /// In the end the bucket has the files of the session, and nothing is owed.
    fn judge(&mut self) {
        let known = self.known();
        assert!(known.values().all(|is_whole| *is_whole), "{known:?}");
        let keys: BTreeSet<String> = known.into_keys().collect();
        assert_eq!(self.bucket, keys);
        self.whole += keys.len() as u64;
        assert_eq!(self.host.log().deliveries().unwrap(), []);
        self.ask("ann", Request::Erase);
        self.pass(DEAD_LETTER_MS + 40_000);
        assert_eq!(self.bucket, BTreeSet::new());
        assert_eq!(self.host.disk.0.tables(), Vec::<String>::new());
    }
}

/// The keys that a deletion is of.
fn covered(target: &str, body: &str) -> impl Fn(&str) -> bool + use<> {
    let target = target.to_owned();
    let keys: Option<Vec<String>> = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
    move |key| match &keys {
        Some(keys) => keys.iter().any(|it| it == key),
        None => key.starts_with(&target),
    }
}

#[test]
fn a_file_is_in_the_bucket_if_the_session_knows_it() {
    let ([uploads, died, deleted, whole, erased], is_whole) = each_seed("files", 40, run);
    let has_all = 2_000 < uploads && 100 < died && 300 < deleted && 10 < whole && 150 < erased;
    assert!(
        !is_whole || has_all,
        "{uploads} uploads, {died} died, {deleted} deleted, {whole} left, {erased} erased"
    );
}
