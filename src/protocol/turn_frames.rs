//! The frames that start, drive, cancel and steer turns (P6.2–P6.8).

use super::data::{Data, json_bytes};
use super::error::{ErrorCode, ErrorInfo};
use super::fields::{Fields, FromFields};
use super::limits::{LEASE_MS, Limits};
use super::serial::Serial;
use super::size::size;
use super::traceparent;
use super::turn::{Ending, lease};
use super::usage::{Usage, read_usage};

/// `turn.start` (P6.2).
#[derive(Debug)]
pub struct StartTurn {
    /// The turn's id, which makes a resend safe.
    pub id: Option<String>,
    /// The message that it answers.
    pub input: Option<Serial>,
    /// The message that it follows.
    pub parent: Option<Serial>,
    /// The turn within which it runs (P6.11).
    pub within: Option<String>,
    /// Whether it goes on after the end of that turn.
    pub detached: bool,
    /// The lease, in milliseconds.
    pub lease_ms: Option<u64>,
    /// Whether to give the same input another answer.
    pub again: bool,
    /// The agent's own data.
    pub metadata: Option<Data>,
    /// Its trace context (P6.13).
    pub traceparent: Option<String>,
}

/// `turn.end` (P6.3).
#[derive(Debug)]
pub struct EndTurn {
    /// The turn.
    pub turn: String,
    /// The attempt at it (P6.8).
    pub attempt: Option<u64>,
    /// How it ends.
    pub status: Ending,
    /// The error that it fails with.
    pub error: Option<Data>,
    /// The amounts that it used since its last report (P6.12).
    pub usage: Option<Usage>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `turn.suspend`, `turn.resume` and `turn.heartbeat` (P6.3, P6.8).
#[derive(Debug)]
pub struct DriveTurn {
    /// The turn.
    pub turn: String,
    /// The attempt at it.
    pub attempt: Option<u64>,
    /// The reason for suspending it.
    pub reason: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `turn.adopt` (P6.8).
#[derive(Debug)]
pub struct AdoptTurn {
    /// The turn.
    pub turn: String,
    /// Whether to keep the output so far.
    pub keep: bool,
    /// The new lease, in milliseconds.
    pub lease_ms: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `turn.steered` (P6.7).
#[derive(Debug)]
pub struct Steered {
    /// The turn.
    pub turn: String,
    /// The steer that was taken.
    pub serial: Serial,
    /// The attempt at the turn.
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `cancel` (P6.5): exactly one of `turn`, `input` and `all`.
#[derive(Debug)]
pub struct CancelTurns {
    /// One turn.
    pub turn: Option<String>,
    /// Every turn that answers this message, now or later.
    pub input: Option<Serial>,
    /// Every open turn.
    pub all: bool,
    /// The reason.
    pub reason: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `steer` (P6.7).
#[derive(Debug)]
pub struct Steer {
    /// The turn.
    pub turn: String,
    /// The instruction.
    pub data: Data,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// The lease that a frame asks for, within its range.
pub(super) fn read_lease(fields: &Fields<'_>) -> Result<Option<u64>, ErrorInfo> {
    let asked = fields.get("leaseMs")?;
    if LEASE_MS.contains(&lease(asked)) {
        return Ok(asked);
    }
    let (verb, least, most) = (fields.verb(), LEASE_MS.start(), LEASE_MS.end());
    let message = format!("unable to {verb}; leaseMs is not between {least} and {most}");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

/// Reads data that is stored with the turn.
fn read_data(fields: &Fields<'_>, name: &str, limits: &Limits) -> Result<Option<Data>, ErrorInfo> {
    let data: Option<Data> = fields.get(name)?;
    let bytes = data.as_ref().map(Data::json_bytes);
    size(fields.verb(), name, bytes, limits.turn_bytes())?;
    Ok(data)
}

fn read_reason(fields: &Fields<'_>, limits: &Limits) -> Result<Option<String>, ErrorInfo> {
    let reason: Option<String> = fields.get("reason")?;
    let bytes = reason.as_deref().map(json_bytes);
    size(fields.verb(), "reason", bytes, limits.turn_bytes())?;
    Ok(reason)
}

impl FromFields for StartTurn {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let start = Self {
            id: fields.name("id", limits)?,
            input: fields.get("input")?,
            parent: fields.get("parent")?,
            within: fields.name("within", limits)?,
            detached: fields.flag("detached")?,
            lease_ms: read_lease(fields)?,
            again: fields.flag("again")?,
            metadata: read_data(fields, "metadata", limits)?,
            traceparent: traceparent::field(fields)?,
        };
        if start.again && start.id.is_none() {
            let verb = fields.verb();
            let message = format!("unable to {verb}; again needs an id for the new turn");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        if start.detached && start.within.is_none() {
            let verb = fields.verb();
            let message = format!("unable to {verb}; detached goes with within");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        Ok(start)
    }
}

impl FromFields for EndTurn {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            attempt: fields.count("attempt")?,
            status: fields.need("status")?,
            error: read_data(fields, "error", limits)?,
            usage: read_usage(fields)?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for DriveTurn {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            attempt: fields.count("attempt")?,
            reason: read_reason(fields, limits)?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for AdoptTurn {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            keep: fields.flag("keep")?,
            lease_ms: read_lease(fields)?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for Steered {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            serial: fields.need("serial")?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for CancelTurns {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let cancel = Self {
            turn: fields.name("turn", limits)?,
            input: fields.get("input")?,
            all: fields.flag("all")?,
            reason: read_reason(fields, limits)?,
            id: fields.name("id", limits)?,
        };
        let named = [cancel.turn.is_some(), cancel.input.is_some(), cancel.all];
        if named.into_iter().filter(|is_named| *is_named).count() != 1 {
            let verb = fields.verb();
            let message = format!("unable to {verb}; it takes exactly one of turn, input and all");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        Ok(cancel)
    }
}

impl FromFields for Steer {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            turn: fields.need_name("turn", limits)?,
            data: fields.need("data")?,
            id: fields.name("id", limits)?,
        })
    }
}
