//! Calls as HTTP lists them (P8.9).

use serde::Serialize;

use crate::protocol::asking_query::Askings;
use crate::protocol::call::{Call, Shown};
use crate::protocol::frame::encode;
use crate::protocol::limits::PAGE_BYTES;
use crate::session::calls::shown::{existing, shown};
use crate::session::context::Context;
use crate::session::engine::{Error, newest};

/// `GET …/calls`: the pending ones or all, the newest first.
pub(crate) fn list(cx: &Context<'_>, query: &Askings) -> Result<String, Error> {
    let before = cx.engine.page_start(query.before.as_deref())?;
    let encode = |call: &Call| encode(&shown(cx, call));
    let items = if query.all {
        let store = cx.engine.store;
        let (page, has_more) = store.calls_before(before, query.limit, PAGE_BYTES)?;
        let page = page.iter().map(|it| (it.place, encode(it)));
        (page.collect(), has_more)
    } else {
        let pending = cx.memory.calls.pending.values().map(|it| &it.call);
        let pending = pending.map(|it| (it.place, it));
        newest(pending, before, query.limit, encode)
    };
    Ok(cx.engine.page("calls", items))
}

/// `GET …/calls/{id}`.
pub(crate) fn one(cx: &Context<'_>, id: &str) -> Result<String, Error> {
    #[derive(Serialize)]
    struct One {
        call: Shown,
    }
    let call = existing(cx, "read", id)?;
    let call = shown(cx, &call);
    Ok(encode(&One { call }))
}
