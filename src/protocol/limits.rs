//! Every bound (P14), with its unit and its reason. A deployment may set others.

mod revocation;

pub use revocation::*;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::{FromObject, Object, read_object};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $default:expr;)*) => {
        /// The bounds of a deployment, reported in `attached.limits` except those that no client
        /// can keep to.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Limits { $($(#[$doc])* pub $name: u64,)* }

        impl Default for Limits {
            fn default() -> Self { Self { $($name: $default,)* } }
        }

        impl FromObject for Limits {
            fn from_object(object: &Object<'_>) -> Result<Self, serde_json::Error> {
                let mut limits = Self::default();
                let bounds = [$((stringify!($name), &mut limits.$name),)*];
                read_bounds(object, bounds)?;
                Ok(limits)
            }
        }

        impl Limits {
            $(
                /// The bound of this name, as a size.
                pub fn $name(&self) -> usize {
                    usize::try_from(self.$name).unwrap_or(usize::MAX)
                }
            )*
        }
    };
}

limits! {
    /// UTF-8 bytes of one WebSocket message or frame: bounds the cost of reading one event.
    frame_bytes = 256 * 1024;
    /// UTF-8 bytes of one message's data after all appends: half the size limit of a row.
    data_bytes = 1024 * 1024;
    /// Messages in one publish: bounds one transaction.
    publish_messages = 100;
    /// Keys in a message's headers: they are read with every message.
    header_keys = 32;
    /// UTF-8 bytes of a message's headers, keys and values.
    header_bytes = 4 * 1024;
    /// Characters of an `id`, a `ref` or a `name`: they are stored with rows and connections.
    name_length = 128;
    /// Connections to a session: a third of the platform's limit.
    connections = 10_000;
    /// Connections of one client to a session, streamed bodies included: room for its tabs,
    /// devices or agent processes, without taking everybody's.
    client_connections = 100;
    /// Connections reserved for clients with `publish` or `turn`: readers must not keep writers
    /// out.
    #[serde(skip_serializing)]
    reserved_connections = 500;
    /// Bytes of a session's database: a tenth of the platform's limit, which leaves room to end
    /// open turns and messages, and to delete the session.
    #[serde(skip_serializing)]
    session_bytes = 1024 * 1024 * 1024;
    /// UTF-8 bytes of a token's claims: they are stored with the connection (16 KiB in all).
    claims_bytes = 4 * 1024;
    /// UTF-8 bytes of a presence member's data: stored with the connection as well.
    presence_bytes = 4 * 1024;
    /// UTF-8 bytes of presence sent to all readers together in a second: each change goes to
    /// everybody.
    #[serde(skip_serializing)]
    presence_bytes_per_second = 16 * 1024 * 1024;
    /// Members that are listed and announced one by one; the others are counted (P7.3): the cost
    /// of telling all of all grows with the square.
    #[serde(skip_serializing)]
    presence_listed = 200;
    /// Turns open at once: each is in memory and in every `attached`.
    open_turns = 100;
    /// UTF-8 bytes, as JSON, of a turn's metadata, its error and each reason: every frame about
    /// the turn carries them.
    turn_bytes = 4 * 1024;
    /// Messages streaming at once: each is kept in memory.
    streaming_messages = 256;
    /// Nesting of a frame's JSON: readers parse it by recursion.
    frame_depth = 64;
    /// WebSocket messages a second from one connection; an array of frames counts once.
    messages_per_second = 2_000;
    /// WebSocket messages in one burst.
    messages_burst = 10_000;
    /// UTF-8 bytes a second from one connection; a frame counts as at least 64.
    text_bytes_per_second = 4 * 1024 * 1024;
    /// Broadcast frames (publish, update, turns, presence) a second from one connection.
    frames_per_second = 200;
    /// Such frames in one burst.
    frames_burst = 1_000;
    /// Signals a second from one connection.
    signals_per_second = 20;
    /// Frames in one array: each is parsed and answered, however short.
    array_frames = 1_000;
    /// Refused frames a second from one connection: each is answered with a sentence.
    refusals_per_second = 200;
    /// Such frames in one burst: all those in flight when a chain breaks.
    refusals_burst = 10_000;
    /// Output bytes of one WebSocket message or request: frames, each counted once, and rewritten
    /// rows. As much as a reader may leave unsent.
    effect_bytes = 4 * 1024 * 1024;
    /// The same a second for one client: a third of what an object can encode and store.
    effect_bytes_per_second = 32 * 1024 * 1024;
    /// Factor by which each rate of a connection holds for one client, with all its connections
    /// and requests.
    client_rates = 8;
    /// Bytes sent to a reader and not yet taken: bounds the memory of a stalled reader.
    #[serde(skip_serializing)]
    unsent_bytes = 4 * 1024 * 1024;
    /// The same for all readers of one client together.
    #[serde(skip_serializing)]
    client_unsent_bytes = 16 * 1024 * 1024;
    /// The same for all readers of a session together: half an isolate's memory, which other
    /// sessions share.
    #[serde(skip_serializing)]
    readers_unsent_bytes = 64 * 1024 * 1024;
    /// UTF-8 bytes of the shared state as JSON: half the size limit of a row.
    state_bytes = 1024 * 1024;
    /// Pending deliveries: each is a row, and held in memory (P10.4).
    #[serde(skip_serializing)]
    deliveries = 1_000;
    /// Milliseconds that one call to a target may take (P10.5): a call keeps the object awake.
    #[serde(skip_serializing)]
    delivery_ms = 10_000;
    /// Milliseconds after which a delivery becomes a dead letter: a long weekend (P10.3).
    #[serde(skip_serializing)]
    give_up_ms = 3 * 24 * 60 * 60 * 1000;
    /// Bytes of one file (P11.7): what people attach, and what tools answer.
    file_bytes = 25 * 1024 * 1024;
    /// Files of a session: each is a row, and a step to delete.
    #[serde(skip_serializing)]
    files = 10_000;
    /// Bytes of all files of a session, as much as of its database.
    #[serde(skip_serializing)]
    files_bytes = 1024 * 1024 * 1024;
    /// Milliseconds that an upload may take: what is not whole by then has broken off.
    #[serde(skip_serializing)]
    upload_ms = 15 * 60 * 1000;
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        read_object(source)
    }
}

/// Sets the bounds that an object names; the others keep their defaults.
fn read_bounds<const COUNT: usize>(
    object: &Object<'_>,
    mut bounds: [(&'static str, &mut u64); COUNT],
) -> Result<(), serde_json::Error> {
    for (name, raw) in &object.0 {
        let bound = bounds.iter_mut().find(|(own, _)| is_camel_case(own, name));
        let Some((_, bound)) = bound else {
            return Err(Error::custom(format!("unknown field `{name}`")));
        };
        **bound = serde_json::from_str(raw.get())?;
    }
    Ok(())
}

/// Whether `name` is `own` as the protocol writes it.
fn is_camel_case(own: &str, name: &str) -> bool {
    let mut letters = name.chars();
    let mut is_first = false;
    for letter in own.chars() {
        if letter == '_' {
            is_first = true;
            continue;
        }
        let expected = match std::mem::take(&mut is_first) {
            true => letter.to_ascii_uppercase(),
            false => letter,
        };
        if letters.next() != Some(expected) {
            return false;
        }
    }
    letters.next().is_none()
}

/// Milliseconds beyond the end of a call after which its process counts as lost.
pub const DELIVERY_SLACK_MS: u64 = 5_000;
/// Dead letters that are kept.
pub const DEAD_LETTERS_MAX: usize = 100;
/// Milliseconds that a dead letter is kept: a deleted session must end with nothing stored.
pub const DEAD_LETTER_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Bytes of effects that a row counts as which an input reads (P14): a second's worth is 131 072
/// rows, so that an hour of reads costs its owner half a dollar at most.
pub const READ_ROW_BYTES: usize = 256;

/// Milliseconds that a reader is given to drain once its unsent bytes exceed its limit: a burst of
/// the session's own is not the reader's fault.
pub const DRAIN_MS: i64 = 1_000;
/// The same once they exceed twice the limit.
pub const DRAIN_MS_LEAST: i64 = 100;
/// Least bytes that a frame counts as against a connection's text rate: about the cost of parsing
/// it.
pub const FRAME_BYTES_MIN: usize = 64;
/// Clients whose rates are remembered, the latest senders; each takes some 300 bytes.
pub const CLIENTS_MAX: usize = 1_024;
/// Messages whose links one page of a conversation reads: some ten milliseconds (P6.9).
pub const LINKS_MAX: usize = 20_000;

/// Broken chains remembered for each connection: one for each turn that may be open, since
/// another process may take any of them (P13.8).
pub const CHAINS_MAX: usize = 100;

/// Bytes stored with a connection while the session sleeps: the platform's 16 KiB less its own
/// overhead.
pub const KEPT_BYTES: usize = 16 * 1024 - 64;
/// Bytes of a replay, at most (P3.6).
pub const REPLAY_BYTES: usize = 4 * 1024 * 1024;
/// Messages of a replay, at most (P3.6); also the maximum of `rewind` and `limit`.
pub const REPLAY_MESSAGES: usize = 1_000;
/// Changes of messages and turns that a replay reads, at most (P3.6): a few for each message and
/// turn that it may send.
pub const REPLAY_ENTRIES: usize = 4_000;
/// Messages searched for given names (P3.3): twice the messages of a replay.
pub const NAMED_MESSAGES: usize = 2_000;
/// Messages that one adoption supersedes (P6.8): each is a row, an entry and a frame of one step.
pub const ADOPTED_MESSAGES: usize = 1_000;
/// Milliseconds between two steps of retention (P11.2): each is broadcast.
pub const TRIM_MS: u64 = 60_000;
/// Messages that one step of retention deletes, at most (P11.2).
pub const TRIM_MESSAGES: usize = 4_000;
/// Rows of messages, of turns and of entries, each, that one step of retention deletes: bounds
/// one transaction.
pub const TRIM_ROWS: usize = 10_000;
/// Messages that retention leaves behind before it stops: `log.trim` lists them.
pub const TRIM_KEPT: usize = 1_000;
/// Approximate bytes of one array of a replay (P13.6).
pub const REPLAY_ARRAY_BYTES: usize = 64 * 1024;
/// Bytes at which a page of history or a snapshot ends (P3.9, P11.1).
pub const PAGE_BYTES: usize = 1024 * 1024;
/// UTF-8 bytes of a page of an export (P11.6), beyond its last line or message: the object serves
/// others between two pages.
pub const EXPORT_BYTES: usize = 256 * 1024;
/// UTF-8 bytes of a line of an import (P11.6): a message whose every character takes six as JSON.
pub const IMPORT_LINE_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of an import that a waking session reads: open turns, pending approvals and calls, grants,
/// marks, streaming messages and the state.
pub const IMPORT_HELD_BYTES: u64 = 16 * 1024 * 1024;
/// How long an import may say nothing before what came of it is thrown away.
pub const IMPORT_MS: u64 = 60_000;
/// After how long a fork asks its source again, if a call failed or was lost.
pub const FORK_AGAIN_MS: u64 = 10_000;
/// How long nothing may come from the source of a fork before that is thrown away.
pub const FORK_MS: u64 = 60 * 60 * 1000;
/// Messages in a page of history by default (P3.9), and entries in one of the log (P11.4).
pub const PAGE_MESSAGES: usize = 100;
/// Connections that are gone of which diagnostics tell (P11.4): each takes a KiB of memory at most.
pub const TRACES_GONE: usize = 50;
/// Milestones of a session that its owner is told of (P11.8), in a second and at once: each costs
/// the owner money, and clients can make some. One conversation makes a few in a minute.
pub const MILESTONES_PER_SECOND: u64 = 2;
/// See [`MILESTONES_PER_SECOND`].
pub const MILESTONES_BURST: u64 = 500;
/// Entries in a page of the log (P11.4): each takes up to a dozen rows, and a KiB of the answer.
pub const LOG_ENTRIES: usize = 1_000;
/// The default of `rewind`, in messages (P3.3).
pub const REWIND_MESSAGES: usize = 50;
/// The longest rollup window in milliseconds (P5.4), and so the longest timer.
pub const WINDOW_MS_MAX: u64 = 500;
/// The default rollup window in milliseconds (P5.4).
pub const WINDOW_MS_DEFAULT: u64 = 40;
/// Readers that raise every window by one millisecond (P5.4).
pub const READERS_PER_WINDOW_MS: usize = 25;
/// Bytes of pending text at which it is stored before its window ends.
pub const PENDING_BYTES_MAX: usize = 16 * 1024;
/// Pending appends at which they are stored before their window ends: each takes memory.
pub const PENDING_APPENDS_MAX: usize = 2_048;
/// Bytes of held text at which it is sent before its window ends.
pub const HELD_BYTES_MAX: usize = 64 * 1024;
/// Names in a connection's `names` (P3.3): they are stored with the connection.
pub const NAMES_MAX: usize = 32;
/// Milliseconds before a token's expiry at which its connection is reminded (P2.6).
pub const TOKEN_REMINDER_MS: i64 = 30_000;
/// The range of a lease, in milliseconds (P6.8).
pub const LEASE_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;
/// Milliseconds after the end of a lease from which the session counts as absent, so that the
/// lease is prolonged (P6.8).
pub const LATE_MS: u64 = 1_000;
/// The default lease, in milliseconds (P6.8).
pub const LEASE_MS_DEFAULT: u64 = 30_000;
/// Agents and supervisors listed beyond `presenceListed`: people ask whether one is there (P7.3).
pub const PRESENCE_AGENTS: usize = 20;
/// Least milliseconds between two broadcasts of presence (P7.3).
pub const PRESENCE_MS: i64 = 200;
/// Bytes of each list in `attached` and in an ack; a longer one is read by GET (P3.4, P13.5).
pub const LIST_BYTES: usize = 64 * 1024;
/// Inputs that wait for the return of the person who leads (P8.8): each may be queued as a turn
/// in one step.
pub const HANDOVER_INPUTS: usize = 20;
/// Untaken steers over all open turns: each is a frame when its turn ends, and one message may
/// end them all.
pub const WAITING_STEERS: usize = 1_024;
/// Turns that answer one input (P6.2): a `turn.start` looks through all of them.
pub const INPUT_TURNS: usize = 1_000;
/// Turns around a turn (P6.11): one cancel reaches all that run within another.
pub const TURN_DEPTH: usize = 8;
/// Steers of one turn (P6.7): the turn's row keeps whether each was taken.
pub const TURN_STEERS: usize = 256;

/// Milliseconds from a change until inboxes are told of it: a publish and its turn's start are one
/// telling, and a reader of the inbox sees it within a second (P15).
pub const TELL_MS: u64 = 400;
/// Milliseconds after a telling at which an inbox hears of mere activity (P11.3).
pub const ACTIVITY_MS: u64 = 60_000;
/// Milliseconds after a change at which an alarm makes up for a telling that a crash prevented: the
/// session is still awake then, so an alarm that finds nothing to do wakes nobody.
pub const TELL_AGAIN_MS: u64 = 2_000;
/// The same where another alarm rings anyway: setting an alarm costs a row.
pub const TELL_AGAIN_MS_MOST: u64 = 60_000;
/// Inboxes that one session tells of its changes, without those for which something is pending:
/// each costs two rows and a request whenever a turn begins or ends.
pub const FOLLOWERS: usize = 100;
/// Bytes of the items of one telling; more take several.
pub const NEWS_BYTES: usize = 512 * 1024;
/// Items of one kind that one telling reads.
pub const NEWS_ITEMS: usize = 1_000;

/// Sessions that an inbox holds: beyond it those go whose last activity is the oldest and in which
/// nothing waits. Each takes some 200 bytes of memory while the inbox is awake.
pub const INBOX_SESSIONS: usize = 10_000;
/// Items that wait in an inbox: beyond it a session's news is refused, and told again later.
pub const INBOX_OPEN: usize = 10_000;
/// Items that are settled or gone, which an inbox keeps for readers that resume, and to list them.
pub const INBOX_SETTLED: usize = 2_000;
/// Items that an inbox forgets at once.
pub const INBOX_BATCH: usize = 250;
/// Items of each list of an inbox, and of what a reader missed; the rest is read by pages.
pub const INBOX_LIST: usize = 1_000;
/// Files that arrive at once in a session (P11.7): each is held in memory.
pub const FILES_ARRIVING: usize = 100;
/// Files that one step of retention forgets: their names are one delivery.
pub const FILES_FORGOTTEN: usize = 100;
/// Milliseconds beyond `uploadMs` after which a file has broken off for the session: the Worker
/// ends the upload itself before.
pub const UPLOAD_SLACK_MS: u64 = 30_000;
/// Characters of a key of the shared state (P9.1): it is stored and sent with each change.
pub const STATE_KEY_LENGTH: usize = 128;
/// Levels of the tree: it is read by recursion.
pub const STATE_DEPTH: usize = 32;
/// Operations of one change: each is applied, and taken back if a later one is refused.
pub const STATE_OPS: usize = 1_000;
/// The largest whole number that every client represents exactly, for increments.
pub const STATE_NUMBER_MAX: f64 = 9_007_199_254_740_992.0;
/// Bytes that a stored change of the state counts as, at least: it is a row to read.
pub const STATE_ROW_BYTES: usize = 256;
/// Counted bytes of stored changes after which the tree is stored anew, at least; the bytes of a
/// larger tree otherwise: it is written as often as its own size was written in changes.
pub const STATE_JOURNAL_BYTES: usize = 16 * 1024;
/// Bytes of the latest changes that are kept for clients that missed some; the bytes of a smaller
/// tree otherwise, which is then sent instead.
pub const STATE_RECENT_BYTES: usize = 256 * 1024;

/// Least milliseconds between two rows, and two frames, of a client's read mark (P9.5).
pub const MARK_MS: u64 = 2_000;
/// Clients whose read mark is kept, the latest readers: each is a row, and in memory.
pub const READ_MARKS: usize = 1_000;
/// Marks up to which everybody is told of everybody's: the cost of that grows with the square.
pub const MARKS_TOLD: usize = 200;
/// The largest number of unread messages, and all beyond: "99+" says no more, and each is a row
/// read with every telling of an inbox.
pub const UNREAD_MOST: usize = 100;
/// The newest messages that are looked at for that.
pub const UNREAD_SCANNED: usize = 500;

/// Annotations of a message (P9.3): they are deleted with it, in one step.
pub const ANNOTATIONS: usize = 10_000;
/// Names of all kinds together, of a message's annotations: each has a sum.
pub const ANNOTATION_NAMES: usize = 100;
/// Bytes, as JSON, of an annotation's data.
pub const ANNOTATION_BYTES: usize = 4 * 1024;
/// Annotations in a page of them: their data comes to a page of history.
pub const ANNOTATION_PAGE: usize = 200;
/// Clients that a sum lists.
pub const SUM_CLIENTS: usize = 100;
/// Bytes of a message's sums from which on no further client is listed: they are read with the
/// message, and sent with each change of them.
pub const SUMS_LISTED_BYTES: usize = 16 * 1024;
/// Bytes of a message's sums, at most.
pub const SUMS_BYTES: usize = 32 * 1024;

/// Names of a turn's usage, and of a budget (P6.12): every frame about the turn carries them.
pub const USAGE_NAMES: usize = 16;
/// Names of a session's sums: all of them are in `attached`.
pub const SESSION_USAGE_NAMES: usize = 64;
/// The largest amount and the largest sum: every client represents whole numbers up to it exactly.
pub const USAGE_MOST: f64 = STATE_NUMBER_MAX;
/// Devices of a client (P10.1): a notice is a row and a call for each.
pub const DEVICES: usize = 20;
/// Changes of a client's devices a second (P10.1): a page registers its device whenever it is
/// opened.
pub const DEVICE_CHANGES_PER_SECOND: u64 = 1;
/// Such changes in one burst.
pub const DEVICE_CHANGES_BURST: u64 = 100;
/// Notices that one telling makes for each device, the latest: each is two rows and a call.
pub const NOTICES_AT_ONCE: usize = 100;
/// Waiting notices of a device, the latest, that a newer one may take the place of: each is read.
pub const NOTICES_COMPARED: usize = 50;
/// Characters of a device's token: those of FCM have some 200, and no bound that Google names.
pub const DEVICE_TOKEN_LENGTH: usize = 1_024;
/// Characters of a key of a Web Push subscription: 88 for a point of P-256 with padding.
pub const DEVICE_KEY_LENGTH: usize = 128;
/// Characters of an APNs topic: a bundle id.
pub const DEVICE_TOPIC_LENGTH: usize = 255;
/// Characters of a notice's text (P10.2): push services take 4 KiB in all.
pub const NOTICE_BODY_LENGTH: usize = 1_024;
/// Bytes, as JSON, of the data of a `notify`, for the same reason.
pub const NOTICE_DATA_BYTES: usize = 2 * 1024;
/// Milliseconds after which nobody is told any more that an answer has ended.
pub const NOTICE_MS: u64 = 24 * 60 * 60 * 1000;
/// Milliseconds for which a button of a notice decides, at most.
pub const DECIDE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Buttons of a notice: no platform shows more.
pub const NOTICE_ACTIONS: usize = 3;
/// Ended turns that one telling has: a device shows the latest.
pub const ENDED_TURNS: usize = 20;
/// Entries that are searched for them where an inbox was told nothing before.
pub const ENDED_ENTRIES: u64 = 100;

/// Characters of the words of a search (P11.9): a sentence.
pub const SEARCH_LENGTH: usize = 256;
/// Words of a search: each is looked up.
pub const SEARCH_WORDS: usize = 16;
/// Messages in a page of what a search found: each has a snippet.
pub const SEARCH_HITS: usize = 100;
/// The same by default.
pub const SEARCH_HITS_DEFAULT: usize = 20;
/// Characters of a message that are searched: its row in the index is that long, at most.
pub const SEARCH_TEXT_LENGTH: usize = 65_536;
/// Entries of the log that one search reads for the index: some tens of milliseconds, in which the
/// session does nothing else.
pub const SEARCH_STEP_ENTRIES: usize = 1_000;
/// Bytes of texts that one search reads for the index, and one text beyond, for the same reason.
pub const SEARCH_STEP_BYTES: usize = 512 * 1024;
/// Bytes of texts that are removed from the index in one step; beyond it the index goes as a whole:
/// a quarter of a second.
pub const SEARCH_FORGET_BYTES: usize = 128 * 1024;
/// Bytes of effects that a search counts as (P14), beside those of its answer and of the texts that
/// it reads for the index: words that many messages have take milliseconds.
pub const SEARCH_COST_BYTES: usize = 256 * 1024;

/// Pending approvals of a session (P8.1): each is in memory and in `attached`.
pub const PENDING_APPROVALS: usize = 1_000;
/// Bytes of all pending approvals together: they are in memory, and one end of a turn may withdraw
/// them all. As much as one message may make (`effectBytes`).
pub const PENDING_APPROVAL_BYTES: usize = 4 * 1024 * 1024;
/// Bytes, as JSON, of an approval's data, its schema and the data of its options together: every
/// frame about it carries them.
pub const APPROVAL_BYTES: usize = 64 * 1024;
/// Bytes, as JSON, of an answer's data: stored with the approval.
pub const ANSWER_BYTES: usize = 64 * 1024;
/// Characters of an approval's title and of an option's label: one line on a lock screen.
pub const TITLE_LENGTH: usize = 256;
/// Characters of an approval's description: a page.
pub const DESCRIPTION_LENGTH: usize = 4_096;
/// Characters of the comment on a decision.
pub const COMMENT_LENGTH: usize = 4_096;
/// Grants that are in force in a session (P8.6): each is in memory and in `attached`.
pub const GRANTS: usize = 100;
/// Bytes of all of them as JSON: half of a list in `attached` (`LIST_BYTES`), so that it always
/// has them.
pub const GRANT_BYTES: usize = 32 * 1024;
/// Distinct names that pending approvals, with the escalations to come, and pending calls of a
/// session are for: each is an inbox, which costs rows and requests (P15).
pub const PENDING_NAMES: usize = 1_000;
/// Options of a question.
pub const APPROVAL_OPTIONS: usize = 20;
/// Assignees of an approval and of each of its escalations; those that a call is for.
pub const ADDRESSEES: usize = 20;
/// Escalations of an approval: each is a line of its history.
pub const APPROVAL_ESCALATIONS: usize = 10;
/// The range of a deadline and of the wait of an escalation, in milliseconds: up to a year.
pub const WAIT_MS: std::ops::RangeInclusive<u64> = 1..=366 * 24 * 60 * 60 * 1000;

/// Pending calls of a session (P8.9): each is in memory and in `attached`.
pub const PENDING_CALLS: usize = 256;
/// Bytes of all pending calls together: they are in memory, and one end of a turn may withdraw them
/// all. As much as one message may make (`effectBytes`).
pub const PENDING_CALL_BYTES: usize = 4 * 1024 * 1024;
/// Bytes, as JSON, of a call's input and schema together: every frame about it carries them.
pub const CALL_BYTES: usize = 64 * 1024;
/// Bytes, as JSON, of a call's output or error: stored with the call. More is said in messages.
pub const OUTPUT_BYTES: usize = 64 * 1024;
