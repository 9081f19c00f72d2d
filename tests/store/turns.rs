//! Turns in the model, and that everything that can be read of them is what it says.

use sessile::protocol::ids::{ConnectionId, Timestamp};
use sessile::protocol::message::Status;
use sessile::protocol::serial::Place;
use sessile::protocol::turn::{Cancel, Ending, Event, Lead, State, Turn};
use sessile::protocol::usage::Usage;
use sessile::store::{Aged, Answers, Change, Head, Kept, MessageWrite, TurnWrite};

use crate::check::head;
use crate::model::{Held, Pair};

/// An operation on a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Suspend,
    Resume,
    Adopt,
    Cancel,
    Queue,
    End,
}

impl Pair {
    /// One of the turns that are open.
    pub(crate) fn any_turn(&self, index: usize) -> Option<Place> {
        let open: Vec<&Kept> = self
            .turns
            .values()
            .filter(|kept| kept.turn.is_open())
            .collect();
        let kept = open.get(index.checked_rem(open.len())?)?;
        Some(kept.turn.place)
    }

    pub(crate) fn start(&mut self, input: Option<Place>, is_queued: bool) -> Place {
        let (place, at) = self.next();
        let (event, state) = if is_queued {
            (Event::Queue, State::Queued)
        } else {
            (Event::Start, State::Active(lead()))
        };
        let turn = Turn {
            place,
            version: place,
            event,
            id: format!("turn {place}"),
            agent: (!is_queued).then(|| "ann".to_owned()),
            input,
            parent: None,
            within: None,
            attempt: 1,
            attempt_place: place,
            steers: Vec::new(),
            inputs: Vec::new(),
            created_at: at,
            started_at: None,
            cancel: None,
            metadata: None,
            traceparent: None,
            usage: Usage::default(),
            state,
        };
        self.put_turn(Kept { turn, heard_at: at }, at);
        place
    }

    pub(crate) fn change_turn(&mut self, place: Place, deed: Deed) {
        let (version, at) = self.next();
        let mut kept = self.turns[&place].clone();
        let turn = &mut kept.turn;
        turn.version = version;
        turn.event = match deed {
            Deed::Suspend => Event::Suspend,
            Deed::Resume => Event::Resume,
            Deed::Adopt => Event::Adopt,
            Deed::Cancel => Event::Cancel,
            Deed::Queue => Event::Queue,
            Deed::End => Event::End,
        };
        match deed {
            Deed::Suspend => {
                let (lead, reason) = (lead(), Some("\"\\é".to_owned()));
                turn.state = State::Suspended { lead, reason, at };
            }
            Deed::Resume | Deed::Adopt => turn.state = State::Active(lead()),
            Deed::Cancel => turn.cancel = Some(cancel(at)),
            Deed::Queue => (turn.agent, turn.state) = (None, State::Queued),
            Deed::End => {
                let (ending, reason, error) = (Ending::Failed, None, None);
                turn.state = State::Ended {
                    ending,
                    reason,
                    error,
                    at,
                };
            }
        }
        kept.heard_at = at;
        self.put_turn(kept, at);
    }

    fn put_turn(&mut self, kept: Kept, at: Timestamp) {
        self.turn_changes.push((kept.turn.version, kept.turn.place));
        self.turns.insert(kept.turn.place, kept.clone());
        let client = Some("ann".to_owned());
        self.write(&[TurnWrite::Put { kept, client, at }.into()]);
    }

    /// Something that is no entry of the log.
    pub(crate) fn steer(&mut self, place: Place) {
        let end = self.end.place;
        let kept = self.turns.get_mut(&place).expect("a turn");
        kept.turn.steers.push((end, end.is_multiple_of(2)));
        let kept = kept.clone();
        self.write(&[TurnWrite::Row(kept).into()]);
    }

    pub(crate) fn hear(&mut self, place: Place, at: Timestamp) {
        self.turns.get_mut(&place).expect("a turn").heard_at = at;
        self.write(&[TurnWrite::Heard { place, at }.into()]);
    }

    pub(crate) fn cancel_input(&mut self, place: Place) {
        let cancel = cancel(self.end.written_at);
        self.cancels.insert(place, cancel.clone());
        self.write(&[MessageWrite::CancelInput { place, cancel }.into()]);
    }

    /// Another attempt takes the place of a message: nothing is left of it, not its id.
    pub(crate) fn supersede(&mut self, place: Place) {
        self.delete_as(place, Change::Supersede);
        self.held.get_mut(&place).expect("a message").message.id = None;
    }

    /// P11.2: what streams, is of an open turn or is what one answers stays.
    pub(crate) fn is_kept(&self, held: &Held) -> bool {
        let message = &held.message;
        let is_of = |kept: &&Kept| {
            kept.turn.is_open()
                && (message.turn.as_ref() == Some(&kept.turn.id)
                    || kept.turn.input == Some(message.serial.place))
        };
        message.status == Some(Status::Streaming) || self.turns.values().any(|kept| is_of(&kept))
    }

    pub(crate) fn trim_turns(&mut self, up_to: Place) {
        let is_kept = |kept: &Kept| up_to < kept.turn.version || kept.turn.is_open();
        self.turns.retain(|_, kept| is_kept(kept));
        self.turn_changes.retain(|(version, _)| up_to < *version);
        self.cancels
            .retain(|place, _| self.held.contains_key(place));
    }

    /// Everything that can be read of turns.
    pub(crate) fn check_turns(&self) {
        let store = &self.store;
        let all: Vec<Turn> = self.turns.values().map(|kept| kept.turn.clone()).collect();
        let open = self.turns.values().filter(|kept| kept.turn.is_open());
        assert_eq!(store.open_turns(), Ok(open.cloned().collect()));
        let ids: Vec<String> = all.iter().map(|turn| turn.id.clone()).collect();
        assert_eq!(store.named_turns(&ids), Ok(all.clone()));
        assert_eq!(store.named_turns(&[]), Ok(Vec::new()));
        assert_eq!(store.turn("none"), Ok(None));
        for turn in &all {
            assert_eq!(store.turn(&turn.id), Ok(Some(turn.clone())));
            let of_turn = self.held.values().filter(|held| {
                held.message.turn.as_ref() == Some(&turn.id) && held.message.deleted_at.is_none()
            });
            let heads: Vec<Head> = of_turn.map(|held| head(&held.message)).collect();
            assert_eq!(store.turn_messages(turn, 100), Ok(heads));
        }
        for place in 0..=self.end.place + 1 {
            let known = self.turns.get(&place).map(|kept| kept.turn.clone());
            assert_eq!(store.turn_at(place), Ok(known));
            assert_eq!(
                store.cancel_of_input(place),
                Ok(self.cancels.get(&place).cloned())
            );
            let newest: Vec<Turn> = all.iter().rev().cloned().collect();
            let answers = newest.iter().filter(|turn| turn.input == Some(place));
            for client in ["bob", "ann"] {
                let mut own = answers.clone();
                let own = own.find(|turn| turn.agent.as_deref() == Some(client));
                let found = Answers {
                    count: answers.clone().count(),
                    own: own.map(|turn| turn.place),
                };
                assert_eq!(store.answers(place, client), Ok(found));
            }
            let before = newest.iter().filter(|turn| turn.place < place).take(2);
            assert_eq!(store.turns_before(place, 2), Ok(before.cloned().collect()));
            assert_eq!(
                store.changed_turns(place, 3),
                Ok(self.changed_turns(place, 3))
            );
        }
        let aged = self.held.values().map(|held| Aged {
            place: held.message.serial.place,
            created_at: held.message.created_at,
            is_held: self.is_kept(held),
            rows: usize::try_from(held.tail.segment).expect("a number"),
        });
        assert_eq!(store.aged(4), Ok(aged.take(4).collect()));
    }

    fn changed_turns(&self, after: Place, limit: usize) -> Vec<Turn> {
        let has_changed = |turn: &&Turn| {
            let mut changes = self.turn_changes.iter();
            changes.any(|(version, place)| after < *version && *place == turn.place)
        };
        let turns = self.turns.values().map(|kept| &kept.turn);
        let mut changed: Vec<Turn> = turns.filter(has_changed).cloned().collect();
        changed.sort_by_key(|turn| turn.version);
        changed.truncate(limit);
        changed
    }
}

fn lead() -> Lead {
    Lead::new(Some(ConnectionId::new("c0")), 1_000)
}

fn cancel(at: Timestamp) -> Cancel {
    Cancel {
        by: "bob".to_owned(),
        at,
        reason: None,
    }
}
