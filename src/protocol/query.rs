//! The query of an address: the start of a replay, or a page to read (P3.3, P3.9, P11.1).
//!
//! Pairs are percent-decoded already. A malformed parameter is refused by name, an unknown one
//! ignored (P1.4).

use serde::Serialize;

use super::error::{ErrorCode, ErrorInfo};
use super::limits::{
    Limits, NAMES_MAX, PAGE_MESSAGES, REPLAY_MESSAGES, REWIND_MESSAGES, WINDOW_MS_DEFAULT,
    WINDOW_MS_MAX,
};
use super::object::read_fields;

/// UTF-8 bytes of all names together as JSON, in which the connection stores them; a control
/// character takes six.
const NAMES_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a position, at most. No serial is as long, so a longer text is unknown, like a
/// serial of another log (P3.6).
const SINCE_BYTES_MAX: usize = 64;

/// Decoded pairs of a query, in order.
pub type Pairs = [(String, String)];

/// The parts of a request that say what is asked.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The values of the address's parameters, in its order; the first is the session.
    pub params: &'a [String],
    /// The query.
    pub pairs: &'a Pairs,
    /// The body; empty for a read.
    pub body: &'a str,
}

impl Parts<'_> {
    /// The parameter behind the session in the address: a serial, the id of a turn.
    pub fn named(&self) -> &str {
        self.params.get(1).map_or("", String::as_str)
    }

    /// The same where it is a serial, short enough to be carried along.
    pub fn serial(&self) -> String {
        position(self.named())
    }

    /// The body of a shorthand, which may be empty where nothing must be said.
    pub(super) fn fields(&self) -> &str {
        match self.body.trim() {
            "" => "{}",
            body => body,
        }
    }
}

/// The parameters of `connect` and `events`.
pub(super) const ATTACH: &[&str] = &["since", "rewind", "rollup", "names"];
/// The parameters of a message that is streamed as a body (P5.5).
pub(super) const STREAM: &[&str] = &["stream", "turn", "attempt", "name", "id"];

/// The query of a read, with the address's parameters.
pub(super) trait Query: Sized {
    /// The parameters that it takes.
    const NAMES: &'static [&'static str];

    /// Reads it, and refuses by name what says nothing sensible.
    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo>;
}

/// A read that is asked with nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing;

impl Query for Nothing {
    const NAMES: &'static [&'static str] = &[];

    fn read(_: &Parts<'_>) -> Result<Self, ErrorInfo> {
        Ok(Self)
    }
}

/// The serial in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serial(pub String);

impl Query for Serial {
    const NAMES: &'static [&'static str] = &[];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        Ok(Self(parts.serial()))
    }
}

/// The id in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(pub String);

impl Query for Id {
    const NAMES: &'static [&'static str] = &[];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        Ok(Self(parts.named().to_owned()))
    }
}

/// How much of a session to read at once (P11.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How many of the newest messages.
    pub rewind: usize,
}

impl Query for Snapshot {
    const NAMES: &'static [&'static str] = &["rewind"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        let rewind = rewind(parts.pairs, "read the snapshot")?;
        Ok(Self { rewind })
    }
}

/// How a connection wants to be served (P3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attach {
    /// The position to resume after.
    pub since: Option<String>,
    /// Messages to go back without it.
    pub rewind: usize,
    /// The rollup window in milliseconds.
    pub window_ms: u64,
    /// Only messages of these names.
    pub names: Option<Vec<String>>,
}

read_fields!(Attach {
    since,
    rewind,
    window_ms,
    names,
});

/// A page of history (P3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Older than this serial, newest first.
    pub before: Option<String>,
    /// Newer than this serial, oldest first.
    pub after: Option<String>,
    /// Only the conversation that leads to this serial (P6.9).
    pub to: Option<String>,
    /// Messages, at most.
    pub limit: usize,
}

/// Reads the query of `connect` and `events`.
///
/// # Errors
/// `invalid-frame`, naming the parameter and its range.
pub fn attach(pairs: &Pairs, limits: &Limits) -> Result<Attach, ErrorInfo> {
    let window = number(
        pairs,
        "attach",
        "rollup",
        0,
        WINDOW_MS_MAX,
        WINDOW_MS_DEFAULT,
    )?;
    let names = find(pairs, "names").map(|list| names(list, limits.name_length()));
    Ok(Attach {
        since: serial(pairs, "since"),
        rewind: rewind(pairs, "attach")?,
        window_ms: window,
        names: names.transpose()?,
    })
}

/// The serial that a parameter has, unless it is empty; of bounded length.
pub(super) fn serial(pairs: &Pairs, name: &str) -> Option<String> {
    let serial = find(pairs, name).filter(|serial| !serial.is_empty());
    serial.map(position)
}

/// A position of bounded length.
pub fn position(text: &str) -> String {
    let is_possible = text.len() <= SINCE_BYTES_MAX;
    (if is_possible { text } else { "unknown" }).to_owned()
}

/// Reads `rewind`, of a replay or of a snapshot.
fn rewind(pairs: &Pairs, verb: &str) -> Result<usize, ErrorInfo> {
    number(pairs, verb, "rewind", 0, REPLAY_MESSAGES, REWIND_MESSAGES)
}

impl Query for History {
    const NAMES: &'static [&'static str] = &["before", "after", "to", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        history(parts.pairs)
    }
}

fn history(pairs: &Pairs) -> Result<History, ErrorInfo> {
    let [before, after, to] = ["before", "after", "to"].map(|name| serial(pairs, name));
    if before.is_some() && after.is_some() {
        return Err(refused(
            "read history",
            "before and after exclude each other",
        ));
    }
    if to.is_some() && after.is_some() {
        let reason = "to and after exclude each other, a conversation is read newest first";
        return Err(refused("read history", reason));
    }
    Ok(History {
        before,
        after,
        to,
        limit: number(
            pairs,
            "read history",
            "limit",
            1,
            REPLAY_MESSAGES,
            PAGE_MESSAGES,
        )?,
    })
}

/// The query of a list of turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    /// Whether to include final ones.
    pub all: bool,
    /// Older than this serial.
    pub before: Option<String>,
    /// Turns, at most.
    pub limit: usize,
}

impl Query for Turns {
    const NAMES: &'static [&'static str] = &["status", "before", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        turns(parts.pairs)
    }
}

fn turns(pairs: &Pairs) -> Result<Turns, ErrorInfo> {
    let all = match find(pairs, "status") {
        None | Some("open") => false,
        Some("all") => true,
        Some(_) => return Err(refused("read turns", "status is open or all")),
    };
    let limit = number(
        pairs,
        "read turns",
        "limit",
        1,
        REPLAY_MESSAGES,
        PAGE_MESSAGES,
    )?;
    Ok(Turns {
        all,
        before: serial(pairs, "before"),
        limit,
    })
}

/// Reads `attempt`, the attempt at its turn that a streamed body belongs to (P5.5).
///
/// # Errors
/// `invalid-frame`, naming its range.
pub fn attempt(pairs: &Pairs) -> Result<Option<u64>, ErrorInfo> {
    if find(pairs, "attempt").is_none() {
        return Ok(None);
    }
    let attempt = number(
        pairs,
        "stream a message",
        "attempt",
        1,
        u64::from(u32::MAX),
        1,
    )?;
    Ok(Some(attempt))
}

/// Whether the body of a request is a message that is streamed (P5.5).
///
/// # Errors
/// `invalid-frame`, naming what it takes.
pub fn stream(pairs: &Pairs) -> Result<bool, ErrorInfo> {
    number(pairs, "publish", "stream", 0, 1, 0).map(|stream| stream == 1)
}

/// The pairs of a query as it stands in an address.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

/// Decodes once. An invalid escape, or invalid UTF-8, remains as a character that no id may
/// contain.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut ahead = rest.clone();
        let mut digit = || {
            ahead
                .next()
                .and_then(|digit| char::from(digit).to_digit(16))
        };
        match (digit(), digit()) {
            (Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = ahead;
            }
            _ => bytes.push(b'%'),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first value of a parameter.
pub fn find<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn names(list: &str, longest: usize) -> Result<Vec<String>, ErrorInfo> {
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= longest;
    let kept = |name: &String| serde_json::to_string(name).map_or(usize::MAX, |name| name.len());
    let is_short = names.iter().map(kept).sum::<usize>() <= NAMES_BYTES_MAX;
    if names.len() <= NAMES_MAX && is_short && names.iter().all(fits) {
        return Ok(names);
    }
    Err(refused(
        "attach",
        &format!(
            "names takes 1 to {NAMES_MAX} names of 1 to {longest} characters with commas \
             between, {NAMES_BYTES_MAX} bytes in all as JSON"
        ),
    ))
}

pub(super) fn number<N>(
    pairs: &Pairs,
    verb: &str,
    name: &str,
    least: N,
    most: N,
    default: N,
) -> Result<N, ErrorInfo>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = find(pairs, name) else {
        return Ok(default);
    };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<N>() {
        Ok(number) if is_plain && least <= number && number <= most => Ok(number),
        _ => {
            let shown: String = text.chars().take(40).collect();
            let reason = format!("{name} takes {least} to {most}, not {shown:?}");
            Err(refused(verb, &reason))
        }
    }
}

pub(super) fn refused(verb: &str, reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidFrame,
        format!("unable to {verb}; {reason}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn p3_3_absent_parameters_have_their_defaults() {
        let read = attach(&[], &Limits::default()).unwrap();
        assert_eq!((read.since, read.names), (None, None));
        assert_eq!(
            (read.rewind, read.window_ms),
            (REWIND_MESSAGES, WINDOW_MS_DEFAULT)
        );
        assert_eq!(history(&[]).unwrap().limit, PAGE_MESSAGES);
    }

    #[test]
    fn p3_3_the_edges_are_accepted() {
        let most = pairs(&[
            ("rewind", "1000"),
            ("rollup", "500"),
            ("names", "a,b"),
            ("x", "y"),
        ]);
        let read = attach(&most, &Limits::default()).unwrap();
        assert_eq!((read.rewind, read.window_ms), (1000, 500));
        assert_eq!(read.names.unwrap(), ["a", "b"]);
        let least = pairs(&[("rewind", "0"), ("rollup", "0")]);
        let least = attach(&least, &Limits::default()).unwrap();
        assert_eq!((least.rewind, least.window_ms), (0, 0));
    }

    #[test]
    fn p13_2_a_refusal_names_its_parameter() {
        let many = ["n"; NAMES_MAX + 1].join(",");
        let limits = Limits::default();
        let long = "n".repeat(limits.name_length() + 1);
        let cases = [
            ("rewind", "1001"),
            ("rewind", "-1"),
            ("rewind", "+1"),
            ("rewind", ""),
            ("rollup", "501"),
            ("rollup", "fast"),
            ("names", ""),
            ("names", "a,,b"),
            ("names", many.as_str()),
            ("names", long.as_str()),
        ];
        for (name, value) in cases {
            let error = attach(&pairs(&[(name, value)]), &limits).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidFrame);
            assert!(error.message.contains(name), "{}", error.message);
        }
        for limit in ["0", "1001", "1e3", "99999999999999999999999999"] {
            assert!(history(&pairs(&[("limit", limit)])).is_err(), "{limit}");
        }
        assert!(history(&pairs(&[("before", "a"), ("after", "b")])).is_err());
    }

    #[test]
    fn p14_names_are_as_long_as_the_deployment_says() {
        let limits = |name_length| Limits {
            name_length,
            ..Limits::default()
        };
        let long = pairs(&[("names", "progress")]);
        assert!(attach(&long, &limits(8)).is_ok());
        let error = attach(&long, &limits(7)).unwrap_err();
        assert!(error.message.contains("1 to 7 characters"), "{error:?}");
        let longer = "n".repeat(129);
        assert!(attach(&pairs(&[("names", &longer)]), &limits(129)).is_ok());
    }

    #[test]
    fn p1_1_a_query_is_decoded_once() {
        let read = super::pairs("a=1%2B1&b=x+y&c&d=%zz&e=%2541&=f");
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("a", "1+1"),
            ("b", "x y"),
            ("c", ""),
            ("d", "%zz"),
            ("e", "%41"),
            ("", "f"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn p5_5_a_body_is_streamed_or_not() {
        assert!(!stream(&[]).unwrap() && !stream(&pairs(&[("stream", "0")])).unwrap());
        assert!(stream(&pairs(&[("stream", "1")])).unwrap());
        let error = stream(&pairs(&[("stream", "yes")])).unwrap_err();
        assert!(error.message.contains("stream"), "{}", error.message);
    }

    proptest! {
        #[test]
        fn any_query_is_read_without_harm(list: Vec<(String, String)>) {
            let _ = (attach(&list, &Limits::default()), history(&list), rewind(&list, "read"));
        }
    }
}
