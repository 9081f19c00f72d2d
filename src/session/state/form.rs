//! The form that the tree has to keep (P9.4): the setting `stateSchema`.

use super::memory::Known;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::frame::encode;
use crate::protocol::schema::{Breach, Schema};
use crate::protocol::settings::Settings;
use crate::session::context::Context;
use crate::session::engine::{Error, Work};

/// Refuses settings whose schema nothing could be judged by, or that today's tree breaks.
pub(crate) fn check_setting(
    cx: &Context<'_>,
    verb: &str,
    settings: &Settings,
) -> Result<(), Error> {
    let Some(form) = &settings.state_schema else {
        return Ok(());
    };
    if settings.state_schema == cx.engine.settings.state_schema {
        return Ok(());
    }
    let admitted = Schema::read(&form.to_string())
        .and_then(|schema| cx.engine.judge.admit(&schema).map(|()| schema));
    let schema = admitted.map_err(|Breach { path, reason }| {
        let message = format!("unable to {verb}; stateSchema cannot be used at {path:?}: {reason}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })?;
    let known = cx.memory.state.known(cx.engine.store)?;
    let tree = encode(known.tree.root());
    Ok(broken(verb, cx.engine.judge.check(&schema, &tree))?)
}

/// Refuses a tree that breaks the schema of the settings. Reading the whole tree is output of the
/// client that changes it.
pub(super) fn check_form(
    engine: &mut Work<'_>,
    verb: &str,
    known: &Known,
) -> Result<(), ErrorInfo> {
    let Some(form) = &engine.settings.state_schema else {
        return Ok(());
    };
    let tree = encode(known.tree.root());
    let breaches = match Schema::read(&form.to_string()) {
        Ok(schema) => engine.judge.check(&schema, &tree),
        Err(breach) => vec![breach],
    };
    engine.out.made += tree.len();
    broken(verb, breaches)
}

fn broken(verb: &str, breaches: Vec<Breach>) -> Result<(), ErrorInfo> {
    let Some(first) = breaches.first() else {
        return Ok(());
    };
    let message = format!(
        "unable to {verb}; the state would break stateSchema at {:?}: {}",
        first.path, first.reason
    );
    Err(ErrorInfo {
        details: Some(Details::Breaches { breaches }),
        ..ErrorInfo::new(ErrorCode::InvalidState, message)
    })
}
