//! A search, which first reads for its index what was said since the last one (P11.9).

use crate::protocol::limits::SEARCH_COST_BYTES;
use crate::protocol::search::Search;
use crate::session::context::Context;
use crate::session::engine::Error;

/// `GET …/search`: the newest message first.
pub(crate) fn search(cx: &mut Context<'_>, asked: &Search) -> Result<String, Error> {
    let work = &mut cx.engine;
    let before = work.page_start(asked.before.as_deref())?;
    work.out.made += SEARCH_COST_BYTES;
    let mut is_behind = false;
    if let Some((write, is_more)) = work.store.unsearched()? {
        work.check_room("search")?;
        work.out.made += write.texts_bytes();
        work.write_beside(&[write.into()])?;
        is_behind = is_more;
    }
    let mut found = work.store.found(&asked.words, before, asked.limit + 1)?;
    let has_more = asked.limit < found.len();
    found.truncate(asked.limit);
    for (place, hit) in &mut found {
        hit.insert_str(0, &format!(r#"{{"serial":"{}","#, work.epoch.at(*place)));
    }
    let mut page = work.page("found", (found, has_more));
    if is_behind {
        page.pop();
        page.push_str(r#","behind":true}"#);
    }
    Ok(page)
}
