//! Reads: one table of all HTTP reads. Each has its address, its query and its operation in
//! `protocol/reads.rs`.

use super::annotations::list as annotations;
use super::approvals::list as approvals;
use super::calls::list as calls;
use super::context::Context;
use super::engine::{Error, Sender};
use super::marks::shown as marks;
use super::presence::list as members;
use super::readers::{conversation, history, log, snapshot};
use super::search::found;
use super::state::shown as state;
use super::turns::list as turns;
use crate::protocol::query::History;
use crate::protocol::reads::Read;

/// Serves a read, if the token grants it.
pub(super) fn read(cx: &mut Context<'_>, sender: &Sender, read: Read) -> Result<String, Error> {
    sender.must(read.needs(), "read", &cx.engine.id)?;
    match read {
        Read::Snapshot(page) => snapshot::snapshot(cx, &sender.client, page.rewind),
        Read::Messages(History {
            to: Some(to),
            before,
            limit,
            ..
        }) => conversation::conversation(cx, to, before, limit),
        Read::Messages(History {
            before,
            after,
            limit,
            ..
        }) => history::history(cx, before, after, limit),
        Read::Message(message) => history::one_message(cx, message.0),
        Read::Turns(page) => turns::list_turns(cx, page.all, page.before, page.limit),
        Read::Turn(turn) => turns::one_turn(cx, turn.0),
        Read::Approvals(page) => approvals::list(cx, &page),
        Read::Approval(approval) => approvals::one(cx, &approval.0),
        Read::Calls(page) => calls::list(cx, &page),
        Read::Call(call) => calls::one(cx, &call.0),
        Read::State(part) => state::read(cx, &part.0),
        Read::Marks(_) => marks::read(cx, &sender.client),
        Read::Annotations(page) => annotations::list(cx, &page),
        Read::Presence(_) => members::list_presence(cx),
        Read::Log(page) => log::log(cx, &page),
        Read::Search(page) => found::search(cx, &page),
    }
}
