//! Hand-over: a person speaks in the place of the agents, until that person returns (P8.8).

use serde::Serialize;

use super::data::json_bytes;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::ids::Timestamp;
use super::limits::Limits;
use super::object::{read_fields, words};
use super::serial::{Epoch, Place, Serial};
use super::size::size;

/// The event of a hand-over, named as its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person leads from now on.
    Take,
    /// Agents answer again.
    Return,
}

words!(Event {
    Take = "lead.take",
    Return = "lead.return",
});

/// Which of the inputs that waited are queued for agents on return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wake {
    /// The last one.
    #[default]
    Last,
    /// Each of them.
    All,
    /// None.
    None,
}

words!(Wake {
    Last = "last",
    All = "all",
    None = "none",
});

/// The fate of the turns that a person finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turns {
    /// Their agents finish them.
    #[default]
    Finish,
    /// They are cancelled.
    Cancel,
}

words!(Turns {
    Finish = "finish",
    Cancel = "cancel",
});

/// The person who leads, on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leading {
    /// The client.
    pub client: String,
    /// The client's display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the client took over.
    pub since: Timestamp,
    /// The client's note for those who watch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

read_fields!(Leading {
    client,
    name,
    since,
    note,
});

/// How a hand-over ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Returned {
    /// The client that returned; `None` for the session itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `lost`, if the person was not heard (P8.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which inputs were queued.
    pub wake: Wake,
    /// A note for the agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

read_fields!(Returned {
    by,
    reason,
    wake,
    note,
});

/// The latest hand-over, in memory and, as JSON, in its row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handover {
    /// The place of its latest event.
    pub version: Place,
    /// The person.
    pub lead: Leading,
    /// The client that led before, if this one replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// The inputs that wait for the return.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Place>,
    /// Its end, if it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
}

read_fields!(Handover {
    version,
    lead,
    replaced,
    waiting: or_default,
    returned,
});

impl Handover {
    /// The event that it came to last.
    pub fn event(&self) -> Event {
        self.returned
            .as_ref()
            .map_or(Event::Take, |_| Event::Return)
    }

    /// The frame of that event.
    pub fn frame(&self, epoch: Epoch) -> HandoverFrame {
        HandoverFrame {
            r#type: self.event(),
            serial: epoch.at(self.version),
            lead: self.lead.clone(),
            replaced: self.replaced.clone().filter(|_| self.returned.is_none()),
            returned: self.returned.clone(),
        }
    }
}

/// `lead.take` and `lead.return`, as readers get them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HandoverFrame {
    /// The event.
    pub r#type: Event,
    /// Its serial.
    pub serial: Serial,
    /// The person who leads, or led.
    pub lead: Leading,
    /// The client that led until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// The rest of a `lead.return`.
    #[serde(flatten)]
    pub returned: Option<Returned>,
}

/// `lead.take` (P8.8).
#[derive(Debug)]
pub struct TakeLead {
    /// The fate of open turns.
    pub turns: Turns,
    /// A note for those who watch.
    pub note: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `lead.return` (P8.8).
#[derive(Debug)]
pub struct ReturnLead {
    /// Which inputs are queued.
    pub wake: Wake,
    /// A note for the agents.
    pub note: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

fn read_note(fields: &Fields<'_>, limits: &Limits) -> Result<Option<String>, ErrorInfo> {
    let note: Option<String> = fields.get("note")?;
    let bytes = note.as_deref().map(json_bytes);
    size(fields.verb(), "note", bytes, limits.turn_bytes())?;
    Ok(note)
}

impl FromFields for TakeLead {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turns: fields.get("turns")?.unwrap_or_default(),
            note: read_note(fields, limits)?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for ReturnLead {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            wake: fields.get("wake")?.unwrap_or_default(),
            note: read_note(fields, limits)?,
            id: fields.name("id", limits)?,
        })
    }
}
