//! The frames of calls: of agents that call, and of devices that claim and settle (P8.9).

use super::asking::{addressees, refused, wait};
use super::call::{Called, Returned};
use super::data::Data;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::limits::{CALL_BYTES, Limits, OUTPUT_BYTES};
use super::size::size;
use super::turn_frames::read_lease;

/// `tool.call`.
#[derive(Debug)]
pub struct CallTool {
    /// The call's id, which makes a resend safe.
    pub id: Option<String>,
    /// The turn that it belongs to.
    pub turn: String,
    /// The attempt at the turn (P6.8).
    pub attempt: Option<u64>,
    /// The request.
    pub called: Called,
    /// Milliseconds until its deadline.
    pub deadline_ms: Option<u64>,
}

/// `tool.claim`.
#[derive(Debug)]
pub struct ClaimCall {
    /// The call.
    pub call: String,
    /// The claim's id, by which its client makes it again.
    pub id: Option<String>,
    /// The lease, in milliseconds.
    pub lease_ms: Option<u64>,
}

/// `tool.result`.
#[derive(Debug)]
pub struct SettleCall {
    /// The call.
    pub call: String,
    /// The id of the claim, where the result comes over another connection.
    pub claim: Option<String>,
    /// The result.
    pub returned: Returned,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `tool.withdraw`.
#[derive(Debug)]
pub struct WithdrawCall {
    /// The call.
    pub call: String,
    /// The attempt at its turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

impl FromFields for CallTool {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let called = Called {
            name: fields.need_name("name", limits)?,
            input: fields.get("input")?,
            to: addressees(fields, "to", limits)?,
            schema: fields.get("schema")?,
            suspend: fields.flag("suspend")?,
        };
        let data = called.input.iter().chain(&called.schema);
        let bytes = data.map(Data::json_bytes).sum();
        size(fields.verb(), "input and schema", Some(bytes), CALL_BYTES)?;
        Ok(Self {
            id: fields.name("id", limits)?,
            turn: fields.need_name("turn", limits)?,
            attempt: fields.count("attempt")?,
            called,
            deadline_ms: wait(fields, "deadlineMs")?,
        })
    }
}

impl FromFields for ClaimCall {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            call: fields.need_name("call", limits)?,
            id: fields.name("id", limits)?,
            lease_ms: read_lease(fields)?,
        })
    }
}

impl FromFields for SettleCall {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let returned = Returned {
            output: fields.get("output")?,
            error: fields.get("error")?,
        };
        if returned.output.is_some() && returned.error.is_some() {
            return Err(refused(fields, "a result has output or error, not both"));
        }
        let data = returned.output.as_ref().or(returned.error.as_ref());
        let bytes = data.map(Data::json_bytes);
        size(fields.verb(), "the result", bytes, OUTPUT_BYTES)?;
        Ok(Self {
            call: fields.need_name("call", limits)?,
            claim: fields.name("claim", limits)?,
            returned,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for WithdrawCall {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            call: fields.need_name("call", limits)?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        })
    }
}
