//! What a script asks for by HTTP.

use sessile::protocol::decode::decode_frame;
use sessile::session::{Input, Read, Request, Sender};

use super::{World, operations};
use crate::words::{Word, find, has};

impl World {
    /// Makes an HTTP request.
    pub(super) fn request(&mut self, name: &str, verb: &str, args: &[Word], line: &str) {
        let sender = Sender {
            connection: None,
            client: name.split('/').next().unwrap().to_owned(),
            operations: operations(name, args),
        };
        let serial = |world: &Self, key| find(args, key).map(|text| world.show.fill(text));
        let number = |key, usual| find(args, key).map_or(usual, |text| text.parse().unwrap());
        let is_read = matches!(verb, "get" | "brief");
        let what = args.first().map_or("", |word| word.text.as_str());
        let request = match (if is_read { "get" } else { verb }, what) {
            ("get", "turns") => Request::Read(Read::Turns {
                all: has(args, "all"),
                before: serial(self, "before"),
                limit: number("limit", 100),
            }),
            ("get", "turn") => Request::Read(Read::Turn {
                id: self.show.fill(&args[1].text),
            }),
            ("get", "presence") => Request::Read(Read::Presence {}),
            ("get", "messages") => Request::Read(Read::History {
                before: serial(self, "before"),
                after: serial(self, "after"),
                limit: number("limit", 100),
            }),
            ("get", "conversation") => Request::Read(Read::Conversation {
                to: serial(self, "to").unwrap_or_default(),
                before: serial(self, "before"),
                limit: number("limit", 100),
            }),
            ("get", "snapshot") => Request::Read(Read::Snapshot {
                rewind: number("rewind", 50),
            }),
            ("get", _) => {
                let serial = self.show.fill(what);
                Request::Read(match has(args, "bare") {
                    true => Read::Body { serial },
                    false => Read::Message { serial },
                })
            }
            ("patch", _) => Request::Settings(serde_json::from_str(what).unwrap()),
            ("erase", _) => Request::Erase,
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
