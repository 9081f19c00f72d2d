//! Calls that leave the session, and how they end.
//!
//! ```text
//! deployment https://a.example/     hooks of every session, and a secret to sign with
//! hook !1 answers 503 after=60      the outcome of a delivery; fails and refuses are others
//! hook always answers 204           that of every delivery from then on
//! deployment unsigned               one without a secret
//! deployment watched                one whose owner is told of milestones, `* MILESTONE`
//! ```
//!
//! A delivery is shown as `!1 > ADDRESS BODY`, when it is tried again without its body; `anew` is
//! another attempt under another id.

use sessile::protocol::hooks::{Hook, HookEvent};
use sessile::session::{Delivered, Delivery, Input, Outcome};
use sessile::store::DeliveryKind;

use super::World;
use crate::words::{Word, find};

impl World {
    pub(super) fn deployment(&mut self, hooks: &[Word]) {
        if hooks.first().is_some_and(|word| word.text == "watched") {
            self.host.outbound.is_watched = true;
            return self.host.evict();
        }
        let is_unsigned = hooks.first().is_some_and(|word| word.text == "unsigned");
        self.host.outbound.has_secret = !is_unsigned;
        let hooks = if is_unsigned { &[] } else { hooks };
        let hook = |word: &Word| Hook {
            url: word.text.clone(),
            // `all=URL` hears all, a bare address only of the deletion.
            events: word.key.is_none().then(|| vec![HookEvent::SessionDelete]),
        };
        self.host.outbound.hooks = hooks.iter().map(hook).collect();
        self.host.evict();
    }

    pub(super) fn delivery(&mut self, delivery: &Delivery) -> String {
        let known = self
            .deliveries
            .iter()
            .position(|(number, _)| *number == delivery.number);
        if let Some(index) = known {
            let known = &mut self.deliveries[index].1;
            let is_same = *known == delivery.id;
            let round = if is_same { "" } else { " anew" };
            let token = if delivery.wants_token {
                " with a token"
            } else {
                ""
            };
            assert!(
                is_same || delivery.kind == DeliveryKind::Wake,
                "one id for all attempts"
            );
            known.clone_from(&delivery.id);
            return format!("!{} > {}{round}{token}", index + 1, delivery.target);
        }
        self.deliveries.push((delivery.number, delivery.id.clone()));
        if delivery.kind == DeliveryKind::File {
            let (name, body) = (self.deliveries.len(), &delivery.body);
            let what = match body.as_str() {
                "" => &delivery.target,
                keys => keys,
            };
            return format!("!{name} > delete {what}");
        }
        let mut body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(body["id"], delivery.id.as_str(), "the id is in the body");
        body.as_object_mut().unwrap().remove("id");
        let (name, body) = (self.deliveries.len(), self.show.json(&body));
        format!("!{name} > {} {body}", delivery.target)
    }

    pub(super) fn outcome(&mut self, words: &[Word]) {
        let outcome = match words[1].text.as_str() {
            "answers" => Outcome::Answered {
                status: words[2].text.parse().unwrap(),
                retry_after_ms: find(words, "after")
                    .map(|text| 1_000 * text.parse::<u64>().unwrap()),
            },
            "fails" => Outcome::Failed {
                reason: "it did not answer within 10000 ms".to_owned(),
            },
            _ => Outcome::Refused {
                reason: "its host is not public".to_owned(),
            },
        };
        if words[0].text == "always" {
            self.always = Some(outcome);
            return;
        }
        let index: usize = words[0].text.trim_start_matches('!').parse().unwrap();
        let (number, _) = self.deliveries[index - 1];
        self.handle(Input::Delivered(Delivered { number, outcome }));
    }
}
