//! The settings of the session (P11.2).

use crate::protocol::capability::Operation;
use crate::session::context::Context;
use crate::session::engine::{Error, Sender};
use crate::session::inboxes::follow::owe_settings;
use crate::session::parts;
use crate::session::state::form::check_setting;
use crate::session::usage::stop::change_budget;
use crate::session::waking::owe::agent_set;
use crate::store::MetaWrite;

/// Applies a patch to the settings; the session begins with it if it has not.
pub(crate) fn change_settings(
    cx: &mut Context<'_>,
    sender: &Sender,
    patch: &serde_json::Value,
) -> Result<String, Error> {
    sender.must(Operation::Admin, "change the settings", &cx.engine.id)?;
    let settings = cx.engine.settings.patched(patch, &cx.engine.outbound)?;
    check_setting(cx, "change the settings", &settings)?;
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let known = &cx.engine.settings;
    let is_told = settings.title != known.title
        || settings.agent != known.agent
        || settings.on_input != known.on_input
        || settings.budget != known.budget;
    if is_told {
        owe_settings(cx, &mut step);
    }
    change_budget(cx, &mut step, &settings)?;
    if settings.agent != cx.engine.settings.agent {
        agent_set(cx, &mut step, settings.agent.as_ref());
    }
    step.write(MetaWrite::Set {
        settings: settings.clone(),
        at: cx.engine.now,
    });
    cx.engine.commit(step)?;
    cx.engine.state.settings = settings;
    parts::settings_changed(cx)?;
    Ok(serde_json::json!({ "settings": cx.engine.settings }).to_string())
}
