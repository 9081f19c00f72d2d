//! Grants are revoked (P8.6).

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame};
use crate::protocol::grant::{Grant, RevokeFrame, RevokeGrant};
use crate::session::approvals::grants::{end_grants, shown_grants};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::store::GrantWrite;

/// Answers a `grant.revoke` whose id was taken before: by how things stand.
pub(crate) fn repeat(cx: &mut Context<'_>, _: &RevokeGrant, _: &Known) -> Result<Answer, Error> {
    Ok(answer(cx, true))
}

fn answer(cx: &Context<'_>, duplicate: bool) -> Answer {
    Answer::Now(Outcome::Grants {
        grants: shown_grants(cx),
        duplicate,
    })
}

/// `grant.revoke`: those of the key that the client gave, or all of it by an administrator.
pub(crate) fn revoke(
    cx: &mut Context<'_>,
    sender: &Sender,
    revoke: RevokeGrant,
) -> Result<Answer, Error> {
    let is_admin = sender.operations.contains(Operation::Admin);
    let is_own = |grant: &Grant| is_admin || grant.by.client == sender.client;
    let is_of_key = |grant: &&Grant| grant.key == revoke.key;
    let mut of_key = cx.memory.grants.iter().filter(is_of_key);
    if !of_key.clone().any(is_own) {
        return Err(refusal(&revoke.key, of_key.next()).into());
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let place = cx.engine.next_place();
    step.stands_for(place);
    end_grants(cx, &mut step, |grant| is_of_key(&grant) && is_own(grant));
    step.write(GrantWrite::Revoke {
        place,
        client: sender.client.clone(),
        at: cx.engine.now,
    });
    step.tell(ServerFrame::Revoke(RevokeFrame {
        serial: cx.engine.epoch.at(place),
        key: revoke.key.clone(),
        by: sender.client.clone(),
        grants: shown_grants(cx),
    }));
    cx.engine.commit(step)?;
    Ok(answer(cx, false))
}

fn refusal(key: &str, found: Option<&Grant>) -> ErrorInfo {
    const VERB: &str = "unable to revoke the grant;";
    match found {
        None => {
            let message = format!("{VERB} nothing is granted for {key:?}");
            ErrorInfo::new(ErrorCode::NotFound, message)
        }
        Some(grant) => {
            let by = &grant.by.client;
            let message = format!("{VERB} {by} gave it for {key:?}");
            ErrorInfo::new(ErrorCode::Forbidden, message)
        }
    }
}
