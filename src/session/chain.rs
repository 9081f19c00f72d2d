//! Chains: frames that are taken in order or not at all (P13.8).
//!
//! A client that sends on without waiting for answers says which frames stand on each other: once
//! one is refused, those after it with the same number are not looked at. It holds for every
//! type of frame, and is decided in one place, before any of them is.

use serde::{Deserialize, Serialize};

use super::Session;
use super::answer::Reply;
use super::connection::{Carrier, Sender};
use super::outbox::Outbox;
use crate::protocol::decode::{ClientFrame, Received};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::CHAINS_MAX;
use crate::store::{Store, StoreError};

/// The chains that broke on one connection, or in one request; the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chains(Vec<u64>);

impl Chains {
    /// Whether no chain broke, or none that is still known of.
    pub fn are_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets a frame pass, unless its chain broke before it.
    pub(super) fn check<T>(
        &self,
        chain: Option<u64>,
        frame: Result<T, ErrorInfo>,
    ) -> Result<T, ErrorInfo> {
        match chain.filter(|chain| self.0.contains(chain)) {
            None => frame,
            Some(chain) => {
                let message =
                    format!("unable to take the frame; one before it in chain {chain} was refused");
                Err(ErrorInfo::new(ErrorCode::Skipped, message))
            }
        }
    }

    /// A frame was refused: no more of its chain is taken.
    pub(super) fn end(&mut self, chain: Option<u64>) {
        let Some(chain) = chain.filter(|chain| !self.0.contains(chain)) else {
            return;
        };
        self.0.push(chain);
        if CHAINS_MAX < self.0.len() {
            self.forget_one();
        }
    }

    /// Forgets the one that broke longest ago.
    pub(super) fn forget_one(&mut self) {
        self.0.drain(..self.0.len().min(1));
    }
}

impl Session {
    /// Takes frames that came one after the other, each in its place, until so many were refused
    /// that the rest is not even answered. Says whether all were taken or answered.
    #[expect(
        clippy::too_many_arguments,
        reason = "what every frame has, and the chains that they may belong to"
    )]
    pub(super) fn each(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        carrier: Option<Carrier>,
        frames: Vec<Received>,
        chains: &mut Chains,
        out: &mut Outbox,
    ) -> Result<bool, StoreError> {
        for received in frames {
            let reply = Reply::new(sender, carrier, received.reference);
            let frame = chains.check(received.chain, received.frame);
            let frame = self.check_effects(out, frame);
            if !self.frame(store, now, sender, frame, &reply, out)? {
                chains.end(received.chain);
                let is_much = self.limit(now, sender, |rates| rates.refusal(now)).is_err();
                // A request has an answer for each of its frames, and none follows it (P12.1).
                if is_much && sender.connection.is_some() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The frames before it in the same message have done as much as one message may do.
    fn check_effects(
        &self,
        out: &Outbox,
        frame: Result<ClientFrame, ErrorInfo>,
    ) -> Result<ClientFrame, ErrorInfo> {
        let most = self.limits.effect_bytes;
        match frame {
            Ok(frame) if most <= u64::try_from(out.made).unwrap_or(u64::MAX) => {
                let verb = frame.verb();
                let message = format!(
                    "unable to {verb}; what came with it made more than {most} bytes already, \
                     send it again"
                );
                // By itself it may come at once.
                Err(ErrorInfo::rate_limited(message, 1))
            }
            frame => frame,
        }
    }

    /// Keeps what broke on a connection, so that it holds over a sleep as well.
    pub(super) fn keep_chains(
        &mut self,
        connection: &ConnectionId,
        chains: Chains,
        out: &mut Outbox,
    ) {
        let Some(live) = self.connections.get_mut(connection) else {
            return;
        };
        if live.connection.chains == chains {
            return;
        }
        live.connection.chains = chains;
        while !live.connection.fits() && !live.connection.chains.are_whole() {
            live.connection.chains.forget_one();
        }
        out.remember(&live.connection);
    }
}
