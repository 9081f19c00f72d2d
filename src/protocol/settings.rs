//! The settings of a session (P11.2).

use serde::Serialize;
use std::ops::RangeInclusive;

use super::agent::Agent;
use super::deployment::Outbound;
use super::error::{ErrorCode, ErrorInfo};
use super::hooks::{self, Hook};
use super::json_error;
use super::limits::{USAGE_NAMES, WINDOW_MS_MAX};
use super::object::{read_fields, words};
use super::usage::Usage;

/// The longest duration that a setting takes, in milliseconds: ten years.
const DURATION_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// Durations of a second or more: a slip of the unit must not empty a session at once.
const LIFE_MS: RangeInclusive<u64> = 1_000..=DURATION_MS_MAX;
/// Rollup windows.
const WINDOW_MS: RangeInclusive<u64> = 0..=WINDOW_MS_MAX;
/// Characters of a title: lists of sessions show it.
const TITLE_LENGTH: usize = 256;

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $range:expr $(, $default:expr)?;)*) => {
        /// The settings of a session; an absent one has its default.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Settings {
            /// The session's display name.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub title: Option<String>,
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<u64>,
            )*
            /// How an input is treated while another one is being answered (P10.3).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub on_input: Option<OnInput>,
            /// The agent to wake for an input (P10.3).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub agent: Option<Agent>,
            /// The JSON Schema that the shared state keeps (P9.4).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub state_schema: Option<serde_json::Value>,
            /// Limits of the session's usage (P6.12).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub budget: Option<Usage>,
            /// The session's hooks, in addition to those of the deployment (P10.4).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub hooks: Option<Vec<Hook>>,
            /// The session that this one was forked from (P11.6); nobody sets it.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub forked_from: Option<serde_json::Value>,
        }

        read_fields!(Settings {
            title,
            $($name as $text,)*
            on_input as "onInput",
            agent,
            state_schema as "stateSchema",
            budget,
            hooks,
            forked_from as "forkedFrom",
        });

        impl Settings {
            $($(
                /// The setting of this name, or its default.
                pub fn $name(&self) -> u64 {
                    self.$name.unwrap_or($default)
                }
            )?)*

            fn check_numbers(&self) -> Result<(), ErrorInfo> {
                $(check_number($text, self.$name, $range)?;)*
                Ok(())
            }
        }
    };
}

settings! {
    /// Messages older than this are trimmed; by default none.
    retention_ms = "retentionMs", LIFE_MS;
    /// The session expires after this long without a write; by default never.
    idle_expiry_ms = "idleExpiryMs", LIFE_MS;
    /// How long ids of frames other than `publish` are kept; a day by default.
    id_retention_ms = "idRetentionMs", LIFE_MS, 24 * 60 * 60 * 1000;
    /// The shortest rollup window of any connection; 0 by default.
    min_rollup_ms = "minRollupMs", WINDOW_MS, 0;
    /// The storage window while nobody reads; 250 by default.
    unwatched_window_ms = "unwatchedWindowMs", WINDOW_MS, 250;
    /// How long a message outside a turn may stream without an append; five minutes by default.
    stream_idle_ms = "streamIdleMs", LIFE_MS, 300_000;
    /// How long the leader of a cancelled turn has to end it (P6.5); five seconds by default.
    cancel_grace_ms = "cancelGraceMs", 0..=DURATION_MS_MAX, 5_000;
    /// How long a presence member may be silent (P7.2); half a minute by default.
    presence_timeout_ms = "presenceTimeoutMs", LIFE_MS, 30_000;
    /// How long a turn may be suspended (P6.1); a week by default.
    suspend_ms = "suspendMs", LIFE_MS, 7 * 24 * 60 * 60 * 1000;
    /// How long a woken agent has to take its input (P10.3); a minute by default.
    take_ms = "takeMs", LIFE_MS, 60_000;
    /// Attempts at a turn before it fails, where agents are woken (P6.1); 3 by default.
    max_attempts = "maxAttempts", 1..=100, 3;
    /// How long the person who leads may be silent (P8.8); a quarter of an hour by default.
    lead_ms = "leadMs", LIFE_MS, 15 * 60 * 1000;
}

/// How an input is treated while a turn that answers another one is active (P10.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInput {
    /// Like any message: agents answer it as they like.
    #[default]
    Parallel,
    /// It waits as a queued turn.
    Queue,
    /// Those turns are cancelled first.
    Interrupt,
    /// It is refused.
    Reject,
    /// It is an instruction to the turn that answers.
    Steer,
}

words!(OnInput {
    Parallel = "parallel",
    Queue = "queue",
    Interrupt = "interrupt",
    Reject = "reject",
    Steer = "steer",
});

impl Settings {
    /// `onInput`, `parallel` by default.
    pub fn on_input(&self) -> OnInput {
        self.on_input.unwrap_or_default()
    }

    /// These settings with a patch applied; `null` resets a setting to its default. `outbound`
    /// decides which hooks and agents the deployment allows.
    ///
    /// # Errors
    /// `invalid-frame`, naming the first setting that is malformed or out of bounds.
    pub fn patched(
        &self,
        patch: &serde_json::Value,
        outbound: &Outbound,
    ) -> Result<Self, ErrorInfo> {
        let Some(patch) = patch.as_object() else {
            return Err(refused("settings is not an object"));
        };
        let own = serde_json::to_string(self).unwrap_or_default();
        let mut merged: serde_json::Value = serde_json::from_str(&own).unwrap_or_default();
        for (key, value) in patch.iter().filter(|(key, _)| *key != "forkedFrom") {
            // Each setting is read alone, so that the error can name it.
            let alone = serde_json::json!({ key: value }).to_string();
            if let Err(error) = serde_json::from_str::<Self>(&alone) {
                return Err(refused(&format!("{key}: {}", json_error::of_part(&error))));
            }
            if let Some(merged) = merged.as_object_mut() {
                merged.insert(key.clone(), value.clone());
            }
        }
        let settings: Self = serde_json::from_str(&merged.to_string()).unwrap_or_default();
        settings.check_texts()?;
        if settings.budget.as_ref().map_or(0, Usage::len) > USAGE_NAMES {
            return Err(refused(&format!(
                "budget has more than {USAGE_NAMES} names"
            )));
        }
        settings.check_numbers()?;
        // A target that the deployment no longer allows must not block other settings.
        if settings.hooks != self.hooks {
            settings.check_hooks(outbound)?;
        }
        if settings.agent != self.agent
            && let Some(agent) = &settings.agent
        {
            agent
                .check(outbound.reach())
                .map_err(|reason| refused(&reason))?;
        }
        Ok(settings)
    }

    fn check_hooks(&self, outbound: &Outbound) -> Result<(), ErrorInfo> {
        let hooks = self.hooks.as_deref().unwrap_or_default();
        if !hooks.is_empty() && !outbound.has_secret {
            let reason = "hooks needs SESSILE_WEBHOOK_SECRETS, which the deployment does not have";
            return Err(refused(reason));
        }
        hooks::check(hooks, outbound.allows_local).map_err(|reason| refused(&reason))
    }

    fn check_texts(&self) -> Result<(), ErrorInfo> {
        let title = self.title.as_deref().unwrap_or_default();
        if TITLE_LENGTH < title.chars().count() {
            return Err(refused(&format!(
                "title is longer than {TITLE_LENGTH} characters"
            )));
        }
        Ok(())
    }
}

fn check_number(
    name: &str,
    value: Option<u64>,
    range: RangeInclusive<u64>,
) -> Result<(), ErrorInfo> {
    if value.is_none_or(|value| range.contains(&value)) {
        return Ok(());
    }
    let (least, most) = range.into_inner();
    let unit = if name.ends_with("Ms") { " ms" } else { "" };
    Err(refused(&format!(
        "{name} is not between {least} and {most}{unit}"
    )))
}

fn refused(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidFrame,
        format!("unable to change the settings; {reason}"),
    )
}
