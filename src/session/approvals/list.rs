//! Approvals as HTTP lists them (P8.3).

use serde::Serialize;

use crate::protocol::approval::{Approval, Shown};
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::{PLACE_MAX, Place, Serial};
use crate::session::approvals::shown::{existing, shown};
use crate::session::context::Context;
use crate::session::engine::Error;

/// Approvals, the newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    approvals: Vec<Shown>,
    has_more: bool,
    /// What `before` of the next page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

/// `GET …/approvals`: the pending ones or all, the newest first.
pub(crate) fn list(
    cx: &Context<'_>,
    all: bool,
    before: Option<String>,
    limit: usize,
) -> Result<String, Error> {
    let before = before
        .map(|text| cx.engine.cursor("before", &text))
        .transpose()?;
    let before = before.unwrap_or(PLACE_MAX + 1);
    let (approvals, has_more) = match all {
        true => cx
            .engine
            .store
            .approvals_before(before, limit, PAGE_BYTES)?,
        false => pending_before(cx, before, limit),
    };
    let last = approvals.last().filter(|_| has_more);
    Ok(encode(&Page {
        next: last.map(|approval| cx.engine.epoch.at(approval.place)),
        has_more,
        approvals: approvals.iter().map(|it| shown(cx, it)).collect(),
    }))
}

/// A page of the pending ones, which ends where one of history does.
fn pending_before(cx: &Context<'_>, before: Place, limit: usize) -> (Vec<Approval>, bool) {
    let pending = cx.memory.approvals.values();
    let mut pending: Vec<_> = pending.filter(|it| it.approval.place < before).collect();
    pending.sort_unstable_by_key(|it| std::cmp::Reverse(it.approval.place));
    let mut bytes = 0;
    let fitting = pending.iter().take(limit).take_while(|it| {
        let is_first = bytes == 0;
        bytes += it.bytes;
        is_first || bytes <= PAGE_BYTES
    });
    let page: Vec<Approval> = fitting.map(|it| it.approval.clone()).collect();
    let has_more = page.len() < pending.len();
    (page, has_more)
}

/// `GET …/approvals/{id}`.
pub(crate) fn one(cx: &Context<'_>, id: &str) -> Result<String, Error> {
    #[derive(Serialize)]
    struct One {
        approval: Shown,
    }
    let approval = existing(cx, "read", id)?;
    let approval = shown(cx, &approval);
    Ok(encode(&One { approval }))
}
