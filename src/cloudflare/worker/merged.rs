//! A client's inbox together with that of its role (P15.1): two objects, one answer or one
//! connection. Both objects may sleep while the connection is open, which is the Worker's.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures::join;
use worker::wasm_bindgen_futures::spawn_local;
use worker::worker_sys::WebSocketPair;

use super::asked::Asked;
use super::link::{Link, Said};
use super::refuse::Shape;
use crate::cloudflare::call::{as_json, failed};
use crate::cloudflare::platform::http::{Answer, json, read_all};
use crate::cloudflare::platform::js::describe;
use crate::cloudflare::platform::time::within;
use crate::cloudflare::platform::upgrade::{ends, upgraded};
use crate::machine::Carrier;
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::{join as array, split};
use crate::protocol::inbox::{self, Attach, Page, list_answer};
use crate::protocol::inbox_merge::{First, merged_contents, merged_first, merged_pages, placed};
use crate::protocol::news::ItemKind;

/// Milliseconds until both objects have accepted a connection, at most.
const FIRST_MS: u64 = 30_000;
/// The close code of a connection that ended without one of the protocol: its client reconnects.
const AGAIN: u16 = 1011;

/// Answers a read by both inboxes.
///
/// # Errors
/// `internal` when an object fails.
pub(super) async fn answer(asked: &Asked<'_>, role: &str) -> Result<Answer, ErrorInfo> {
    let (own, other) = join!(asked.ask(None), asked.ask_another(role));
    let (own, other) = (own?, other?);
    for answer in [&own, &other] {
        if answer.status() != 200 {
            return Ok(Ok(answer.clone().map_err(|error| thrown(&error))?));
        }
    }
    let own = read_all(own.body(), usize::MAX).await?;
    let other = read_all(other.body(), usize::MAX).await?;
    let kind = match asked.route.path {
        "/v1/sessions" => Some(ItemKind::Session),
        "/v1/approvals" => Some(ItemKind::Approval),
        _ => None,
    };
    let merged = match kind {
        None => merged_contents(&own, &other),
        Some(kind) => {
            let limit = Page::read(kind, asked.pairs)?.limit;
            let page = merged_pages(kind, &own, &other, limit);
            page.map(|(items, next)| list_answer(kind, &items, next.as_deref()))
        }
    };
    let merged = merged.ok_or_else(|| failed("inbox", "its answer cannot be read"))?;
    Ok(json(200, &merged))
}

/// Opens one connection to both inboxes.
///
/// # Errors
/// `internal` when an object fails.
pub(super) async fn connect(asked: &Asked<'_>, role: &str) -> Result<Answer, ErrorInfo> {
    let mut attach = inbox::attach(asked.pairs);
    let (client, server) = WebSocketPair::new()
        .and_then(ends)
        .map_err(|error| thrown(&error))?;
    let has_protocol = matches!(asked.shape, Shape::Socket { has_protocol: true });
    let mut pair = Pair::open(asked, role, &attach).await?;
    let first = match pair.first().await? {
        Begun::Apart => {
            attach.since = None;
            pair = Pair::open(asked, role, &attach).await?;
            pair.first().await?
        }
        first => first,
    };
    let client_link = Link::listen(server).map_err(|error| thrown(&error))?;
    spawn_local(async move {
        let code = match first {
            Begun::With(frame) => {
                client_link.send(&frame);
                pair.bridge(client_link).await
            }
            Begun::Refused(frame, code) => {
                if let Some(frame) = frame {
                    client_link.send(&frame);
                }
                client_link.close(code);
                return;
            }
            Begun::Apart => {
                client_link.close(AGAIN);
                return;
            }
        };
        if let Some((link, code)) = code {
            link.close(code);
        }
    });
    Ok(upgraded(&client, has_protocol))
}

fn thrown(error: &worker::wasm_bindgen::JsValue) -> ErrorInfo {
    failed("inbox", &describe(error))
}

/// A connection to each of both inboxes.
struct Pair {
    own: Link,
    role: Link,
    serials: [String; 2],
}

/// How the connections begin.
enum Begun {
    With(String),
    /// One of them is refused: its last frame, and its close code.
    Refused(Option<String>, u16),
    Apart,
}

/// One thing that happens to a pair and its client.
enum Event {
    Own(Said),
    Role(Said),
    Client(Said),
}

impl Pair {
    async fn open(asked: &Asked<'_>, role: &str, attach: &Attach) -> Result<Self, ErrorInfo> {
        let (own, other) = join!(
            asked.open(Carrier::Socket, as_json(attach)),
            asked.open_another(role, Carrier::Socket, as_json(attach))
        );
        Ok(Self {
            own: Link::of(&own?)?,
            role: Link::of(&other?)?,
            serials: [String::new(), String::new()],
        })
    }

    /// Waits for the first frame of both.
    async fn first(&mut self) -> Result<Begun, ErrorInfo> {
        let both = async { (next(&mut self.own).await, next(&mut self.role).await) };
        let both = within(Duration::from_millis(FIRST_MS), both).await;
        let (own, role) = both.ok_or_else(|| failed("inbox", "it did not answer in time"))?;
        let (own, role) = match (own, role) {
            (Said::Text(own), Said::Text(role)) => (own, role),
            (Said::Closed(code), _) | (_, Said::Closed(code)) => {
                return Ok(Begun::Refused(None, code));
            }
        };
        Ok(match merged_first(&own, &role) {
            First::Merged(frame, serials) => {
                self.serials = serials;
                Begun::With(frame)
            }
            First::Apart => Begun::Apart,
            First::Other => {
                let own_is_refused = !own.starts_with("{\"type\":\"inbox\"");
                let (text, link) = match own_is_refused {
                    true => (own, &mut self.own),
                    false => (role, &mut self.role),
                };
                match next(link).await {
                    Said::Closed(code) => Begun::Refused(Some(text), code),
                    Said::Text(_) => Begun::Refused(Some(text), AGAIN),
                }
            }
        })
    }

    /// Passes on everything until the end; returns the client's end and the code to close it with,
    /// unless the client left.
    async fn bridge(mut self, mut client: Link) -> Option<(Link, u16)> {
        loop {
            let event = poll_fn(|context| {
                if let Poll::Ready(said) = client.poll(context) {
                    return Poll::Ready(Event::Client(said));
                }
                if let Poll::Ready(said) = self.own.poll(context) {
                    return Poll::Ready(Event::Own(said));
                }
                self.role.poll(context).map(Event::Role)
            });
            match event.await {
                Event::Client(Said::Closed(_)) => return None,
                // P7.2: answered without waking anybody.
                Event::Client(Said::Text(text)) if text == "ping" => client.send("pong"),
                Event::Client(Said::Text(text)) => {
                    self.own.send(&text);
                    self.role.send(&text);
                }
                Event::Own(Said::Text(text)) => self.pass_on(&client, &text, 0),
                Event::Role(Said::Text(text)) => self.pass_on(&client, &text, 1),
                Event::Own(Said::Closed(code)) | Event::Role(Said::Closed(code)) => {
                    let is_of_protocol = (4000..5000).contains(&code);
                    return Some((client, if is_of_protocol { code } else { AGAIN }));
                }
            }
        }
    }

    /// Passes on the frames of one inbox. The client's own one alone answers its frames.
    fn pass_on(&mut self, client: &Link, text: &str, index: usize) {
        let mut frames = Vec::new();
        for frame in split(text) {
            let frame = frame.get();
            let is_answer = ["{\"type\":\"ack\"", "{\"type\":\"nack\""]
                .iter()
                .any(|answer| frame.starts_with(answer));
            if index == 0 || !is_answer {
                frames.push(placed(frame, &mut self.serials, index));
            }
        }
        if !frames.is_empty() {
            client.send(&array(&frames));
        }
    }
}

async fn next(link: &mut Link) -> Said {
    poll_fn(|context| link.poll(context)).await
}
