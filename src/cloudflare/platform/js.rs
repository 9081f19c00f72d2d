//! The calls into JavaScript that `worker` does not bind, or binds so that an exception would
//! tear through the wasm and leave a request hanging. The other side is `glue.js`.

use worker::js_sys::{Array, JsString, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{ReadableStream, Request, WebSocket};

// `catch`, or a result that may be absent, also keeps wasm-bindgen from importing a function
// bare, of which it writes the module's name more than once.
#[wasm_bindgen(module = "/src/cloudflare/platform/glue.js")]
extern "C" {
    /// The names of bindings of services, Queues and Workflows, as JSON.
    #[wasm_bindgen(js_name = bindingsOf, catch)]
    pub(crate) fn bindings_of(env: &JsValue) -> Result<JsValue, JsValue>;

    /// Writes a milestone to the log, if that is wanted, and to the binding of statistics, if there
    /// is one.
    #[wasm_bindgen(js_name = tell, catch)]
    pub(crate) fn tell(env: &JsValue, line: &str, is_logged: bool) -> Result<(), JsValue>;

    /// Resets an object from a later tick.
    #[wasm_bindgen(js_name = abortLater, catch)]
    pub(crate) fn abort_later(ctx: &JsValue, why: &str) -> Result<(), JsValue>;

    /// Whether this `ctx` has had an object before.
    #[wasm_bindgen(js_name = isKnown, catch)]
    pub(crate) fn is_known(ctx: &JsValue) -> Result<bool, JsValue>;

    /// Calls `ring` once; resets the object unless that returns `true`.
    #[wasm_bindgen(js_name = startTimer, catch)]
    pub(crate) fn start_timer(ctx: &JsValue, ring: &JsValue, ms: f64) -> Result<JsValue, JsValue>;

    /// Stops a timer that has not rung.
    #[wasm_bindgen(js_name = stopTimer, catch)]
    pub(crate) fn stop_timer(timer: &JsValue) -> Result<(), JsValue>;

    /// Sets the alarm without waiting: it is part of the rows' commit.
    #[wasm_bindgen(js_name = setAlarm, catch)]
    pub(crate) fn set_alarm(storage: &JsValue, at: f64) -> Result<(), JsValue>;

    /// Stores a number with a WebSocket, to find its connection.
    #[wasm_bindgen(js_name = setSlot, catch)]
    pub(crate) fn set_slot(socket: &WebSocket, number: u32) -> Result<(), JsValue>;

    /// The number stored with a WebSocket.
    #[wasm_bindgen(js_name = slotOf)]
    pub(crate) fn slot_of(socket: &WebSocket) -> Option<u32>;

    /// Sends.
    #[wasm_bindgen(js_name = send, catch)]
    pub(crate) fn send(socket: &WebSocket, text: &str) -> Result<(), JsValue>;

    /// Sends to one of many.
    #[wasm_bindgen(js_name = send, catch)]
    pub(crate) fn send_shared(socket: &WebSocket, text: &JsString) -> Result<(), JsValue>;

    /// The length of a text; nothing for any other value.
    #[wasm_bindgen(js_name = lengthOf)]
    pub(crate) fn length_of(value: &JsValue) -> Option<u32>;

    /// When a socket last sent a text `ping`, which the platform answers by itself.
    #[wasm_bindgen(js_name = pingedAt, catch)]
    pub(crate) fn pinged_at(ctx: &JsValue, socket: &WebSocket) -> Result<Option<f64>, JsValue>;

    /// Unsent bytes, where the platform reports them.
    #[wasm_bindgen(js_name = unsentOf)]
    pub(crate) fn unsent_of(socket: &WebSocket) -> Option<u32>;

    /// Writes a text as UTF-8; returns whether all of it had room.
    #[wasm_bindgen(js_name = encode, catch)]
    fn encode(text: &JsString, bytes: &mut [u8]) -> Result<bool, JsValue>;

    /// Runs one statement; returns all cells, then the number of rows, rows read, rows written.
    #[wasm_bindgen(js_name = query, catch)]
    pub(crate) fn query(sql: &JsValue, statement: &str, params: &str) -> Result<Array, JsValue>;

    /// Runs one statement without rows; returns rows read and rows written in one number.
    #[wasm_bindgen(js_name = run, catch)]
    pub(crate) fn run(sql: &JsValue, statement: &JsString, params: &str) -> Result<f64, JsValue>;

    /// Runs the statement of the hot path, whose parameters cross one by one; `marks` is the length
    /// of the first of two texts.
    #[wasm_bindgen(js_name = grow, catch)]
    pub(crate) fn grow(
        sql: &JsValue,
        statement: &JsString,
        row: f64,
        version: f64,
        seq: f64,
        at: f64,
        texts: &str,
        marks: usize,
    ) -> Result<f64, JsValue>;

    /// The answer to a request, or 500 with `lost` if a panic takes this wasm instance.
    #[wasm_bindgen(js_name = answerOf)]
    pub(crate) fn answer_of(answer: &Promise, lost: &str) -> Promise;

    /// Ends, from a later tick, everything that this wasm instance still had to end, has every
    /// object made anew at its next event, and resets the one that panicked.
    #[wasm_bindgen(js_name = panicked, catch)]
    pub(crate) fn panicked(ctx: &JsValue, why: &str) -> Result<(), JsValue>;

    /// The body of a request as it comes in.
    pub(crate) type Chunks;

    /// Begins to read.
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(body: &ReadableStream) -> Result<Chunks, JsValue>;

    /// The next bytes; `undefined` at the end.
    #[wasm_bindgen(method)]
    pub(crate) fn next(this: &Chunks) -> Promise;

    /// The bytes that have arrived.
    #[wasm_bindgen(method)]
    pub(crate) fn take(this: &Chunks) -> Option<Uint8Array>;

    /// Reads the rest and drops it.
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Chunks);

    /// The body of a response that is still being produced.
    pub(crate) type Pipe;

    /// `stir` is called when the client has left or has taken much; its argument says whether it
    /// left.
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(stir: &JsValue) -> Pipe;

    /// The body.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn stream(this: &Pipe) -> ReadableStream;

    /// Adds to the body; returns the unsent length.
    #[wasm_bindgen(method)]
    pub(crate) fn write(this: &Pipe, text: &str) -> f64;

    /// The unsent length.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn unsent(this: &Pipe) -> f64;

    /// Drops the unsent bytes.
    #[wasm_bindgen(method)]
    pub(crate) fn clear(this: &Pipe);

    /// The body is whole.
    #[wasm_bindgen(method)]
    pub(crate) fn end(this: &Pipe);
}

#[wasm_bindgen]
extern "C" {
    /// The stub of an object.
    pub(crate) type Stub;

    /// Asks the object.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn fetch(this: &Stub, request: &Request) -> Result<Promise, JsValue>;

    /// `ctx.storage`, for the one call that `worker` leaves out.
    pub(crate) type Transactions;

    /// Runs the callback so that all of its writes stand or none.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    pub(crate) fn transaction_sync(
        this: &Transactions,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// The text of an exception, short enough to be kept and sent.
pub(crate) fn describe(error: &JsValue) -> String {
    const LONGEST: usize = 200;
    let message = match error.dyn_ref::<worker::js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error
            .as_string()
            .unwrap_or_else(|| "an unknown exception".to_owned()),
    };
    message.chars().take(LONGEST).collect()
}

/// Texts shorter than this are copied by character: a call costs more.
const SHORT_TEXT: u32 = 1024;

/// Copies a text into the wasm; `None` for any other value.
pub(crate) fn text(value: &JsValue) -> Option<String> {
    copy(value, length_of(value)?)
}

/// Copies a text of known length into the wasm.
pub(crate) fn copy(value: &JsValue, length: u32) -> Option<String> {
    if length < SHORT_TEXT {
        return value.as_string();
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    if encode(value.unchecked_ref(), &mut bytes).unwrap_or(false) {
        return String::from_utf8(bytes).ok();
    }
    value.as_string() // Not all of it is ASCII.
}
