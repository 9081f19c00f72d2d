//! HTTP requests of a script.

use sessile::protocol::annotation::{Annotations, Cursor};
use sessile::protocol::decode::decode_frame;
use sessile::protocol::file::NewFile;
use sessile::protocol::state::Part;
use sessile::protocol::{asking_query, log_query, query, search};
use sessile::session::{Input, Read, Request, Sender};

use super::{World, operations, role};
use crate::words::{Word, find, has};

impl World {
    /// Makes an HTTP request.
    pub(super) fn request(&mut self, name: &str, verb: &str, args: &[Word], line: &str) {
        let sender = Sender {
            connection: None,
            client: name.split('/').next().unwrap().to_owned(),
            operations: operations(name, args),
            role: role(name),
        };
        let serial = |world: &Self, key| find(args, key).map(|text| world.show.fill(text));
        let number = |key, usual| find(args, key).map_or(usual, |text| text.parse().unwrap());
        let is_read = matches!(verb, "get" | "brief");
        let what = args.first().map_or("", |word| word.text.as_str());
        let request = match (if is_read { "get" } else { verb }, what) {
            ("get", "turns") => Request::Read(Read::Turns(query::Turns {
                all: has(args, "all"),
                before: serial(self, "before"),
                limit: number("limit", 100),
            })),
            ("get", "turn") => Request::Read(Read::Turn(query::Id(self.show.fill(&args[1].text)))),
            ("get", "approvals") => Request::Read(Read::Approvals(asking_query::Askings {
                all: has(args, "all"),
                before: serial(self, "before"),
                limit: number("limit", 100),
            })),
            ("get", "approval") => {
                Request::Read(Read::Approval(query::Id(self.show.fill(&args[1].text))))
            }
            ("get", "calls") => Request::Read(Read::Calls(asking_query::Askings {
                all: has(args, "all"),
                before: serial(self, "before"),
                limit: number("limit", 100),
            })),
            ("get", "call") => Request::Read(Read::Call(query::Id(self.show.fill(&args[1].text)))),
            ("get", "state") => {
                let path = find(args, "path")
                    .into_iter()
                    .flat_map(|path| path.split('.'));
                Request::Read(Read::State(Part(path.map(str::to_owned).collect())))
            }
            ("get", "annotations") => {
                let cursor = find(args, "cursor").map(|text| self.show.fill(text));
                let cursor = cursor.map(|text| Cursor::parse(&text).unwrap());
                Request::Read(Read::Annotations(Annotations {
                    serial: self.show.fill(&args[1].text),
                    cursor: cursor.unwrap_or_default(),
                    limit: number("limit", 100),
                }))
            }
            ("get", "search") => Request::Read(Read::Search(search::Search {
                words: search::words(&args[1].text).unwrap(),
                before: serial(self, "before"),
                limit: number("limit", 20),
            })),
            ("get", "marks") => Request::Read(Read::Marks(query::Nothing)),
            ("get", "presence") => Request::Read(Read::Presence(query::Nothing)),
            ("get", "messages" | "conversation") => Request::Read(Read::Messages(query::History {
                before: serial(self, "before"),
                after: serial(self, "after"),
                to: serial(self, "to").or((what == "conversation").then(String::new)),
                limit: number("limit", 100),
            })),
            ("get", "log") => Request::Read(Read::Log(log_query::Log {
                after: serial(self, "after"),
                limit: number("limit", 100),
            })),
            ("remove", file) => Request::DeleteFile(file.to_owned()),
            ("get", "file") => Request::File(args[1].text.clone()),
            ("upload", file) => Request::Upload(NewFile {
                id: file.to_owned(),
                name: "a.txt".to_owned(),
                media: "text/plain".to_owned(),
                bytes: find(args, "bytes").map_or(10, |text| text.parse().unwrap()),
                upload: find(args, "id").map(str::to_owned),
            }),
            ("arrived", file) => {
                let bytes = find(args, "bytes").map(|text| text.parse().unwrap());
                Request::Arrived(file.to_owned(), bytes)
            }
            ("get", "snapshot") => Request::Read(Read::Snapshot(query::Snapshot {
                rewind: number("rewind", 50),
            })),
            ("get", _) if has(args, "bare") => Request::Written(self.show.fill(what)),
            ("get", _) => Request::Read(Read::Message(query::Serial(self.show.fill(what)))),
            ("patch", _) => Request::Settings(serde_json::from_str(what).unwrap()),
            ("erase", _) => Request::Erase,
            ("wake", _) => {
                let input = find(args, "input").map(|text| self.show.fill(text));
                let ask = serde_json::json!({ "input": input, "turn": find(args, "turn") });
                Request::Wake(serde_json::from_str(&ask.to_string()).unwrap())
            }
            _ => {
                let (_, line) = line.split_once(verb).unwrap();
                let texts = self.frames(name, line);
                let limits = &self.host.limits;
                let mut received: Vec<_> = texts
                    .iter()
                    .map(|text| decode_frame(text, limits))
                    .collect();
                match (verb, received.len()) {
                    ("shorthand", _) => Request::Shorthand(received.remove(0).frame),
                    ("post", 1) => Request::Frame(received.remove(0)),
                    _ => Request::Frames(received),
                }
            }
        };
        self.asks = name.to_owned();
        self.is_brief = verb == "brief";
        self.handle(Input::Request { sender, request });
    }
}
