//! Approvals as HTTP lists them (P8.3).

use serde::Serialize;

use crate::protocol::approval::Approval;
use crate::protocol::approval_shown::Shown;
use crate::protocol::asking_query::Askings;
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::session::approvals::shown::{existing, shown};
use crate::session::context::Context;
use crate::session::engine::{Error, newest};

/// `GET …/approvals`: the pending ones or all, the newest first.
pub(crate) fn list(cx: &Context<'_>, query: &Askings) -> Result<String, Error> {
    let before = cx.engine.page_start(query.before.as_deref())?;
    let encode = |approval: &Approval| encode(&shown(cx, approval));
    let items = if query.all {
        let store = cx.engine.store;
        let (page, has_more) = store.approvals_before(before, query.limit, PAGE_BYTES)?;
        let page = page.iter().map(|it| (it.place, encode(it)));
        (page.collect(), has_more)
    } else {
        let pending = cx.memory.approvals.values().map(|it| &it.approval);
        let pending = pending.map(|it| (it.place, it));
        newest(pending, before, query.limit, encode)
    };
    Ok(cx.engine.page("approvals", items))
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
