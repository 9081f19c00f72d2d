//! The shared state as a part of the session: what a reader needs of it on attaching.

use super::memory::State;
use super::shown::{brief, frame, whole};
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::limits::LIST_BYTES;
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::part::Part;
use crate::store::StoreError;

/// The shared state, as a part of the session.
pub(crate) struct Shared;

impl Part for Shared {
    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        // The rows are read when they are needed.
        cx.memory.state = State::default();
        Ok(())
    }

    fn anew(cx: &Context<'_>, lists: &mut Lists) -> Result<Vec<ServerFrame>, StoreError> {
        lists.state = brief(cx, LIST_BYTES)?;
        let known = cx.memory.state.known(cx.engine.store)?;
        let is_left_out = lists.state.is_none() && 0 < known.version;
        let tree = is_left_out.then(|| frame(cx, known, whole(known)));
        Ok(tree.into_iter().collect())
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        _: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let known = cx.memory.state.known(cx.engine.store)?;
        if known.version <= since {
            return Ok(Vec::new());
        }
        let ops = known.ops_since(since).unwrap_or_else(|| whole(known));
        Ok(vec![frame(cx, known, ops)])
    }
}
