//! One inbox and its platform: its process may end at any request.

use std::rc::Rc;

use serde_json::{Value, json};
use sessile::inbox::{self, Grant, Inbox, Sight};
use sessile::machine::Machine;
use sessile::protocol::capability::Capabilities;
use sessile::protocol::deployment::Deployment;
use sessile::protocol::ids::Timestamp;
use sessile::protocol::inbox::Request as Ask;
use sessile::protocol::limits::Limits;
use sessile::store::InboxStore;
use sessile::store::sql::Sql;

use crate::host::Disk;

/// One inbox and its platform.
pub struct Kept {
    pub name: &'static str,
    pub disk: Disk,
    pub awake: Option<(Inbox, InboxStore)>,
    /// When the platform wakes it.
    pub alarm: Option<Timestamp>,
}

impl Kept {
    fn load(&mut self) -> (Inbox, InboxStore) {
        if let Some(awake) = self.awake.take() {
            return awake;
        }
        let store = InboxStore::from(Rc::new(self.disk.clone()) as Rc<dyn Sql>);
        let mut deployment = Deployment::from(Limits::default());
        deployment.outbound.push.web = true;
        let inbox = <Inbox as Machine>::load(self.name, deployment, &store, Vec::new(), 1);
        (inbox.unwrap(), store)
    }

    /// Handles a request; `dies` says whether the process ends, and whether before the commit.
    pub fn ask(&mut self, now: Timestamp, grant: Grant, request: Ask, dies: Option<bool>) -> Value {
        let input = inbox::Input::Request {
            sender: grant,
            request,
        };
        let effects = self.handle(now, input, dies);
        let answer = effects.into_iter().find_map(|effect| match effect {
            inbox::Effect::Respond { status, body } => {
                let body: Value = serde_json::from_str(&body).unwrap();
                Some(json!([status, body]))
            }
            _ => None,
        });
        answer.unwrap()
    }

    /// Handles an input; what follows is left to the caller, even if the process ends.
    pub fn handle(
        &mut self,
        now: Timestamp,
        input: inbox::Input,
        dies: Option<bool>,
    ) -> Vec<inbox::Effect> {
        let (mut inbox, store) = self.load();
        self.disk.query("BEGIN", &[]).unwrap();
        let effects = inbox.handle(&store, now, input).unwrap();
        let end = if dies == Some(true) {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        self.disk.query(end, &[]).unwrap();
        if dies != Some(true) {
            let deadline = inbox.deadline().into_iter();
            self.alarm = deadline.chain(self.alarm).min();
        }
        if dies.is_none() {
            self.awake = Some((inbox, store));
        }
        effects
    }

    /// Everything that it shows somebody who may read every session.
    pub fn shown(&mut self) -> Value {
        let caps = [("*".to_owned(), vec!["supervisor".to_owned()])];
        let grant = Grant {
            client: "x".to_owned(),
            expires_at: Timestamp::MAX,
            issued_at: 0,
            sight: Sight {
                capabilities: Capabilities::parse(&caps).unwrap(),
                role: None,
            },
        };
        self.ask(0, grant, Ask::Read, None)[1].clone()
    }
}
