//! The tree as readers get it (P9.2).

use super::memory::Known;
use crate::protocol::data::Data;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{ServerFrame, encode};
use crate::protocol::state::{Path, Shown};
use crate::protocol::tree::Node;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::store::StoreError;

/// `GET …/state`: the tree, or the part of it at a path.
pub(crate) fn read(cx: &Context<'_>, path: &Path) -> Result<String, Error> {
    let known = cx.memory.state.known(cx.engine.store)?;
    let missing = || {
        let path = path.join("/");
        let message = format!("unable to read the state; there is nothing at {path:?}");
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    let node = known.tree.root().at(path).ok_or_else(missing)?;
    Ok(encode(&shown(cx, known, node)))
}

/// The tree, unless it was never changed or has more bytes.
pub(crate) fn brief(cx: &Context<'_>, most: usize) -> Result<Option<Shown>, StoreError> {
    let known = cx.memory.state.known(cx.engine.store)?;
    let fits = 0 < known.version && known.tree.bytes() <= most;
    Ok(fits.then(|| shown(cx, known, known.tree.root())))
}

fn shown(cx: &Context<'_>, known: &Known, node: &Node) -> Shown {
    Shown {
        value: json(encode(node)),
        version: cx.engine.epoch.at(known.version),
    }
}

/// The frame that brings a reader to the latest change.
pub(super) fn frame(cx: &Context<'_>, known: &Known, ops: String) -> ServerFrame {
    ServerFrame::State {
        serial: cx.engine.epoch.at(known.version),
        client: known.client.clone(),
        ops: json(ops),
    }
}

/// The operation that sets the whole tree.
pub(super) fn whole(known: &Known) -> String {
    let tree = encode(known.tree.root());
    format!("[{{\"op\":\"set\",\"path\":[],\"value\":{tree}}}]")
}

fn json(text: String) -> Data {
    // It was encoded a moment ago.
    Data::from_json(text).unwrap_or_else(|| Data::Text(String::new()))
}
