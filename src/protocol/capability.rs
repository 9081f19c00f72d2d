//! Capabilities of a token (P2.2, P2.3): operations, and roles as shorthand for several.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

use super::error::{ErrorCode, ErrorInfo};
use super::ids::SESSION_ID_LENGTH;
use super::object::{read_fields, words};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// One thing that a token may allow (P2.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation { $($(#[$doc])* $name,)* }

        impl Operation {
            /// Every operation, in the protocol's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in a token.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

operations! {
    /// Attach, history, snapshots.
    Read = "read";
    /// Create messages, change one's own.
    Publish = "publish";
    /// Change anyone's messages.
    Edit = "edit";
    /// Enter presence (P7).
    Presence = "presence";
    /// Start and drive turns, ask for approvals, notify (P6).
    Turn = "turn";
    /// Cancel turns (P6.5).
    Cancel = "cancel";
    /// Instruct a running turn (P6.7).
    Steer = "steer";
    /// Decide approvals (P8).
    Approve = "approve";
    /// Change the shared state (P9.1).
    State = "state";
    /// Annotate messages (P9.3).
    Annotate = "annotate";
    /// Register devices (P10.1).
    Push = "push";
    /// Settings, deletion, diagnostics.
    Admin = "admin";
    /// Speak in the place of the agents (P8.8). Last, since connections keep an operation by its
    /// number.
    Lead = "lead";
}

/// A set of operations. It is one number as JSON, since every connection stores one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Operations(u16);

const VIEWER: Operations = Operations::of(&[Operation::Read, Operation::Presence]);
const AGENT: Operations = VIEWER.union(Operations::of(&[
    Operation::Publish,
    Operation::Cancel,
    Operation::Steer,
    Operation::State,
    Operation::Annotate,
    Operation::Turn,
]));
const USER: Operations = VIEWER.union(Operations::of(&[
    Operation::Publish,
    Operation::Cancel,
    Operation::Steer,
    Operation::Approve,
    Operation::State,
    Operation::Annotate,
    Operation::Push,
]));
const SUPERVISOR: Operations = USER.union(Operations::of(&[
    Operation::Edit,
    Operation::Turn,
    Operation::Lead,
]));

impl Operations {
    /// No operation at all.
    pub const NONE: Self = Self(0);
    /// Every operation.
    pub const ALL: Self = Self::of(Operation::ALL);

    /// The set of these operations.
    pub const fn of(operations: &[Operation]) -> Self {
        let mut bits = 0;
        let mut rest = operations;
        while let [first, tail @ ..] = rest {
            bits |= 1 << *first as u16;
            rest = tail;
        }
        Self(bits)
    }

    /// The union of both sets.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The operations of both sets.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set holds `operation`.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & (1 << operation as u16) != 0
    }

    /// Whether the set holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The operations of the set, in the protocol's order.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL
            .iter()
            .copied()
            .filter(move |operation| self.contains(*operation))
    }

    /// The operations that a word in `caps` stands for: one, or those of a role. `admin` is both
    /// and stands for all (P2.3).
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "viewer" => Some(VIEWER),
            "user" => Some(USER),
            "agent" => Some(AGENT),
            "supervisor" => Some(SUPERVISOR),
            "admin" => Some(Self::ALL),
            _ => {
                let named = Operation::ALL
                    .iter()
                    .find(|operation| operation.as_str() == word);
                named.map(|operation| Self::of(&[*operation]))
            }
        }
    }

    /// Checks that the set holds `operation`, which `verb` needs in `session`.
    ///
    /// # Errors
    /// `forbidden`, naming the operation and the session (P2.5).
    pub fn require(self, operation: Operation, verb: &str, session: &str) -> Result<(), ErrorInfo> {
        if self.contains(operation) {
            return Ok(());
        }
        Err(ErrorInfo::new(
            ErrorCode::Forbidden,
            format!(
                "unable to {verb}; the token lacks the operation {} for session {session}, \
                 it has {self}",
                operation.as_str(),
            ),
        ))
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Bits of unknown operations grant nothing.
        u16::deserialize(deserializer).map(|bits| Self(bits & Self::ALL.0))
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str("none");
        }
        for (index, operation) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{}", operation.as_str())?;
        }
        Ok(())
    }
}

/// A client's role in presence and the log (P2.1). A message has its own,
/// [`super::message::Role`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A person who talks to agents.
    #[default]
    User,
    /// A program that answers.
    Agent,
    /// A person who watches over both.
    Supervisor,
}

words!(Role {
    User = "user",
    Agent = "agent",
    Supervisor = "supervisor",
});

impl Role {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Agent, Self::Supervisor]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// Patterns of a token that a refusal lists.
const PATTERNS_SHOWN: usize = 5;

/// The `caps` of a token, checked as a whole: a mistake is reported at once, not when an
/// operation is missing. An inbox keeps them with its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Entry {
    #[serde(rename = "p")]
    pattern: String,
    #[serde(rename = "o")]
    operations: Operations,
    #[serde(rename = "r")]
    role: Role,
}

read_fields!(Entry {
    pattern as "p",
    operations as "o",
    role as "r",
});

impl Capabilities {
    /// Reads the `caps` of a token (P2.2).
    ///
    /// # Errors
    /// The mistake and its correction, as the end of a sentence.
    pub fn parse(caps: &[(String, Vec<String>)]) -> Result<Self, String> {
        let mut entries = Vec::with_capacity(caps.len());
        for (pattern, words) in caps {
            check_pattern(pattern)?;
            let mut entry = Entry {
                pattern: pattern.clone(),
                operations: Operations::NONE,
                role: Role::User,
            };
            for word in words {
                let Some(operations) = Operations::parse(word) else {
                    return Err(unknown_word(word, pattern));
                };
                entry.operations = entry.operations.union(operations);
                entry.role = entry.role.max(Role::parse(word).unwrap_or_default());
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// The union of all patterns that match `session`; `None` if none does.
    pub fn resolve(&self, session: &str) -> Option<Operations> {
        self.matching(session)
            .map(|entry| entry.operations)
            .reduce(Operations::union)
    }

    /// The strongest role that the matching patterns name, else `user` (P2.1).
    pub fn role(&self, session: &str) -> Role {
        self.matching(session)
            .map(|entry| entry.role)
            .max()
            .unwrap_or_default()
    }

    /// The strongest role that any pattern names, else `user`.
    pub fn strongest(&self) -> Role {
        let roles = self.0.iter().map(|entry| entry.role);
        roles.max().unwrap_or_default()
    }

    /// The same with only these operations: patterns that grant none of them are left out.
    pub fn only(&self, operations: Operations) -> Self {
        let entries = self.0.iter().map(|entry| Entry {
            operations: entry.operations.intersection(operations),
            ..entry.clone()
        });
        Self(entries.filter(|it| !it.operations.is_empty()).collect())
    }

    /// Whether any pattern allows an operation.
    pub fn allow_anywhere(&self, operation: Operation) -> bool {
        let mut entries = self.0.iter();
        entries.any(|entry| entry.operations.contains(operation))
    }

    /// Its patterns, as the end of a sentence.
    pub fn patterns(&self) -> String {
        if self.0.is_empty() {
            return "it has no caps, such as {\"*\": [\"user\"]}".to_owned();
        }
        let shown = self.0.iter().take(PATTERNS_SHOWN);
        let shown: Vec<String> = shown.map(|entry| format!("{:?}", entry.pattern)).collect();
        let list = shown.join(", ");
        match self.0.len().saturating_sub(PATTERNS_SHOWN) {
            0 => format!("its caps are for {list}"),
            more => format!("its caps are for {list} and {more} more"),
        }
    }

    fn matching(&self, session: &str) -> impl Iterator<Item = &Entry> {
        self.0
            .iter()
            .filter(move |entry| match entry.pattern.strip_suffix('*') {
                Some(prefix) => session.starts_with(prefix),
                None => session == entry.pattern,
            })
    }
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
    let fits = !pattern.is_empty() && prefix.len() <= SESSION_ID_LENGTH;
    if fits && prefix.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "caps has the pattern {pattern:?}, which matches no session; a pattern is a session id, \
         a prefix and then *, or *"
    ))
}

fn unknown_word(word: &str, pattern: &str) -> String {
    format!(
        "caps has the word {word:?} for {pattern}, which is neither operation nor role; operations \
         are {}, roles are viewer, user, agent, supervisor, admin",
        Operations::ALL
    )
}
