//! A turn as one process of an agent knows it. It may well be another's by now.

use serde_json::{Value, json};
use sessile::protocol::ids::ConnectionId;

use crate::draft::Draft;
use crate::random::Random;

/// A process's request about a turn.
#[derive(Clone, Debug)]
pub enum Deed {
    /// To start or to adopt it.
    Take,
    /// To create the message of a draft.
    Publish(usize),
    /// To append so many chunks of one.
    Append(usize, usize),
    /// To say so many chunks of one anew.
    Update(usize, usize),
    /// To end it.
    End,
    /// Anything else that shows that it is alive.
    Drive,
}

/// A turn that a process leads, means to lead or believes that it leads.
#[derive(Clone, Debug, Default)]
pub struct Job {
    pub number: u64,
    /// `None` until the session has told.
    pub turn: Option<String>,
    /// The frame that takes it, until that is answered; and when it was sent.
    pub take: Option<Value>,
    pub asked_at: Option<u64>,
    pub attempt: u64,
    /// The connection that took it.
    pub taken_on: Option<ConnectionId>,
    pub drafts: Vec<Draft>,
    /// How often it was told that it does not lead.
    pub refusals: u32,
}

impl Job {
    pub fn new(number: u64, take: Value) -> Self {
        Self {
            number,
            take: Some(take),
            ..Self::default()
        }
    }

    /// The session says that it leads: there is something to say.
    pub fn begin(&mut self, random: &mut Random, process: usize, turn: &str, attempt: u64) {
        self.turn = Some(turn.to_owned());
        self.attempt = attempt;
        self.take = None;
        let count = random.between(1, 4);
        self.drafts = (0..count)
            .map(|index| {
                let (is_whole, is_numbered) = (random.chance(200), random.chance(700));
                let id = format!("{turn}/{index}");
                let mut draft = Draft::new(random, id, is_whole, is_numbered);
                let tag = format!("{turn}~{process}.{}.{index}", self.number);
                mark(&mut draft.chunks, &tag, is_numbered);
                draft.turn = Some(turn.to_owned());
                draft
            })
            .collect();
    }

    /// Goes on in a message that an attempt before this one left open.
    pub fn go_on(&mut self, random: &mut Random, process: usize, serial: &str) {
        let turn = self.turn.clone().unwrap_or_default();
        let mut draft = Draft::new(random, String::new(), false, false);
        let tag = format!("{turn}~{process}.{}.{serial}", self.number);
        mark(&mut draft.chunks, &tag, false);
        draft.serial = Some(serial.to_owned());
        draft.sent = 1;
        draft.turn = Some(turn);
        self.drafts.push(draft);
    }

    /// A connection is gone.
    pub fn cut(&mut self, random: &mut Random) {
        self.asked_at = None;
        for draft in &mut self.drafts {
            draft.cut(random.chance(200));
        }
    }

    /// The next frame of one of its drafts.
    pub fn say(&mut self, random: &mut Random) -> Option<(Deed, Value)> {
        let open: Vec<usize> = (0..self.drafts.len())
            .filter(|index| !self.drafts[*index].is_done())
            .collect();
        if open.is_empty() {
            return None;
        }
        let index = *random.pick(&open);
        let draft = &mut self.drafts[index];
        if draft.serial.is_none() {
            if draft.is_asked {
                return None;
            }
            draft.is_asked = true;
            return Some((Deed::Publish(index), draft.publish()));
        }
        if draft.may_update() && random.chance(30) {
            let (sent, serial) = (draft.sent, draft.serial.clone());
            let frame = json!({ "type": "update", "serial": serial, "seq": sent - 1,
                "data": draft.text(sent) });
            return Some((Deed::Update(index, sent), frame));
        }
        let (chunks, frame) = draft.append()?;
        Some((Deed::Append(index, chunks), frame))
    }
}

/// Makes every chunk tell where it belongs, who says it and what comes before it.
fn mark(chunks: &mut [String], tag: &str, is_numbered: bool) {
    let kind = if is_numbered { 'n' } else { 'u' };
    for (index, chunk) in chunks.iter_mut().enumerate() {
        *chunk = format!("{chunk}~{tag}~{kind}{index}|");
    }
}
