//! The addresses of a development server (docs/deploy.md), which a deployment has not.

use worker::Env;
use worker::web_sys::Request;

use super::admit::Place;
use super::make;
use crate::cloudflare::call::{Call, Question, as_json};
use crate::cloudflare::platform::config::Config;
use crate::cloudflare::platform::http::{Answer, empty, json, read_all};
use crate::cloudflare::platform::time::now;
use crate::protocol::capability::{Operations, Role};
use crate::protocol::development::{Asked, Asking, TOKEN_MS, read};
use crate::protocol::error::ErrorInfo;
use crate::protocol::routes::RESTART;
use crate::token::Grant;

/// Answers a request for one of these addresses; `None` if it is none, and where there are none.
pub(super) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    authority: &str,
    path: &str,
) -> Option<Result<Answer, ErrorInfo>> {
    if !config.develops {
        return None;
    }
    let header = |name| request.headers().get(name).ok().flatten();
    let (origin, site) = (header("origin"), header("sec-fetch-site"));
    let asked = read(Asking {
        method: &request.method(),
        authority,
        path,
        is_proxied: header("cf-ray").is_some(),
        origin: origin.as_deref(),
        site: site.as_deref(),
    })?;
    Some(match asked {
        Ok(Asked::Token) => token(request, config).await,
        Ok(Asked::Restart(session)) => restart(env, session).await,
        Err(error) => Err(error),
    })
}

async fn token(request: &Request, config: &Config) -> Result<Answer, ErrorInfo> {
    let body = read_all(request.body(), config.limits.frame_bytes()).await?;
    // A token has whole seconds.
    let until = now().saturating_add(TOKEN_MS) / 1000 * 1000;
    let token = config.keys.develop(&body, until, &config.limits).await?;
    let made = format!("{{\"token\":{token:?},\"expiresAt\":{until}}}");
    Ok(json(201, &made))
}

/// Resets the object of a session. An answer that was lost with the object is asked for again: a
/// second reset harms nothing.
async fn restart(env: &Env, session: String) -> Result<Answer, ErrorInfo> {
    let grant = Grant {
        client: "development".to_owned(),
        name: None,
        role: Role::User,
        operations: Operations::of(&[]),
        expires_at: now(),
        issued_at: now(),
    };
    let question = Question {
        method: RESTART.method.to_owned(),
        path: RESTART.path.to_owned(),
        params: Vec::new(),
        pairs: Vec::new(),
    };
    let place = Place {
        binding: "SESSIONS",
        name: session,
        thing: "session",
    };
    let call = Call {
        grant: as_json(&grant),
        ask: question.into(),
    };
    if make::make(env, &place, &call, None).await.is_err() {
        make::make(env, &place, &call, None).await?;
    }
    Ok(empty())
}
