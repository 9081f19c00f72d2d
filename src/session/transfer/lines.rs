//! A line of an export, as it is stored again. Nothing in it is believed before it is read as what
//! it says it is.

use serde::de::{Deserialize, Error};

use crate::ordered::Set;
use crate::protocol::annotation::{Annotation, sums_of_row};
use crate::protocol::approval::Approval;
use crate::protocol::call::Call;
use crate::protocol::data::Data;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::message::{Headers, Message, Status};
use crate::protocol::object::Object;
use crate::protocol::serial::{Epoch, PLACE_MAX, Place, Serial};
use crate::protocol::turn::{Ending, Event, State, Turn};
use crate::store::{
    Annotated, AnnotationWrite, ApprovalWrite, CallWrite, GrantWrite, HandoverWrite, ImportWrite,
    Kept, MarkWrite, MessageWrite, StateChange, StateTree, StateWrite, TurnWrite, UsageWrite,
    Write,
};

/// The reason of the end of a turn that was open when its session was forked.
const FORKED: &str = "forked";

type Read<T> = Result<T, serde_json::Error>;

fn wrong<T>(reason: &str) -> Read<T> {
    Err(serde_json::Error::custom(reason))
}

/// Reads lines.
pub(super) struct Reader<'a> {
    /// The epoch of the session that was exported.
    pub(super) source: Epoch,
    /// The epoch of the session that is imported.
    pub(super) epoch: Epoch,
    pub(super) limits: &'a Limits,
    /// Of a fork, the end of its part of the log, and when it was made.
    pub(super) fork: Option<(Place, Timestamp)>,
    /// The rows to store.
    pub(super) writes: &'a mut Vec<Write>,
    /// The clients that lines come from.
    pub(super) clients: &'a mut Set<String>,
    /// Bytes of lines that a waking session reads.
    pub(super) held: u64,
    /// The number of all lines, once the last one was read.
    pub(super) count: Option<u64>,
}

/// The fields of a line. The first that is wrong is told of at the end, so that nothing that was
/// read before it needs a way out of its own.
struct Fields<'a> {
    object: Object<'a>,
    error: Option<serde_json::Error>,
}

impl<'a> Fields<'a> {
    fn take<T: Deserialize<'a> + Default>(&mut self, name: &'static str) -> T {
        self.object.field(name).unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            T::default()
        })
    }

    /// A place in the log.
    fn place(&mut self, name: &'static str) -> Place {
        let place = self.take(name);
        self.check(place <= PLACE_MAX, "a place is beyond the last one");
        place
    }

    fn check(&mut self, is_right: bool, reason: &str) {
        if !is_right {
            self.error
                .get_or_insert_with(|| serde_json::Error::custom(reason));
        }
    }

    /// A record, as it is stored.
    fn record<T: Deserialize<'a>>(&self) -> Read<T> {
        self.object.field("record")
    }
}

impl Reader<'_> {
    /// Reads a line.
    pub(super) fn read(&mut self, text: &str) -> Read<()> {
        let Some(object) = Object::read(text) else {
            return wrong("it is no object");
        };
        if let Some(client) = object.word("client") {
            self.clients.insert(client.into_owned());
        }
        let line = &mut Fields {
            object,
            error: None,
        };
        // Every change within a fork has a place in it.
        let end = self.fork.map_or(PLACE_MAX, |(end, _)| end);
        let mut is_held = true;
        let write: Write = match line.object.word("type").as_deref() {
            Some("message") => {
                let mut message = self.message(line);
                message.version.place = message.version.place.min(end);
                if self.fork.is_some() && message.status == Some(Status::Streaming) {
                    message.status = Some(Status::Cancelled);
                }
                is_held = message.status == Some(Status::Streaming);
                MessageWrite::Create(message).into()
            }
            Some("cancel") => {
                is_held = false;
                let (place, cancel) = (line.place("message"), line.record()?);
                MessageWrite::CancelInput { place, cancel }.into()
            }
            Some("turn") => {
                let mut turn: Turn = line.record()?;
                line.check(
                    turn.place.max(turn.version) <= PLACE_MAX,
                    "its place is none",
                );
                turn.version = turn.version.min(end);
                if let (true, Some((_, at))) = (turn.is_open(), self.fork) {
                    turn.event = Event::End;
                    turn.state = State::Ended {
                        ending: Ending::Cancelled,
                        reason: Some(FORKED.to_owned()),
                        error: None,
                        at,
                    };
                }
                is_held = turn.is_open();
                let heard_at = line.take("heardAt");
                TurnWrite::Row(Kept { turn, heard_at }).into()
            }
            Some("approval") => {
                let mut approval: Approval = line.record()?;
                line.check(
                    approval.place.max(approval.version) <= PLACE_MAX,
                    "its place is none",
                );
                is_held = approval.is_pending();
                if is_held && self.fork.is_some() {
                    return Ok(());
                }
                approval.version = approval.version.min(end);
                ApprovalWrite {
                    at: approval.created_at,
                    approval,
                    client: None,
                }
                .into()
            }
            Some("call") => {
                let mut call: Call = line.record()?;
                line.check(
                    call.place.max(call.version) <= PLACE_MAX,
                    "its place is none",
                );
                is_held = call.is_pending();
                if is_held && self.fork.is_some() {
                    return Ok(());
                }
                call.version = call.version.min(end);
                CallWrite {
                    at: call.created_at,
                    call,
                    client: None,
                    is_entry: false,
                }
                .into()
            }
            Some("granted" | "handover") if self.fork.is_some() => return Ok(()),
            Some("granted") => GrantWrite::Give(line.record()?).into(),
            Some("handover") => HandoverWrite::Row {
                handover: line.record()?,
                heard_at: line.take("heardAt"),
            }
            .into(),
            Some("usage") => UsageWrite {
                sums: line.record()?,
            }
            .into(),
            Some("mark") => MarkWrite::Put {
                client: line.take("client"),
                place: line.place("serial"),
                at: line.take("at"),
            }
            .into(),
            Some("state") => match state(line, end) {
                Some(write) => write.into(),
                None => return Ok(()),
            },
            Some("annotation" | "sums") => {
                is_held = false;
                annotation(line, end)?.into()
            }
            Some("entry") => {
                is_held = false;
                let (place, kind) = (line.place("serial"), line.take("kind"));
                line.check(ImportWrite::is_kind(kind), "its kind is none");
                if end < place {
                    return Ok(());
                }
                ImportWrite::Entry {
                    place,
                    kind,
                    subject: line.place("subject"),
                    client: line.take("client"),
                    at: line.take("at"),
                }
                .into()
            }
            Some("end") => {
                self.count = Some(line.object.field("count")?);
                return Ok(());
            }
            _ => return wrong("its type is none of an export's"),
        };
        if let Some(error) = line.error.take() {
            return Err(error);
        }
        self.writes.push(write);
        if is_held {
            self.held += u64::try_from(text.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// A message, with serials of the imported session: also those in its headers, by which it
    /// names others.
    fn message(&self, line: &mut Fields<'_>) -> Message {
        let mut headers: Option<Headers> = line.take("headers");
        for value in headers.iter_mut().flat_map(|it| it.values_mut()) {
            if let Some(serial) = Serial::parse(value).filter(|it| it.epoch == self.source) {
                *value = self.epoch.at(serial.place).to_string();
            }
        }
        let none = self.epoch.at(0);
        let connection: Option<String> = line.take("connection");
        let message = Message {
            serial: self.serial(line, "serial").unwrap_or(none),
            version: self.serial(line, "version").unwrap_or(none),
            id: line.take("id"),
            name: line.take("name"),
            client: line.take("client"),
            connection: connection.map(ConnectionId::new),
            role: line.take("role"),
            turn: line.take("turn"),
            parent: self.serial(line, "parent"),
            data: line.take("data"),
            headers,
            status: line.take("status"),
            seq: line.take("seq"),
            created_at: line.take("createdAt"),
            updated_at: line.take("updatedAt"),
            annotations: None,
            deleted_at: line.take("deletedAt"),
        };
        self.check(&message, line);
        message
    }

    /// A serial, as the imported session has it.
    fn serial(&self, line: &mut Fields<'_>, name: &'static str) -> Option<Serial> {
        let serial: Serial = line.take::<Option<Serial>>(name)?;
        line.check(
            serial.epoch == self.source,
            "a serial is of another session",
        );
        Some(self.epoch.at(serial.place))
    }

    /// Holds a message to the bounds that it had when it was written (P14).
    fn check(&self, message: &Message, line: &mut Fields<'_>) {
        let limits = self.limits;
        let headers = message.headers.iter().flatten();
        let bytes: usize = headers.map(|(key, value)| key.len() + value.len()).sum();
        let keys = message.headers.as_ref().map_or(0, |it| it.len());
        let names = [
            Some(&message.name),
            message.id.as_ref(),
            message.turn.as_ref(),
        ];
        let mut names = names.into_iter().flatten();
        let is_short = |name: &String| name.chars().count() <= limits.name_length();
        let data = message.data.as_ref().map_or(0, Data::bytes);
        let is_within = data <= limits.data_bytes()
            && bytes <= limits.header_bytes()
            && keys <= limits.header_keys()
            && message.client.len() <= limits.claims_bytes()
            && names.all(is_short);
        line.check(
            is_within,
            "the message is beyond a limit of this deployment",
        );
        let is_placed = 0 < message.serial.place && message.serial <= message.version;
        line.check(is_placed, "the message has no place");
        let is_growing = message.status == Some(Status::Streaming);
        let is_text = matches!(message.data, Some(Data::Text(_)));
        line.check(
            is_text || !is_growing,
            "the message streams, and has no text",
        );
    }
}

/// The state, or a change of it; nothing for a change beyond the end.
fn state(line: &mut Fields<'_>, end: Place) -> Option<StateWrite> {
    let (slot, at): (u64, _) = (line.take("slot"), line.take("at"));
    let (place, client) = (line.place("serial"), line.take("client"));
    let body = line
        .object
        .raw("record")
        .map_or("", |raw| raw.get())
        .to_owned();
    if slot == 0 {
        let tree = StateTree {
            place: place.min(end),
            client,
            tree: body,
        };
        let slots = u64::MAX;
        return Some(StateWrite::Tree { slots, tree, at });
    }
    if end < place {
        return None;
    }
    let change = StateChange {
        place,
        prior: line.take("prior"),
        client,
        ops: body,
    };
    Some(StateWrite::Change { slot, change, at })
}

/// An annotation, or the sums of a message, which come after its annotations.
fn annotation(line: &mut Fields<'_>, end: Place) -> Read<AnnotationWrite> {
    let mut write = AnnotationWrite {
        message: line.place("message"),
        client: String::new(),
        gone: Vec::new(),
        added: None,
        annotated: Annotated::default(),
    };
    if let Some(raw) = line.object.raw("record") {
        let Some(sums) = sums_of_row(raw.get()) else {
            return wrong("its record is no sums");
        };
        write.annotated = Annotated {
            version: line.place("version").min(end),
            rows: line.take("rows"),
            sums,
        };
        return Ok(write);
    }
    write.added = Some(Annotation {
        place: line.place("serial").min(end),
        kind: line.object.field("kind")?,
        name: line.take("name"),
        client: line.take("client"),
        count: line.take("count"),
        data: line.take("data"),
        at: line.take("at"),
    });
    Ok(write)
}
