//! Every bound (P14), with its unit and its reason. A deployment may set others.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident = $default:expr;)*) => {
        /// The bounds that hold in a deployment; reported in `attached.limits`, but for those that
        /// no client can keep to.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        pub struct Limits { $($(#[$doc])* pub $name: u64,)* }

        impl Default for Limits {
            fn default() -> Self { Self { $($name: $default,)* } }
        }
    };
}

limits! {
    /// UTF-8 bytes of one WebSocket message or frame: what one event may cost to read.
    frame_bytes = 256 * 1024;
    /// UTF-8 bytes of one message's data after all appends: half of what a row may hold.
    data_bytes = 1024 * 1024;
    /// Messages in one publish: what one transaction may cost.
    publish_messages = 100;
    /// Keys in a message's headers: they are read with every message.
    header_keys = 32;
    /// UTF-8 bytes of a message's headers, keys and values.
    header_bytes = 4 * 1024;
    /// Characters of an `id`, a `ref` or a `name`: they are kept with rows and connections.
    name_length = 128;
    /// Connections to a session: a third of what the platform allows.
    connections = 10_000;
    /// Connections of one client to a session, streamed bodies among them: its tabs and devices,
    /// or an agent's processes, and not everybody's place.
    client_connections = 100;
    /// Connections that only those with `publish` or `turn` may take: whoever reads along must not
    /// keep out who writes.
    #[serde(skip_serializing)]
    reserved_connections = 500;
    /// Bytes of a session's database: a tenth of what the platform gives, so that there is always
    /// room for the end of what is open, and for deletion.
    #[serde(skip_serializing)]
    session_bytes = 1024 * 1024 * 1024;
    /// UTF-8 bytes of a token's claims: they are kept with the connection (16 KiB in all).
    claims_bytes = 4 * 1024;
    /// UTF-8 bytes of what a presence member tells of itself: kept with the connection as well.
    presence_bytes = 4 * 1024;
    /// UTF-8 bytes of presence that all readers together are told in a second: what one member
    /// says goes to everybody.
    #[serde(skip_serializing)]
    presence_bytes_per_second = 16 * 1024 * 1024;
    /// Turns that are open at once: each is held in memory, and told to whoever attaches.
    open_turns = 100;
    /// UTF-8 bytes of a turn's metadata, of its error and of each reason: they travel with
    /// every frame about it.
    turn_bytes = 4 * 1024;
    /// Messages that stream at once: each is held in memory while it does.
    streaming_messages = 256;
    /// Nesting of a frame's JSON: readers parse it by recursion.
    frame_depth = 64;
    /// WebSocket messages a second from one connection; the frames of an array count once.
    messages_per_second = 2_000;
    /// WebSocket messages that may come in one burst.
    messages_burst = 10_000;
    /// UTF-8 bytes a second from one connection; a frame counts as 64 at least.
    text_bytes_per_second = 4 * 1024 * 1024;
    /// Frames a second that go to everybody (publish, update, turns, presence) from one
    /// connection.
    frames_per_second = 200;
    /// Such frames that may come in one burst.
    frames_burst = 1_000;
    /// Signals a second from one connection.
    signals_per_second = 20;
    /// Frames of one array: each is taken apart and answered, however short it is.
    array_frames = 1_000;
    /// Refused frames a second from one connection: each is answered with a sentence.
    refusals_per_second = 200;
    /// Such frames that may come in one burst: all that was under way in a chain that broke.
    refusals_burst = 10_000;
    /// Bytes that one WebSocket message or request makes: frames, each encoded once, and rows
    /// that are written anew. As much as a reader may leave unsent.
    effect_bytes = 4 * 1024 * 1024;
    /// The same a second, of all that one client asks for: a third of what an object encodes
    /// and stores in that time.
    effect_bytes_per_second = 32 * 1024 * 1024;
    /// How many connections' worth of each rate one client has, with all its connections and
    /// requests.
    client_rates = 8;
    /// Bytes sent to a reader and not yet taken: what a stalled reader may hold in memory.
    unsent_bytes = 4 * 1024 * 1024;
    /// The same of all readers of one client together.
    #[serde(skip_serializing)]
    client_unsent_bytes = 16 * 1024 * 1024;
    /// The same of all readers of a session together: half of what an isolate has, which it
    /// shares with other sessions.
    #[serde(skip_serializing)]
    readers_unsent_bytes = 64 * 1024 * 1024;
    /// Deliveries that wait to be taken: each is a row, and held in memory (P10.4).
    #[serde(skip_serializing)]
    deliveries = 1_000;
    /// Milliseconds that one call to a target may take (P10.5): it keeps the object awake.
    #[serde(skip_serializing)]
    delivery_ms = 10_000;
    /// Milliseconds after which a delivery that nobody took is given up: a long weekend (P10.3).
    #[serde(skip_serializing)]
    give_up_ms = 3 * 24 * 60 * 60 * 1000;
}

/// Calls of one session at once: the platform gives an object six connections to the outside.
pub const DELIVERIES_AT_ONCE: usize = 4;
/// How much longer than a call may take its outcome is waited for, in milliseconds; then the
/// process that made it is taken to be gone.
pub const DELIVERY_SLACK_MS: u64 = 5_000;
/// Deliveries that were given up and are still shown.
pub const DEAD_LETTERS_MAX: usize = 100;
/// How long they are, in milliseconds: also a session that was deleted leaves nothing behind.
pub const DEAD_LETTER_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// How long a reader is given to take what was under way when that became more than its limit: a
/// burst of the session's own is no fault of who reads.
pub const DRAIN_MS: i64 = 1_000;
/// How long it is given when that is more than twice the limit.
pub const DRAIN_MS_LEAST: i64 = 100;
/// Bytes that a frame counts as at least in the text that comes over a connection: about what it
/// takes to take it apart.
pub const FRAME_BYTES_MIN: usize = 64;
/// Clients whose rates are remembered: those who sent last. A bucket takes some 300 bytes.
pub const CLIENTS_MAX: usize = 1_024;
/// Messages whose links are looked at for one page of a conversation: some ten milliseconds (P6.9).
pub const LINKS_MAX: usize = 20_000;

/// Broken chains that are known of for each connection: as many as turns may be open, each of
/// which somebody else may take at any time (P13.8).
pub const CHAINS_MAX: usize = 100;

/// Bytes of what is kept with a connection while the session sleeps: the platform's 16 KiB
/// without what it adds itself.
pub const KEPT_BYTES: usize = 16 * 1024 - 64;
/// Bytes of a replay, at most (P3.6).
pub const REPLAY_BYTES: usize = 4 * 1024 * 1024;
/// Messages of a replay, at most (P3.6); also the most that `rewind` and `limit` may ask for.
pub const REPLAY_MESSAGES: usize = 1_000;
/// Entries of messages and turns that changed, at most, that a replay looks at (P3.6): a few for
/// each message and turn that it may bring.
pub const REPLAY_ENTRIES: usize = 4_000;
/// Messages that are looked at for those of certain names (P3.3): twice what a replay may bring.
pub const NAMED_MESSAGES: usize = 2_000;
/// Messages of a turn that an adoption takes back (P6.8): each is a row, an entry and a frame of
/// one step.
pub const ADOPTED_MESSAGES: usize = 1_000;
/// Milliseconds between two steps of retention (P11.2): each is told to everybody.
pub const TRIM_MS: u64 = 60_000;
/// Messages that one step of retention takes, at most (P11.2).
pub const TRIM_MESSAGES: usize = 4_000;
/// Rows that one step of retention deletes of messages, of turns and of entries, each: what one
/// transaction may cost.
pub const TRIM_ROWS: usize = 10_000;
/// Messages that retention leaves behind, before it goes no further: `log.trim` lists them.
pub const TRIM_KEPT: usize = 1_000;
/// Bytes of one array of a replay, about (P13.6).
pub const REPLAY_ARRAY_BYTES: usize = 64 * 1024;
/// Bytes at which a page of history or a snapshot ends (P3.9, P11.1).
pub const PAGE_BYTES: usize = 1024 * 1024;
/// Messages in a page of history when the request does not say (P3.9).
pub const PAGE_MESSAGES: usize = 100;
/// Messages that `rewind` starts with when the request does not say (P3.3).
pub const REWIND_MESSAGES: usize = 50;
/// The widest rollup window in milliseconds (P5.4); timers serve nothing longer.
pub const WINDOW_MS_MAX: u64 = 500;
/// The rollup window of a connection that does not say, in milliseconds (P5.4).
pub const WINDOW_MS_DEFAULT: u64 = 40;
/// How many readers raise every window by one millisecond (P5.4).
pub const READERS_PER_WINDOW_MS: usize = 25;
/// Text waiting to be stored that is stored before its window ends.
pub const PENDING_BYTES_MAX: usize = 16 * 1024;
/// Appends whose acks wait that are stored before their window ends: each is held in memory,
/// however little it adds.
pub const PENDING_APPENDS_MAX: usize = 2_048;
/// Stored text waiting to be sent that is sent before its window ends.
pub const HELD_BYTES_MAX: usize = 64 * 1024;
/// Names that a connection may restrict itself to (P3.3): they are kept with the connection.
pub const NAMES_MAX: usize = 32;
/// How long before its expiry a connection is reminded to renew its token (P2.6).
pub const TOKEN_REMINDER_MS: i64 = 30_000;
/// How long a lease may be, in milliseconds (P6.8).
pub const LEASE_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;
/// The lease of a turn whose agent does not say, in milliseconds (P6.8).
pub const LEASE_MS_DEFAULT: u64 = 30_000;
/// Members that a list holds, then it says how many there are (P7.3).
pub const PRESENCE_LISTED: usize = 200;
/// Changes of presence are told at most once in so many milliseconds (P7.3).
pub const PRESENCE_MS: i64 = 200;
/// Bytes of the lists in `attached` and of an ack, each; a longer one is read by GET (P3.4,
/// P13.5).
pub const LIST_BYTES: usize = 64 * 1024;
/// Instructions that nobody has taken, over all open turns: each is told of when its turn ends,
/// and one message may end them all.
pub const WAITING_STEERS: usize = 1_024;
/// Instructions to one turn (P6.7): whether each was taken is kept with the turn.
pub const TURN_STEERS: usize = 256;
