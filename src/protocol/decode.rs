//! The frames that clients send, and how they are read (P4, P5, P13).
//!
//! Reading never fails as a whole: whatever comes gives a list of [`Received`], each a frame
//! or the refusal that answers it, so that one bad frame of an array harms none of the others.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;

pub use super::change::{Append, Delete, Interrupt, NewMessage, Publish, Update};
pub use super::check::too_large;
use super::check::{Frame, bound};
use super::data::Data;
use super::error::{ErrorCode, ErrorInfo};
use super::fields::Fields;
pub use super::fields::parse;
use super::limits::Limits;
pub use super::presence::{LeavePresence, SetPresence};
pub use super::turn::{AdoptTurn, CancelTurns, DriveTurn, EndTurn, StartTurn, Steer, Steered};

/// What came in one place of a WebSocket message or of an HTTP body.
#[derive(Debug)]
pub struct Received {
    /// What its answer refers to (P13.1).
    pub reference: Option<Ref>,
    /// The frames that it stands on (P13.8).
    pub chain: Option<u64>,
    /// The frame, or why there is none.
    pub frame: Result<ClientFrame, ErrorInfo>,
}

/// The client's own mark on a frame: text or a number, given back as it came (P13.1).
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
        /// Everything that a client may ask of a session.
        ///
        /// Approvals, state and annotations add theirs here.
        #[derive(Debug)]
        pub enum ClientFrame { $($(#[$doc])* $name($type),)* }

        /// The types of frames, for whoever sends another.
        const KINDS: &[&str] = &[$($kind),*];

        fn decode_kind(
            kind: &str,
            fields: Fields<'_>,
            limits: &Limits,
        ) -> Result<ClientFrame, ErrorInfo> {
            match kind {
                $($kind => <$type>::read(&fields.of($verb), limits).map(ClientFrame::$name),)*
                unknown => Err(unknown_kind(unknown)),
            }
        }

        /// What a type of frame does, as its refusals say it.
        fn verb_of(kind: &str) -> &'static str {
            match kind { $($kind => $verb,)* _ => READ }
        }

        impl ClientFrame {
            /// What the frame does, as its refusals say it.
            pub fn verb(&self) -> &'static str {
                match self { $(Self::$name(_) => $verb,)* }
            }
        }
    };
}

client_frames! {
    /// Grow a streaming message (P5.1).
    Append(Append) = "append", "append";
    /// Create messages (P4.2).
    Publish(Publish) = "publish", "publish";
    /// Replace fields of a message (P4.3).
    Update(Update) = "update", "update";
    /// Leave a tombstone (P4.3).
    Delete(Delete) = "delete", "delete";
    /// Pass something on without keeping it (P4.5).
    Signal(Signal) = "signal", "signal";
    /// Begin to answer (P6.2).
    StartTurn(StartTurn) = "turn.start", "start the turn";
    /// End a turn (P6.3).
    EndTurn(EndTurn) = "turn.end", "end the turn";
    /// Wait for something outside (P6.3).
    SuspendTurn(DriveTurn) = "turn.suspend", "suspend the turn";
    /// Go on (P6.3).
    ResumeTurn(DriveTurn) = "turn.resume", "resume the turn";
    /// Say that the turn is alive (P6.8).
    Heartbeat(DriveTurn) = "turn.heartbeat", "keep the turn";
    /// Take a turn over (P6.8).
    AdoptTurn(AdoptTurn) = "turn.adopt", "adopt the turn";
    /// Say that an instruction was taken (P6.7).
    Steered(Steered) = "turn.steered", "take the instruction";
    /// Ask for the end of turns (P6.5).
    Cancel(CancelTurns) = "cancel", "cancel";
    /// Instruct a running turn (P6.7).
    Steer(Steer) = "steer", "steer";
    /// Be seen (P7.1).
    SetPresence(SetPresence) = "presence.set", "be present";
    /// Be seen no longer (P7.1).
    LeavePresence(LeavePresence) = "presence.leave", "leave";
    /// Go on with a fresh token (P2.6). The platform checks the token first.
    Auth(Auth) = "auth", "renew the token";
    /// Everything up to a probe was processed (P13.7).
    Seen(Seen) = "seen", "take the answer to a probe";
}

fn unknown_kind(kind: &str) -> ErrorInfo {
    let shown: String = kind.chars().take(40).collect();
    let known = KINDS.join(", ");
    let message = format!("unable to read the frame; there is no type {shown:?}, only {known}");
    ErrorInfo::new(ErrorCode::UnknownFrame, message)
}

/// `signal` (P4.5).
#[derive(Debug)]
pub struct Signal {
    /// The application's event name.
    pub name: String,
    /// What it says.
    pub data: Option<Data>,
    /// One connection, or all of one client.
    pub to: Option<String>,
    /// Makes sending again safe (P13.1).
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

/// How much larger than a frame a message may be and still be answered by its `ref`.
const OVERSIZE_READ: usize = 4;

/// Reads one WebSocket message: a frame, or an array of frames (P13.6).
///
/// # Errors
/// The answer to a message that cannot be read at all; it goes out with `ref: null`.
pub fn decode(text: &str, limits: &Limits) -> Result<Vec<Received>, ErrorInfo> {
    let limit = bound(limits.frame_bytes);
    if limit < text.len() {
        let error = too_large("read the message", text.len(), limit);
        let is_read = text.len() <= limit.saturating_mul(OVERSIZE_READ);
        let mark = is_read.then(|| read_mark(text, limits).ok()).flatten();
        return match mark {
            Some((_, mark)) if mark.reference.is_some() => Ok(vec![Received {
                reference: mark.reference,
                chain: mark.chain.unwrap_or_default(),
                frame: Err(error),
            }]),
            _ => Err(error),
        };
    }
    if text.trim_start().starts_with('[') {
        let parts: Vec<&RawValue> = parse("read the message", text)?;
        let most = bound(limits.array_frames);
        if most < parts.len() {
            let count = parts.len();
            let message = format!(
                "unable to read the message; an array of {count} frames is more than {most}"
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

/// What a frame does before it is known what it does.
const READ: &str = "read the frame";

/// Reads one frame whose size is within bounds.
pub fn decode_frame(text: &str, limits: &Limits) -> Received {
    let (fields, mark) = match read_mark(text, limits) {
        Ok(read) => read,
        Err(error) => return Received::refused(error),
    };
    let (chain, frame) = match mark.chain {
        Ok(chain) => (chain, decode_fields(text, fields, limits)),
        Err(error) => (None, Err(error)),
    };
    Received {
        reference: mark.reference,
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
    decode_kind(&kind, fields, limits)
}

/// Reads a frame from the fields of a body (P12.2). What the address names stands before what the
/// body says of it; a `ref` has no meaning.
///
/// # Errors
/// What is wrong with the body.
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
    decode_kind(kind, fields, limits)
}

/// Reads a `publish` from its messages: one, or an array of them (P12.2).
///
/// # Errors
/// What is wrong with the body.
pub(super) fn shorthand_publish(body: &str, limits: &Limits) -> Result<ClientFrame, ErrorInfo> {
    let verb = verb_of("publish");
    check_depth(verb, body, limits)?;
    let whole: &RawValue = parse(verb, body)?;
    let list = match whole.get().starts_with('[') {
        true => Cow::Borrowed(whole),
        false => Cow::Owned(parse(verb, &format!("[{whole}]"))?),
    };
    decode_kind(
        "publish",
        Fields::read(verb, "{}")?.with("messages", &list),
        limits,
    )
}

impl Received {
    /// The refusal of what cannot be read at all.
    pub fn refused(error: ErrorInfo) -> Self {
        Self {
            reference: None,
            chain: None,
            frame: Err(error),
        }
    }
}

/// The fields that a frame has whatever it does.
struct Mark {
    reference: Option<Ref>,
    chain: Result<Option<u64>, ErrorInfo>,
}

/// Cuts a frame into its fields, and reads its mark, which can be done however large or deep it is.
fn read_mark<'a>(text: &'a str, limits: &Limits) -> Result<(Fields<'a>, Mark), ErrorInfo> {
    let fields = Fields::read(READ, text)?;
    let reference = reference(&fields, limits)?;
    let chain = fields.count_from_one("chain");
    Ok((fields, Mark { reference, chain }))
}

/// What the answer to a frame refers to.
fn reference(fields: &Fields<'_>, limits: &Limits) -> Result<Option<Ref>, ErrorInfo> {
    let Some(raw) = fields.raw("ref").filter(|raw| raw.get() != "null") else {
        return Ok(None);
    };
    let text = raw.get();
    if text.starts_with('"') {
        fields.name("ref", limits)?;
        return Ok(Some(Ref(raw.to_owned())));
    }
    if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        let most = bound(limits.name_length);
        if most < text.len() {
            let message = format!("unable to {READ}; ref is not 1 to {most} characters");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        return Ok(Some(Ref(raw.to_owned())));
    }
    let message = "unable to read the frame; ref is neither text nor a number";
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

impl Frame for Signal {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            name: fields.need_name("name", limits)?,
            data: fields.get("data")?,
            to: fields.get("to")?,
            id: fields.name("id", limits)?,
        })
    }
}

impl Frame for Auth {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            token: fields.need("token")?,
        })
    }
}

impl Frame for Seen {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            n: fields.need("n")?,
        })
    }
}

/// Refuses JSON that is nested too deeply, before anything reads it by recursion.
///
/// # Errors
/// `invalid-frame` naming the depth that is allowed.
pub fn check_depth(verb: &str, text: &str, limits: &Limits) -> Result<(), ErrorInfo> {
    let most = bound(limits.frame_depth);
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
    fn a_seq_that_nobody_could_count_on_from_is_refused() {
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
