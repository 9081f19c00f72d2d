//! Leadership of a turn, and the fence around its messages (P6.8).

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::turn::Turn;
use crate::session::context::Context;
use crate::session::engine::{Error, Sender};
use crate::session::turns::shown::{closed_turn, find};

/// A sender's claim to lead a turn, and its purpose.
pub(crate) struct Claim<'a> {
    pub(crate) verb: &'a str,
    pub(crate) sender: &'a Sender,
    pub(crate) attempt: Option<u64>,
}

/// Admits only the leader of a turn: its client, with the current attempt or on the connection that
/// took it.
pub(crate) fn check_leader(cx: &Context<'_>, claim: &Claim<'_>, id: &str) -> Result<(), Error> {
    let Some(open) = cx.memory.turns.get(id) else {
        let turn = find(cx, claim.verb, id)?;
        return Err(closed_turn(claim.verb, &turn).into());
    };
    if is_led(&open.turn, claim) {
        return Ok(());
    }
    Err(not_leader(&open.turn, claim).into())
}

/// Admits a frame that changes a message: in an open turn from its leader, or from another client
/// that may edit; in a final one only from a client that may edit (P4.3, P6.8). Returns whether the
/// frame drives the turn.
pub(crate) fn fence(
    cx: &Context<'_>,
    claim: &Claim<'_>,
    turn: Option<&str>,
) -> Result<bool, Error> {
    let Some(id) = turn else { return Ok(false) };
    let may_edit = claim.sender.operations.contains(Operation::Edit);
    let open = cx.memory.turns.get(id);
    let is_own = open.is_none_or(|open| open.turn.agent.as_ref() == Some(&claim.sender.client));
    if may_edit && (open.is_none() || !is_own) {
        return Ok(false);
    }
    check_leader(cx, claim, id)?;
    Ok(open.is_some())
}

fn is_led(turn: &Turn, claim: &Claim<'_>) -> bool {
    let (sender, attempt) = (claim.sender, claim.attempt);
    let Some(lead) = turn.lead() else {
        return false;
    };
    let is_here = || sender.connection.is_some() && sender.connection == lead.connection;
    turn.agent.as_deref() == Some(&sender.client)
        && attempt.map_or_else(is_here, |attempt| attempt == turn.attempt)
}

/// The refusal of a sender that does not lead the turn.
fn not_leader(turn: &Turn, claim: &Claim<'_>) -> ErrorInfo {
    let Claim {
        verb,
        sender,
        attempt,
    } = claim;
    let id = &turn.id;
    let reason = match (&turn.agent, attempt) {
        (None, _) => format!("turn {id} is queued, take it with turn.start or turn.adopt"),
        (Some(agent), _) if *agent != sender.client => format!("turn {id} is {agent}'s"),
        (Some(_), Some(attempt)) => {
            format!("turn {id} is at attempt {}, not {attempt}", turn.attempt)
        }
        (Some(_), None) => format!(
            "turn {id} was not taken over this connection, send its current attempt with the frame"
        ),
    };
    ErrorInfo::new(ErrorCode::NotLeader, format!("unable to {verb}; {reason}"))
}
