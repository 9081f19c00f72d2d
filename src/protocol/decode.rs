//! Decoding of the frames that clients send (P4, P5, P13).
//!
//! An array becomes a list of [`Received`], each a frame or its refusal: one bad frame does not
//! harm the others.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;

pub use super::annotation::{Annotate, Unannotate};
pub use super::approval_frames::{DecideApproval, RequestApproval, WithdrawApproval};
pub use super::call_frames::{CallTool, ClaimCall, SettleCall, WithdrawCall};
use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
pub use super::fields::parse;
use super::fields::{Fields, FromFields};
pub use super::grant::RevokeGrant;
pub use super::handover::{ReturnLead, TakeLead};
use super::limits::Limits;
pub use super::mark::ReadUpTo;
pub use super::message_frames::{Append, Delete, Interrupt, NewMessage, Publish, Update};
pub use super::notice::Notify;
pub use super::presence::{LeavePresence, SetPresence};
pub use super::size::too_large;
pub use super::state::ChangeState;
pub use super::turn_frames::{
    AdoptTurn, CancelTurns, DriveTurn, EndTurn, StartTurn, Steer, Steered,
};
pub use super::usage::ReportUsage;

/// One element of a WebSocket message or of an HTTP body.
#[derive(Debug)]
pub struct Received {
    /// The `ref` that its answer carries (P13.1).
    pub reference: Option<Ref>,
    /// The number of its chain (P13.8).
    pub chain: Option<u64>,
    /// The frame, or why it cannot be read.
    pub frame: Result<ClientFrame, ErrorInfo>,
}

/// The client's own `ref` of a frame: text or a number, echoed verbatim (P13.1).
#[derive(Clone, Debug)]
pub struct Ref(Box<RawValue>);

impl PartialEq for Ref {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

macro_rules! client_frames {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $kind:literal, $verb:literal;)*) => {
        /// Every frame that a client may send.
        #[derive(Debug)]
        pub enum ClientFrame { $($(#[$doc])* $name($type),)* }

        /// Every type of frame, for the refusal of an unknown one.
        const TYPES: &[&str] = &[$($kind),*];

        fn decode_as(
            kind: &str,
            fields: Fields<'_>,
            limits: &Limits,
        ) -> Result<ClientFrame, ErrorInfo> {
            match kind {
                $($kind => <$type>::read(&fields.of($verb), limits).map(ClientFrame::$name),)*
                unknown => Err(unknown_type(unknown)),
            }
        }

        /// The action of a type of frame, as its refusals name it.
        fn verb_of(kind: &str) -> &'static str {
            match kind { $($kind => $verb,)* _ => READ }
        }

        impl ClientFrame {
            /// The frame's action, as its refusals name it.
            pub fn verb(&self) -> &'static str {
                match self { $(Self::$name(_) => $verb,)* }
            }
        }
    };
}

client_frames! {
    /// Append to a streaming message (P5.1).
    Append(Append) = "append", "append";
    /// Create messages (P4.2).
    Publish(Publish) = "publish", "publish";
    /// Replace fields of a message (P4.3).
    Update(Update) = "update", "update";
    /// Delete a message, leaving a tombstone (P4.3).
    Delete(Delete) = "delete", "delete";
    /// Relay data without storing it (P4.5).
    Signal(Signal) = "signal", "signal";
    /// Start a turn (P6.2).
    StartTurn(StartTurn) = "turn.start", "start the turn";
    /// End a turn (P6.3).
    EndTurn(EndTurn) = "turn.end", "end the turn";
    /// Suspend a turn (P6.3).
    SuspendTurn(DriveTurn) = "turn.suspend", "suspend the turn";
    /// Resume a turn (P6.3).
    ResumeTurn(DriveTurn) = "turn.resume", "resume the turn";
    /// Renew the lease of a turn (P6.8).
    Heartbeat(DriveTurn) = "turn.heartbeat", "renew the lease";
    /// Report what a turn has used (P6.12).
    ReportUsage(ReportUsage) = "turn.usage", "report usage";
    /// Adopt a turn (P6.8).
    AdoptTurn(AdoptTurn) = "turn.adopt", "adopt the turn";
    /// Mark a steer as taken (P6.7).
    Steered(Steered) = "turn.steered", "take the steer";
    /// Cancel turns (P6.5).
    Cancel(CancelTurns) = "cancel", "cancel";
    /// Steer a turn (P6.7).
    Steer(Steer) = "steer", "steer";
    /// Ask for an approval, or a question (P8.1).
    RequestApproval(Box<RequestApproval>) = "approval.request", "ask for approval";
    /// Decide an approval (P8.2).
    DecideApproval(DecideApproval) = "approval.decide", "decide the approval";
    /// Take an approval back (P8.2).
    WithdrawApproval(WithdrawApproval) = "approval.withdraw", "withdraw the approval";
    /// End what was granted for a key (P8.6).
    RevokeGrant(RevokeGrant) = "grant.revoke", "revoke the grant";
    /// Call a tool on a client's device (P8.9).
    CallTool(Box<CallTool>) = "tool.call", "call the tool";
    /// Take a call for one device (P8.9).
    ClaimCall(ClaimCall) = "tool.claim", "claim the call";
    /// Settle a claimed call (P8.9).
    SettleCall(SettleCall) = "tool.result", "settle the call";
    /// Take a call back (P8.9).
    WithdrawCall(WithdrawCall) = "tool.withdraw", "withdraw the call";
    /// Tell a client that is away, on its devices (P10.2).
    Notify(Notify) = "notify", "notify";
    /// Speak in the place of the agents (P8.8).
    TakeLead(TakeLead) = "lead.take", "take the lead";
    /// Let agents answer again (P8.8).
    ReturnLead(ReturnLead) = "lead.return", "return the lead";
    /// Change the shared state (P9.1).
    ChangeState(ChangeState) = "state", "change the state";
    /// Annotate a message (P9.3).
    Annotate(Annotate) = "annotate", "annotate";
    /// Take annotations back (P9.3).
    Unannotate(Unannotate) = "unannotate", "take the annotation back";
    /// Mark what was read (P9.5).
    Read(ReadUpTo) = "read", "mark what was read";
    /// Enter presence, or update its data (P7.1).
    SetPresence(SetPresence) = "presence.set", "set presence";
    /// Leave presence (P7.1).
    LeavePresence(LeavePresence) = "presence.leave", "leave presence";
    /// Replace the connection's token (P2.6); the platform checks it first.
    Auth(Auth) = "auth", "renew the token";
    /// Answer a probe (P13.7).
    Seen(Seen) = "seen", "answer the probe";
}

fn unknown_type(name: &str) -> ErrorInfo {
    let shown: String = name.chars().take(40).collect();
    let known = TYPES.join(", ");
    let message = format!("unable to read the frame; there is no type {shown:?}, only {known}");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

/// `signal` (P4.5).
#[derive(Debug)]
pub struct Signal {
    /// The application's event name.
    pub name: String,
    /// Its content.
    pub data: Option<Data>,
    /// The recipient: one connection, or all those of one client.
    pub to: Option<String>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

/// `auth` (P2.6).
#[derive(Debug)]
pub struct Auth {
    /// The fresh token.
    pub token: String,
}

/// `seen` (P13.7).
#[derive(Debug)]
pub struct Seen {
    /// The probe's number.
    pub n: u64,
}

/// Multiple of `frameBytes` up to which a message that is too large is answered by its `ref`.
const OVERSIZE_READ: usize = 4;

/// Reads one WebSocket message: a frame, or an array of frames (P13.6).
///
/// # Errors
/// The error for a message that cannot be read at all, sent with `ref: null`.
pub fn decode(text: &str, limits: &Limits) -> Result<Vec<Received>, ErrorInfo> {
    let limit = limits.frame_bytes();
    if limit < text.len() {
        let error = too_large("read the message", text.len(), limit);
        let is_read = text.len() <= limit.saturating_mul(OVERSIZE_READ);
        let common = is_read.then(|| read_common(text, limits).ok()).flatten();
        return match common {
            Some((_, common)) if common.reference.is_some() => Ok(vec![Received {
                reference: common.reference,
                chain: common.chain.unwrap_or_default(),
                frame: Err(error),
            }]),
            _ => Err(error),
        };
    }
    if text.trim_start().starts_with('[') {
        let parts: Vec<&RawValue> = parse("read the message", text)?;
        let most = limits.array_frames();
        if most < parts.len() {
            let count = parts.len();
            let message = format!(
                "unable to read the message; the array has {count} frames, the limit is {most}"
            );
            return Err(ErrorInfo::new(ErrorCode::TooLarge, message));
        }
        return Ok(parts
            .iter()
            .map(|part| decode_frame(part.get(), limits))
            .collect());
    }
    Ok(vec![decode_frame(text, limits)])
}

/// The action that refusals name before a frame's own is known.
const READ: &str = "read the frame";

/// Reads one frame, already within `frameBytes`.
pub fn decode_frame(text: &str, limits: &Limits) -> Received {
    let (fields, common) = match read_common(text, limits) {
        Ok(read) => read,
        Err(error) => return Received::refused(error),
    };
    let (chain, frame) = match common.chain {
        Ok(chain) => (chain, decode_fields(text, fields, limits)),
        Err(error) => (None, Err(error)),
    };
    Received {
        reference: common.reference,
        chain,
        frame,
    }
}

fn decode_fields(
    text: &str,
    fields: Fields<'_>,
    limits: &Limits,
) -> Result<ClientFrame, ErrorInfo> {
    check_depth(READ, text, limits)?;
    let kind = fields.word("type")?;
    decode_as(&kind, fields, limits)
}

/// Reads a frame from the fields of a body (P12.2). The address has precedence over the body; a
/// `ref` has no meaning.
///
/// # Errors
/// The fault in the body.
pub(super) fn shorthand(
    kind: &str,
    body: &str,
    named: &[(&str, &str)],
    limits: &Limits,
) -> Result<ClientFrame, ErrorInfo> {
    let verb = verb_of(kind);
    check_depth(verb, body, limits)?;
    let quoted = named.iter().map(|(_, value)| to_raw_value(value));
    let quoted: Vec<Box<RawValue>> = quoted.filter_map(Result::ok).collect();
    let mut fields = Fields::read(verb, body)?;
    for ((name, _), value) in named.iter().zip(&quoted) {
        fields = fields.with(name, value);
    }
    decode_as(kind, fields, limits)
}

/// Reads a frame from the items of its one list: one, or an array of them (P12.2).
///
/// # Errors
/// What is wrong with the body.
pub(super) fn shorthand_list(
    kind: &str,
    field: &str,
    body: &str,
    limits: &Limits,
) -> Result<ClientFrame, ErrorInfo> {
    let verb = verb_of(kind);
    check_depth(verb, body, limits)?;
    let whole: &RawValue = parse(verb, body)?;
    let list = match whole.get().starts_with('[') {
        true => Cow::Borrowed(whole),
        false => Cow::Owned(parse(verb, &format!("[{whole}]"))?),
    };
    decode_as(kind, Fields::read(verb, "{}")?.with(field, &list), limits)
}

impl Received {
    /// The refusal of a frame that cannot be read at all.
    pub fn refused(error: ErrorInfo) -> Self {
        Self {
            reference: None,
            chain: None,
            frame: Err(error),
        }
    }
}

/// The fields that any frame may have.
struct CommonFields {
    reference: Option<Ref>,
    chain: Result<Option<u64>, ErrorInfo>,
}

/// Cuts a frame into its fields and reads the common ones; safe at any size and depth.
fn read_common<'a>(
    text: &'a str,
    limits: &Limits,
) -> Result<(Fields<'a>, CommonFields), ErrorInfo> {
    let fields = Fields::read(READ, text)?;
    let reference = read_ref(&fields, limits)?;
    let chain = fields.count_from_one("chain");
    Ok((fields, CommonFields { reference, chain }))
}

fn read_ref(fields: &Fields<'_>, limits: &Limits) -> Result<Option<Ref>, ErrorInfo> {
    let Some(raw) = fields.raw("ref").filter(|raw| raw.get() != "null") else {
        return Ok(None);
    };
    let text = raw.get();
    if text.starts_with('"') {
        fields.name("ref", limits)?;
        return Ok(Some(Ref(raw.to_owned())));
    }
    if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        let most = limits.name_length();
        if most < text.len() {
            let message = format!("unable to {READ}; ref is not 1 to {most} characters");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        return Ok(Some(Ref(raw.to_owned())));
    }
    let message = "unable to read the frame; ref is neither text nor a number";
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

impl FromFields for Signal {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            name: fields.need_name("name", limits)?,
            data: fields.get("data")?,
            to: fields.get("to")?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for Auth {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            token: fields.need("token")?,
        })
    }
}

impl FromFields for Seen {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            n: fields.need("n")?,
        })
    }
}

/// Refuses JSON nested too deeply, before a recursive parser reads it.
///
/// # Errors
/// `invalid-frame`, naming the limit.
pub fn check_depth(verb: &str, text: &str, limits: &Limits) -> Result<(), ErrorInfo> {
    let most = limits.frame_depth();
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if most < depth {
            let message = format!("unable to {verb}; it nests deeper than {most}");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seq_beyond_exact_integers_is_refused() {
        for (seq, is_taken) in [("9007199254740991", true), ("9007199254740992", false)] {
            let text =
                format!(r#"{{"type":"update","serial":"abcd00000001","data":"x","seq":{seq}}}"#);
            let received = decode_frame(&text, &Limits::default());
            assert_eq!(received.frame.is_ok(), is_taken, "{seq}");
            if let Err(error) = received.frame {
                assert!(error.message.contains("seq"), "{}", error.message);
            }
        }
    }
}
