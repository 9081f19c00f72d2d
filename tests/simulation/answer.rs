//! The answer to a request, among its effects.

use serde_json::Value;
use sessile::session::Effect;

/// Its status and its body.
pub fn answer(effects: Vec<Effect>) -> Option<(u16, Value)> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Respond { status, body } => Some((status, serde_json::from_str(&body).unwrap())),
        _ => None,
    })
}
