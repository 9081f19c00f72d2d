//! Grants that are in force, as a part of the session (P8.6).

use crate::ordered::sort_by_number;
use crate::protocol::approval::{Approval, Decision, Event, Past, Status};
use crate::protocol::capability::{Operation, Operations};
use crate::protocol::decode::DecideApproval;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Lists, encode};
use crate::protocol::grant::{Decider, Grant, Scope, ShownGrant};
use crate::protocol::limits::{GRANT_BYTES, GRANTS};
use crate::protocol::snapshot::Snapshot;
use crate::session::approvals::rights::may_decide;
use crate::session::context::Context;
use crate::session::engine::{Live, Sender, Step};
use crate::session::part::Part;
use crate::store::{GrantWrite, StoreError};

/// Grants, as a part of the session.
pub(crate) struct Granted;

impl Part for Granted {
    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.grants = cx.engine.store.grants()?;
        Ok(())
    }

    fn turn_ends(cx: &mut Context<'_>, step: &mut Step, turn: &str) -> Result<(), StoreError> {
        end_grants(cx, step, |grant| grant.turn.as_deref() == Some(turn));
        Ok(())
    }

    fn attached(cx: &Context<'_>, _: &mut Live, lists: &mut Lists) {
        lists.grants = shown_grants(cx);
    }

    fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
        snapshot.grants = shown_grants(cx);
    }
}

/// The grants as readers see them.
pub(super) fn shown_grants(cx: &Context<'_>) -> Vec<ShownGrant> {
    cx.memory.grants.iter().map(Grant::shown).collect()
}

/// Ends some grants.
pub(super) fn end_grants(cx: &mut Context<'_>, step: &mut Step, is_meant: impl Fn(&Grant) -> bool) {
    cx.memory.grants.retain(|grant| {
        let ends = is_meant(grant);
        if ends {
            step.write(GrantWrite::End { place: grant.place });
        }
        !ends
    });
}

/// Settles a request that a grant covers: somebody who may decide it has done so before.
pub(super) fn settle_by_grant(cx: &Context<'_>, approval: &mut Approval) {
    let Some(grant) = covering(cx, approval) else {
        return;
    };
    approval.status = Status::Approved;
    approval.verdict.decision = Some(Decision::Approve);
    approval.escalate.clear();
    approval.history.push(Past {
        at: cx.engine.now,
        what: Event::Decide,
        who: Some(grant.by.client.clone()),
        by: Some(grant.approval.clone()),
    });
}

fn covering<'a>(cx: &'a Context<'_>, approval: &Approval) -> Option<&'a Grant> {
    let key = approval.asked.grant.as_ref()?;
    cx.memory.grants.iter().find(|grant| {
        let is_of_turn = grant.turn.is_none() || grant.turn == approval.turn;
        let is_meant = grant.key == *key && grant.client == approval.client && is_of_turn;
        is_meant && may_decide(approval, &granter(&grant.by))
    })
}

/// A granter as one that decides now.
fn granter(by: &Decider) -> Sender {
    let operations = match by.is_admin {
        true => Operations::ALL,
        false => Operations::of(&[Operation::Approve]),
    };
    Sender {
        connection: None,
        client: by.client.clone(),
        operations,
        role: by.role,
    }
}

/// The grant that a decision gives, which must be one that its approval takes.
pub(super) fn granted(
    cx: &Context<'_>,
    verb: &str,
    approval: &Approval,
    sender: &Sender,
    decide: &DecideApproval,
) -> Result<Option<Grant>, ErrorInfo> {
    let Some(scope) = decide.scope else {
        return Ok(None);
    };
    let refused = |reason: &str| {
        let message = format!("unable to {verb}; {reason}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    };
    let key = approval.asked.grant.clone();
    let key = key.filter(|_| decide.decision == Decision::Approve);
    let key = key.ok_or_else(|| refused("scope goes with approve, of a request with grant"))?;
    let turn = match (scope, &approval.turn) {
        (Scope::Session, _) => None,
        (Scope::Turn, Some(turn)) => Some(turn.clone()),
        (Scope::Turn, None) => return Err(refused("it belongs to no turn, scope is session")),
    };
    let grant = Grant {
        place: approval.place,
        approval: approval.id.clone(),
        key,
        client: approval.client.clone(),
        turn,
        by: Decider {
            client: sender.client.clone(),
            role: sender.role,
            is_admin: sender.operations.contains(Operation::Admin),
        },
        at: cx.engine.now,
    };
    let mut bytes = encode(&shown_grants(cx)).len();
    bytes += encode(&grant.shown()).len();
    if GRANTS <= cx.memory.grants.len() || GRANT_BYTES < bytes {
        let message = format!(
            "unable to {verb}; the grants of a session are {GRANTS} and {GRANT_BYTES} bytes at \
             most, revoke some or leave out scope"
        );
        return Err(ErrorInfo::new(ErrorCode::OverLimit, message));
    }
    Ok(Some(grant))
}

/// Remembers a decision in its step.
pub(super) fn remember(cx: &mut Context<'_>, step: &mut Step, grant: Grant) {
    step.write(GrantWrite::Give(grant.clone()));
    let grants = &mut cx.memory.grants;
    grants.push(grant);
    sort_by_number(grants, |grant| grant.place);
}
