//! The query of an address: the start of a replay, or a page to read (P3.3, P3.9, P11.1).
//!
//! Pairs are percent-decoded already. A malformed parameter is refused by name, an unknown one
//! ignored (P1.4).

use super::error::{ErrorCode, ErrorInfo};
use super::limits::{
    NAMES_MAX, PAGE_MESSAGES, REPLAY_MESSAGES, REWIND_MESSAGES, WINDOW_MS_DEFAULT, WINDOW_MS_MAX,
};

/// UTF-8 bytes of all names together as JSON, in which the connection stores them; a control
/// character takes six.
const NAMES_BYTES_MAX: usize = 4 * 1024;
/// Characters of one name (P14).
const NAME_LENGTH_MAX: usize = 128;
/// Bytes of a position, at most. No serial is as long, so a longer text is unknown, like a
/// serial of another log (P3.6).
const SINCE_BYTES_MAX: usize = 64;

/// Decoded pairs of a query, in order.
pub type Pairs = [(String, String)];

/// The query of a connection (P3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub fn attach(pairs: &Pairs) -> Result<Attach, ErrorInfo> {
    let since = find(pairs, "since").filter(|since| !since.is_empty());
    let window = number(
        pairs,
        "attach",
        "rollup",
        0,
        WINDOW_MS_MAX,
        WINDOW_MS_DEFAULT,
    )?;
    Ok(Attach {
        since: since.map(position),
        rewind: rewind(pairs, "attach")?,
        window_ms: window,
        names: find(pairs, "names").map(names).transpose()?,
    })
}

/// A position of bounded length.
pub fn position(text: &str) -> String {
    let is_possible = text.len() <= SINCE_BYTES_MAX;
    (if is_possible { text } else { "unknown" }).to_owned()
}

/// Reads `rewind`, of a replay or of a snapshot.
///
/// # Errors
/// `invalid-frame`, naming its range.
pub fn rewind(pairs: &Pairs, verb: &str) -> Result<usize, ErrorInfo> {
    number(pairs, verb, "rewind", 0, REPLAY_MESSAGES, REWIND_MESSAGES)
}

/// Reads the query of a page of history.
///
/// # Errors
/// `invalid-frame`, naming the parameter and its range.
pub fn history(pairs: &Pairs) -> Result<History, ErrorInfo> {
    let serial = |name| find(pairs, name).filter(|serial| !serial.is_empty());
    let (before, after, to) = (serial("before"), serial("after"), serial("to"));
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
        before: before.map(position),
        after: after.map(position),
        to: to.map(position),
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

/// Reads the query of a list of turns.
///
/// # Errors
/// `invalid-frame`, naming the parameter and its range.
pub fn turns(pairs: &Pairs) -> Result<Turns, ErrorInfo> {
    let all = match find(pairs, "status") {
        None | Some("open") => false,
        Some("all") => true,
        Some(_) => return Err(refused("read turns", "status is open or all")),
    };
    let before = find(pairs, "before").filter(|serial| !serial.is_empty());
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
        before: before.map(position),
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

/// The first value of a parameter.
pub fn find<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn names(list: &str) -> Result<Vec<String>, ErrorInfo> {
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= NAME_LENGTH_MAX;
    let kept = |name: &String| serde_json::to_string(name).map_or(usize::MAX, |name| name.len());
    let is_short = names.iter().map(kept).sum::<usize>() <= NAMES_BYTES_MAX;
    if names.len() <= NAMES_MAX && is_short && names.iter().all(fits) {
        return Ok(names);
    }
    Err(refused(
        "attach",
        &format!(
            "names takes 1 to {NAMES_MAX} names of 1 to {NAME_LENGTH_MAX} characters with commas \
             between, {NAMES_BYTES_MAX} bytes in all as JSON"
        ),
    ))
}

fn number<N>(
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

fn refused(verb: &str, reason: &str) -> ErrorInfo {
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
        let read = attach(&[]).unwrap();
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
        let read = attach(&most).unwrap();
        assert_eq!((read.rewind, read.window_ms), (1000, 500));
        assert_eq!(read.names.unwrap(), ["a", "b"]);
        let least = attach(&pairs(&[("rewind", "0"), ("rollup", "0")])).unwrap();
        assert_eq!((least.rewind, least.window_ms), (0, 0));
    }

    #[test]
    fn p13_2_a_refusal_names_its_parameter() {
        let many = ["n"; NAMES_MAX + 1].join(",");
        let long = "n".repeat(NAME_LENGTH_MAX + 1);
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
            let error = attach(&pairs(&[(name, value)])).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidFrame);
            assert!(error.message.contains(name), "{}", error.message);
        }
        for limit in ["0", "1001", "1e3", "99999999999999999999999999"] {
            assert!(history(&pairs(&[("limit", limit)])).is_err(), "{limit}");
        }
        assert!(history(&pairs(&[("before", "a"), ("after", "b")])).is_err());
    }

    proptest! {
        #[test]
        fn any_query_is_read_without_harm(list: Vec<(String, String)>) {
            let _ = (attach(&list), history(&list), rewind(&list, "read"));
        }
    }
}
