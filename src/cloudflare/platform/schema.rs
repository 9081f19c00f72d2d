//! Judging values by schemas, through `@cfworker/json-schema` in `schema.js`
//! (`docs/decisions/0012`).

use worker::wasm_bindgen::prelude::*;

use crate::protocol::schema::{
    BREACHES, Breach, CHECK_STEPS, Judge, NAME_LENGTH, REASON_LENGTH, Schema,
};

#[wasm_bindgen(module = "/src/cloudflare/platform/schema.js")]
extern "C" {
    /// The first pattern that JavaScript does not take, as a breach in JSON.
    #[wasm_bindgen(catch)]
    fn admit(schema: &str) -> Result<Option<String>, JsValue>;

    /// The breaches of a value as JSON.
    #[wasm_bindgen(catch)]
    fn check(
        schema: &str,
        value: &str,
        steps: u32,
        breaches: usize,
        reason_length: usize,
        name_length: usize,
    ) -> Result<String, JsValue>;
}

/// The judge of every object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlatformJudge;

impl Judge for PlatformJudge {
    fn admit(&self, schema: &Schema) -> Result<(), Breach> {
        match admit(schema.as_str()) {
            Ok(None) => Ok(()),
            Ok(Some(breach)) => {
                Err(serde_json::from_str(&breach).unwrap_or_else(|_| uncheckable()))
            }
            Err(_) => Err(uncheckable()),
        }
    }

    fn check(&self, schema: &Schema, value: &str) -> Vec<Breach> {
        let found = check(
            schema.as_str(),
            value,
            CHECK_STEPS,
            BREACHES,
            REASON_LENGTH,
            NAME_LENGTH,
        );
        let found = found.ok().and_then(|json| serde_json::from_str(&json).ok());
        found.unwrap_or_else(|| vec![uncheckable()])
    }
}

/// `schema.js` answers whatever happens in it; a value that nobody could check does not pass.
fn uncheckable() -> Breach {
    Breach::of_all("it could not be checked")
}
