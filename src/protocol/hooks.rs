//! Hooks: addresses that hear of events of a session (P10.4).

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::object::read_fields;
use super::target;

/// Hooks of one session, and of a deployment: an event costs a row for each.
pub const HOOKS_MAX: usize = 10;

/// An address and the events that it hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// The address.
    pub url: String,
    /// The events; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<HookEvent>>,
}

read_fields!(Hook { url, events });

impl Hook {
    /// Whether it hears an event.
    pub fn hears(&self, event: HookEvent) -> bool {
        let events = self.events.as_ref();
        events.is_none_or(|events| events.contains(&event))
    }
}

/// An event that hooks hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// The session has begun (P1.2).
    SessionStart,
    /// A turn has ended (P6.1).
    TurnEnd,
    /// The agent of a turn was not heard (P6.8).
    TurnLost,
    /// A person is asked (P8.1).
    ApprovalRequest,
    /// An approval is settled (P8.1).
    ApprovalSettle,
    /// A person leads, another one does, or agents answer again (P8.8).
    LeadChange,
    /// The session was deleted or has expired (P11.2).
    SessionDelete,
}

/// The events, by name.
const EVENTS: [(&str, HookEvent); 7] = [
    ("session.start", HookEvent::SessionStart),
    ("turn.end", HookEvent::TurnEnd),
    ("turn.lost", HookEvent::TurnLost),
    ("approval.request", HookEvent::ApprovalRequest),
    ("approval.settle", HookEvent::ApprovalSettle),
    ("lead.change", HookEvent::LeadChange),
    ("session.delete", HookEvent::SessionDelete),
];

impl HookEvent {
    /// Its name in bodies and settings.
    pub fn name(self) -> &'static str {
        let found = EVENTS.iter().find(|(_, event)| *event == self);
        found.map_or("", |(name, _)| name)
    }
}

impl Serialize for HookEvent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for HookEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Named)
    }
}

struct Named;

impl Visitor<'_> for Named {
    type Value = HookEvent;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<HookEvent, E> {
        if let Some((_, event)) = EVENTS.iter().find(|(known, _)| *known == name) {
            return Ok(*event);
        }
        let known = EVENTS.map(|(name, _)| name).join(", ");
        Err(E::custom(format!(
            "no event has that name; there is {known}"
        )))
    }
}

/// Checks a list of hooks.
///
/// # Errors
/// The reason, naming the hook by its place in the list.
pub fn check(hooks: &[Hook], allows_local: bool) -> Result<(), String> {
    if HOOKS_MAX < hooks.len() {
        return Err(format!("hooks has more than {HOOKS_MAX}"));
    }
    for (index, hook) in hooks.iter().enumerate() {
        let checked = target::check(&hook.url, allows_local);
        checked.map_err(|reason| format!("hooks[{index}].url: {reason}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(json: &str) -> String {
        serde_json::from_str::<Vec<Hook>>(json)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn an_event_that_there_is_not_is_refused() {
        let unknown = refused(r#"[{"url":"https://a.example/","events":["turn.ended"]}]"#);
        assert!(unknown.starts_with("no event has that name"), "{unknown}");
    }

    #[test]
    fn a_hook_without_events_hears_all() {
        let hooks: Vec<Hook> = serde_json::from_str(
            r#"[{"url":"https://a.example/"},{"url":"https://b.example/","events":[]}]"#,
        )
        .unwrap();
        let hears: Vec<bool> = hooks
            .iter()
            .map(|hook| hook.hears(HookEvent::SessionDelete))
            .collect();
        assert_eq!(hears, [true, false]);
    }

    #[test]
    fn a_bad_address_is_named_by_its_place() {
        let hook = |url: &str| Hook {
            url: url.to_owned(),
            events: None,
        };
        let hooks = [hook("https://a.example/"), hook("https://10.0.0.1/")];
        let reason = "hooks[1].url: its host is not public";
        assert_eq!(check(&hooks, false), Err(reason.to_owned()));
        let many = vec![hook("https://a.example/"); 11];
        assert_eq!(
            check(&many, false),
            Err("hooks has more than 10".to_owned())
        );
    }
}
