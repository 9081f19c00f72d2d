//! A session as a file or as another session, however long: page by page, with a call to the object
//! for each (P11.6). The loops are in `transfer.js`.

use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::ReadableStream;

use super::asked::Asked;
use crate::cloudflare::call::failed;
use crate::cloudflare::platform::http::{Answer, read_all};
use crate::cloudflare::platform::js::describe;
use crate::protocol::error::ErrorInfo;
use crate::protocol::limits::IMPORT_LINE_BYTES;
use crate::protocol::transfer::fork_of;

#[wasm_bindgen(module = "/src/cloudflare/platform/transfer.js")]
extern "C" {
    /// The answer to an export.
    #[wasm_bindgen(catch)]
    fn exported(env: &JsValue, session: &str, grant: &str) -> Result<Promise, JsValue>;

    /// The answer to an import.
    #[wasm_bindgen(catch)]
    fn imported(
        env: &JsValue,
        session: &str,
        grant: &str,
        body: Option<ReadableStream>,
        longest: usize,
    ) -> Result<Promise, JsValue>;

    /// The answer to a fork.
    #[wasm_bindgen(catch)]
    fn forked(
        env: &JsValue,
        from: &str,
        grant: &str,
        at: Option<&str>,
        session: &str,
        own: &str,
    ) -> Result<Promise, JsValue>;
}

/// Answers `GET …/export`, `PUT …/import` or `POST …/fork`.
///
/// # Errors
/// `invalid-frame` for a fork of no other session; those of its admission there; `internal`, when
/// the runtime fails.
pub(super) async fn serve(asked: &Asked<'_>) -> Result<Answer, ErrorInfo> {
    let (env, request) = (asked.env, asked.request);
    let (session, grant) = (&asked.admitted.place.name, asked.admitted.grant.get());
    let answer = match asked.route.method {
        "GET" => exported(env, session, grant),
        "PUT" => imported(env, session, grant, request.body(), IMPORT_LINE_BYTES),
        _ => {
            let longest = asked.config.limits.frame_bytes();
            let body = read_all(request.body(), longest).await?;
            let (to, at) = fork_of(&body, session)?;
            let own = asked.admitted.elsewhere(env, asked.config, &to).await?;
            forked(env, session, grant, at.as_deref(), &to, own.get())
        }
    };
    let thrown = |error: JsValue| failed("session", &describe(&error));
    let answer = JsFuture::from(answer.map_err(thrown)?).await;
    Ok(answer.map_err(thrown)?.dyn_into())
}
