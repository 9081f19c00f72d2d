//! The bucket of files (P11.7): R2 at the binding `FILES`, which a deployment may be without.
//!
//! Bodies are streams of the runtime, so all of it is JavaScript: `bucket.js` moves bytes,
//! `files.js` serves requests.

use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response};

use super::platform::js::describe;

#[wasm_bindgen(module = "/src/cloudflare/bucket/files.js")]
extern "C" {
    /// The answer that describes a file, before its address is signed.
    pub(super) type Unsigned;

    /// The claims of the token that signs it.
    #[wasm_bindgen(method, getter)]
    pub(super) fn claims(this: &Unsigned) -> String;

    /// The answer with a token, or without where the deployment makes none.
    #[wasm_bindgen(method, catch)]
    pub(super) fn answer(this: &Unsigned, token: Option<String>) -> Result<Response, JsValue>;

    /// Serves a request in a way; gives a `Response` or an [`Unsigned`].
    #[wasm_bindgen(catch)]
    pub(super) fn serve(
        env: &JsValue,
        request: &Request,
        way: &str,
        session: &str,
        file: &str,
        grant: &str,
        most: f64,
        ms: f64,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/cloudflare/bucket/bucket.js")]
extern "C" {
    #[wasm_bindgen(js_name = remove, catch)]
    fn remove_all(env: &JsValue, prefix: &str, keys: &str, ms: f64) -> Result<Promise, JsValue>;
}

/// Deletes objects: these, as a JSON array of names, or all below a prefix where that is empty.
///
/// # Errors
/// Why not all of them are gone.
pub(super) async fn remove(env: &Env, prefix: &str, keys: &str, ms: u64) -> Result<(), String> {
    let thrown = |error: JsValue| describe(&error).chars().take(200).collect::<String>();
    let promise = remove_all(env, prefix, keys, ms as f64).map_err(thrown)?;
    JsFuture::from(promise).await.map_err(thrown)?;
    Ok(())
}
