//! The agent that a session wakes for its inputs (P10.3): where it is, and the body of a call.

use serde::Serialize;

use super::ids::Timestamp;
use super::object::read_fields;
use super::serial::Serial;
use super::target::{self, TARGET_LENGTH};

/// Characters of a client's id (P2.1).
const CLIENT_LENGTH: usize = 128;

/// An agent, reached in exactly one of five ways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// The address of its webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The name of a service binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The path that is called at the service; `/` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The name of a binding of a Cloudflare Queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The name of a binding of a Workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The client in whose inbox an input is work (P15.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// Whether each call has a token for the session.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub token: bool,
}

read_fields!(Agent {
    url,
    service,
    path,
    queue,
    workflow,
    inbox,
    token: or_default,
});

/// The names of a deployment's bindings that an agent may be reached by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// Service bindings.
    pub services: Vec<String>,
    /// Cloudflare Queues.
    pub queues: Vec<String>,
    /// Workflows.
    pub workflows: Vec<String>,
}

read_fields!(Bindings {
    services,
    queues,
    workflows,
});

/// The means of a deployment to reach agents.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Whether it may call `http` and hosts that are not public.
    pub allows_local: bool,
    /// Whether it has a secret to sign with.
    pub has_secret: bool,
    /// Whether it can make tokens (P2.8).
    pub has_keys: bool,
    /// Whether it has inboxes.
    pub has_inboxes: bool,
    /// Its bindings.
    pub bindings: &'a Bindings,
}

/// A way to reach an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A signed webhook at this address.
    Url(String),
    /// The same by a service binding, at this path.
    Service {
        /// The binding.
        binding: String,
        /// The path.
        path: String,
    },
    /// A message to the Queue of this binding.
    Queue(String),
    /// An instance of the Workflow of this binding.
    Workflow(String),
    /// Work in the inbox of this client, which makes no call.
    Inbox(String),
}

impl Agent {
    /// The target of its deliveries: an address, or a way and a name such as `queue:JOBS`.
    pub fn target(&self) -> String {
        let path = self.path.as_deref().unwrap_or("/");
        let named = [
            ("service", &self.service, path),
            ("queue", &self.queue, ""),
            ("workflow", &self.workflow, ""),
            ("inbox", &self.inbox, ""),
        ];
        let named = named.into_iter().find_map(|(way, name, rest)| {
            let name = name.as_ref()?;
            Some(format!("{way}:{name}{rest}"))
        });
        named.or_else(|| self.url.clone()).unwrap_or_default()
    }

    /// Checks that a deployment can reach it.
    ///
    /// # Errors
    /// The reason, naming the field.
    pub fn check(&self, reach: Reach<'_>) -> Result<(), String> {
        let ways = [
            &self.url,
            &self.service,
            &self.queue,
            &self.workflow,
            &self.inbox,
        ];
        if ways.into_iter().flatten().count() != 1 {
            let reason = "agent has not exactly one of url, service, queue, workflow and inbox";
            return Err(reason.to_owned());
        }
        if let Some(url) = &self.url {
            let checked = target::check(url, reach.allows_local);
            checked.map_err(|reason| format!("agent.url: {reason}"))?;
            if !reach.has_secret {
                return Err(lacks("agent.url"));
            }
        }
        if self.token && !reach.has_keys {
            return Err(lacks("agent.token"));
        }
        self.check_path()?;
        self.check_inbox(reach.has_inboxes)?;
        let known = reach.bindings;
        let named = [
            ("service", &self.service, &known.services),
            ("queue", &self.queue, &known.queues),
            ("workflow", &self.workflow, &known.workflows),
        ];
        for (way, name, known) in named {
            if let Some(name) = name.as_ref().filter(|name| !known.contains(name)) {
                let name: String = name.chars().take(40).collect();
                return Err(format!("agent.{way}: the deployment has no {way} {name:?}"));
            }
        }
        Ok(())
    }

    fn check_path(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        let is_path = path.starts_with('/') && is_plain && path.len() <= TARGET_LENGTH;
        match is_path && self.service.is_some() {
            true => Ok(()),
            false => Err(format!(
                "agent.path is not a path of a service, of at most {TARGET_LENGTH} characters"
            )),
        }
    }

    fn check_inbox(&self, has_inboxes: bool) -> Result<(), String> {
        let Some(client) = &self.inbox else {
            return Ok(());
        };
        if !has_inboxes {
            return Err("agent.inbox: the deployment has no inboxes".to_owned());
        }
        let is_size = (1..=CLIENT_LENGTH).contains(&client.chars().count());
        match is_size && !client.starts_with("role:") && !client.chars().any(char::is_control) {
            true => Ok(()),
            false => Err("agent.inbox is no client".to_owned()),
        }
    }
}

fn lacks(field: &str) -> String {
    format!("{field} needs SESSILE_WEBHOOK_SECRETS, which the deployment does not have")
}

impl Way {
    /// The way of a target; everything that names none is an address.
    pub fn of(target: &str) -> Self {
        let (way, name) = target.split_once(':').unwrap_or_default();
        match way {
            "service" => {
                let (binding, path) = name.split_once('/').unwrap_or((name, ""));
                Self::Service {
                    binding: binding.to_owned(),
                    path: format!("/{path}"),
                }
            }
            "queue" => Self::Queue(name.to_owned()),
            "workflow" => Self::Workflow(name.to_owned()),
            "inbox" => Self::Inbox(name.to_owned()),
            _ => Self::Url(target.to_owned()),
        }
    }
}

/// The body of a call; a `token` follows, where the agent asks for one.
#[derive(Clone, Debug, Serialize)]
pub struct WakeBody<'a> {
    /// `input`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The id of the delivery.
    pub id: &'a str,
    /// The session.
    pub session: &'a str,
    /// The message to answer; a turn of its own answers none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Serial>,
    /// The queued turn to take, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<&'a str>,
    /// The attempt that takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// The time of its cause.
    pub at: Timestamp,
    /// Its trace context (P6.13).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
}

/// The body of `POST …/wake`: everything that was given up, or what is owed for this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskWake {
    /// An input.
    pub input: Option<Serial>,
    /// A turn.
    pub turn: Option<String>,
}

read_fields!(AskWake { input, turn });

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::deployment::Outbound;

    fn agent(json: &str) -> Agent {
        serde_json::from_str(json).unwrap()
    }

    fn deployment() -> Outbound {
        let list = |name: &str| vec![name.to_owned()];
        Outbound {
            has_secret: true,
            bindings: Bindings {
                services: list("BOT"),
                queues: list("JOBS"),
                workflows: list("FLOW"),
            },
            ..Outbound::default()
        }
    }

    /// P10.3: each way, and its target, read back.
    #[test]
    fn an_agent_is_reached_in_one_of_five_ways() {
        let deployment = Outbound {
            has_inboxes: true,
            ..deployment()
        };
        let service = |path: &str| Way::Service {
            binding: "BOT".to_owned(),
            path: path.to_owned(),
        };
        for (json, way) in [
            (
                r#"{"url":"https://a.example/x"}"#,
                Way::Url("https://a.example/x".to_owned()),
            ),
            (r#"{"service":"BOT"}"#, service("/")),
            (
                r#"{"service":"BOT","path":"/wake/me"}"#,
                service("/wake/me"),
            ),
            (r#"{"queue":"JOBS"}"#, Way::Queue("JOBS".to_owned())),
            (r#"{"workflow":"FLOW"}"#, Way::Workflow("FLOW".to_owned())),
            (r#"{"inbox":"b:o/t"}"#, Way::Inbox("b:o/t".to_owned())),
        ] {
            let agent = agent(json);
            assert_eq!(agent.check(deployment.reach()), Ok(()), "{json}");
            assert_eq!(Way::of(&agent.target()), way, "{json}");
            assert_eq!(serde_json::to_string(&agent).unwrap(), json);
        }
    }

    #[test]
    fn an_agent_that_cannot_be_reached_is_refused_by_name() {
        let one = "agent has not exactly one of url, service, queue, workflow and inbox";
        let path = "agent.path is not a path of a service, of at most 2048 characters";
        let secret =
            "agent.token needs SESSILE_WEBHOOK_SECRETS, which the deployment does not have";
        for (json, reason) in [
            ("{}", one),
            (r#"{"queue":"JOBS","workflow":"FLOW"}"#, one),
            (
                r#"{"url":"https://10.0.0.1/"}"#,
                "agent.url: its host is not public",
            ),
            (
                r#"{"queue":"BOT"}"#,
                r#"agent.queue: the deployment has no queue "BOT""#,
            ),
            (r#"{"service":"BOT","path":"x"}"#, path),
            (r#"{"queue":"JOBS","path":"/"}"#, path),
            (
                r#"{"inbox":"bot"}"#,
                "agent.inbox: the deployment has no inboxes",
            ),
            (r#"{"queue":"JOBS","token":true}"#, secret),
        ] {
            assert_eq!(
                agent(json).check(deployment().reach()),
                Err(reason.to_owned()),
                "{json}"
            );
        }
        let unsigned = Outbound::default();
        let reason = agent(r#"{"url":"https://a.example/"}"#).check(unsigned.reach());
        assert!(reason.unwrap_err().starts_with("agent.url needs"));
    }
}
