//! Inputs that come while another is answered: they wait, go first, or are refused (P10.3).

use super::Session;
use super::connection::Sender;
use super::step::Step;
use super::turn::asked;
use crate::protocol::capability::Operation;
use crate::protocol::decode::Interrupt;
use crate::protocol::decode::NewMessage;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Role, Status};
use crate::protocol::serial::Place;
use crate::protocol::settings::OnInput;
use crate::protocol::turn::{Event, Turn};
use crate::store::{Head, Store, StoreError};

/// Whether a message is for an agent to answer.
fn is_input(sender: &Sender, new: &NewMessage) -> bool {
    let is_by_user = !sender.operations.contains(Operation::Turn);
    new.role == Role::User && new.turn.is_none() && new.wake.unwrap_or(is_by_user)
}

fn answers(turn: &Turn) -> bool {
    turn.input.is_some() && turn.cancel.is_none()
}

impl Session {
    /// What becomes of a message while turns are active that `stays` lets stand.
    fn on_input(
        &self,
        sender: &Sender,
        new: &NewMessage,
        stays: impl Fn(&Turn) -> bool,
    ) -> OnInput {
        let on_input = self.settings.on_input();
        let is_moot = on_input == OnInput::Parallel || !is_input(sender, new);
        let is_answering = |turn: &Turn| answers(turn) && stays(turn);
        if is_moot || self.active_turns(is_answering).is_empty() {
            return OnInput::Parallel;
        }
        on_input
    }

    /// Whether an input may come now, after what it interrupts itself; so many come with it that
    /// have to wait, it among them.
    pub(super) fn check_input(
        &self,
        sender: &Sender,
        new: &NewMessage,
        interrupt: &Interrupt,
        waiting: &mut usize,
    ) -> Result<(), ErrorInfo> {
        let stays = |turn: &Turn| match interrupt {
            Interrupt::None => true,
            Interrupt::All => false,
            Interrupt::Turn(id) => turn.id != *id,
        };
        match self.on_input(sender, new, stays) {
            OnInput::Reject => {
                let id = &self.id;
                let message = format!("unable to publish; session {id} answers another input");
                Err(ErrorInfo::new(ErrorCode::Busy, message))
            }
            OnInput::Queue => {
                *waiting += 1;
                self.check_open_turns("publish", *waiting)
            }
            OnInput::Parallel | OnInput::Interrupt => Ok(()),
        }
    }

    /// Cancels what inputs interrupt by the session's settings.
    pub(super) fn make_way(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        sender: &Sender,
        messages: &[NewMessage],
    ) -> Result<(), StoreError> {
        let mut inputs = messages
            .iter()
            .map(|new| self.on_input(sender, new, |_| true));
        if !inputs.any(|on_input| on_input == OnInput::Interrupt) {
            return Ok(());
        }
        let cancel = asked(sender, now, None);
        for id in self.active_turns(answers) {
            self.cancel_turn(store, now, step, &id, &cancel)?;
        }
        Ok(())
    }

    /// Whether an input has to wait.
    pub(super) fn is_queued_input(&self, sender: &Sender, new: &NewMessage) -> bool {
        self.on_input(sender, new, |_| true) == OnInput::Queue
    }

    /// An input waits: as a turn without a leader.
    pub(super) fn queue_input(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        input: Place,
        client: &str,
    ) {
        let turn = self.new_turn(now, None, Some(input));
        let id = turn.id.clone();
        self.hold_turn(turn, now);
        self.change_turn(now, step, &id, Event::Queue, Some(client), |_| {});
    }

    /// Whether a message was left unfinished by an attempt before the current one: its id is
    /// free for the next (P6.8).
    pub(super) fn is_left(&self, head: &Head) -> bool {
        let turn = head.turn.as_ref().and_then(|turn| self.turns.get(turn));
        let is_before = turn.is_some_and(|open| head.place < open.turn.attempt_place);
        is_before && head.status == Some(Status::Failed) && !head.is_deleted
    }
}
