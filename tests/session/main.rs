//! The session's behaviour, as short scripts and the frames that everybody is sent (one file a
//! feature).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    unreachable_pub,
    dead_code
)]

mod abandoned;
mod adopt;
mod again;
mod annotations;
mod answers;
mod append;
mod approvals;
mod approvals_clock;
mod approvals_form;
mod approvals_turns;
mod approvals_words;
mod bodies;
mod bodies_turns;
mod bounded;
mod bounds;
mod branches;
mod calls;
mod calls_clock;
mod calls_held;
mod calls_turns;
mod cancel_input;
mod chain;
#[path = "../simulation/random.rs"]
mod chance;
mod change;
mod children;
mod closing;
mod control;
mod conversation;
mod crowd;
mod crowded;
mod deliveries;
mod fence;
mod files;
mod followed;
mod forked;
mod full;
mod grace;
mod grants;
mod handover;
mod headers;
mod history;
mod hooks;
mod host;
mod identity;
mod imported;
mod interrupt;
#[path = "../judge/mod.rs"]
mod judge;
mod last_words;
mod lease;
mod lease_sleep;
mod life;
mod limits;
mod limits_members;
mod limits_turns;
mod lines;
mod log;
mod long;
mod lost;
mod marks;
mod milestones;
mod named;
mod notices;
mod on_input;
mod once;
mod pages;
mod presence;
mod presence_kept;
mod presence_silence;
mod presence_sleep;
mod presence_told;
mod publish;
mod queue;
mod random;
mod rates;
mod reader;
mod replay;
mod requests;
mod rest;
mod resume;
mod rollup;
mod search;
mod sequence;
mod show;
mod signal;
mod silence;
mod size;
#[path = "../sqlite/mod.rs"]
mod sqlite;
mod start;
mod start_sizes;
mod state;
mod steer;
mod steer_input;
mod suspend;
mod told;
mod traceparent;
mod traces;
mod transfer;
mod trim_kept;
mod turn;
mod turns;
mod undisturbed;
mod usage;
mod usage_budget;
mod waiting;
mod waking;
mod waking_again;
mod windows;
mod words;
mod world;
