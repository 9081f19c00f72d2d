//! The frames of approvals: requests, decisions, withdrawals (P8.1, P8.2).

use super::approval::{Asked, Choice, Decision, Escalation, Kind, OnDeadline, OnMessage, Verdict};
use super::asking::{addressees, count, is_there, refused, text, wait};
use super::data::Data;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::grant::Scope;
use super::limits::{
    ANSWER_BYTES, APPROVAL_BYTES, APPROVAL_ESCALATIONS, APPROVAL_OPTIONS, COMMENT_LENGTH,
    DESCRIPTION_LENGTH, Limits, TITLE_LENGTH,
};
use super::size::size;
use crate::ordered::{Set, sort_by_number};

/// `approval.request` (P8.1).
#[derive(Debug)]
pub struct RequestApproval {
    /// The approval's id, which makes a resend safe.
    pub id: Option<String>,
    /// The turn that waits for it.
    pub turn: Option<String>,
    /// The attempt at the turn (P6.8).
    pub attempt: Option<u64>,
    /// The request.
    pub asked: Asked,
    /// Milliseconds until its deadline.
    pub deadline_ms: Option<u64>,
    /// More assignees, the earliest first.
    pub escalate: Vec<Escalation>,
}

/// `approval.decide` (P8.2).
#[derive(Debug)]
pub struct DecideApproval {
    /// The approval.
    pub approval: String,
    /// The decision.
    pub decision: Decision,
    /// The option that is taken.
    pub option: Option<String>,
    /// The data of the answer.
    pub data: Option<Data>,
    /// A comment.
    pub comment: Option<String>,
    /// How far it is remembered (P8.6).
    pub scope: Option<Scope>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

impl DecideApproval {
    /// The outcome that it decides.
    pub fn verdict(self) -> Verdict {
        Verdict {
            decision: Some(self.decision),
            option: self.option,
            answer: self.data,
            comment: self.comment,
            scope: self.scope,
        }
    }
}

/// `approval.withdraw` (P8.2).
#[derive(Debug)]
pub struct WithdrawApproval {
    /// The approval.
    pub approval: String,
    /// The attempt at its turn (P6.8).
    pub attempt: Option<u64>,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

fn options(fields: &Fields<'_>, limits: &Limits) -> Result<Vec<Choice>, ErrorInfo> {
    const NAME: &str = "options";
    if !is_there(fields, NAME) {
        return Ok(Vec::new());
    }
    let items = fields.list(NAME)?;
    count(fields, NAME, items.len(), APPROVAL_OPTIONS)?;
    let mut ids = Set::new();
    let mut options = Vec::with_capacity(items.len());
    for item in items {
        let id = item.need_name("id", limits)?;
        if !ids.insert(id.clone()) {
            return Err(refused(
                fields,
                &format!("{} repeats {id:?}", fields.at(NAME)),
            ));
        }
        let label = text(&item, "label", TITLE_LENGTH)?;
        let Some(label) = label else {
            let place = item.at("label");
            return Err(refused(fields, &format!("{place} is missing")));
        };
        let data = item.get("data")?;
        options.push(Choice { id, label, data });
    }
    Ok(options)
}

/// Escalations in the order of their times.
fn escalations(fields: &Fields<'_>, limits: &Limits) -> Result<Vec<Escalation>, ErrorInfo> {
    const NAME: &str = "escalate";
    if !is_there(fields, NAME) {
        return Ok(Vec::new());
    }
    let items = fields.list(NAME)?;
    count(fields, NAME, items.len(), APPROVAL_ESCALATIONS)?;
    let mut escalations = Vec::with_capacity(items.len());
    for item in items {
        let after_ms = wait(&item, "afterMs")?;
        let assignees = addressees(&item, "assignees", limits)?;
        let (Some(after_ms), false) = (after_ms, assignees.is_empty()) else {
            let place = fields.at(NAME);
            let reason = format!("each of {place} has afterMs and assignees");
            return Err(refused(fields, &reason));
        };
        escalations.push(Escalation {
            after_ms,
            assignees,
        });
    }
    sort_by_number(&mut escalations, |escalation| escalation.after_ms);
    Ok(escalations)
}

/// The effect of the deadline, if it fits the kind and its options.
fn on_deadline(
    fields: &Fields<'_>,
    kind: Kind,
    options: &[Choice],
    has_deadline: bool,
) -> Result<OnDeadline, ErrorInfo> {
    const NAME: &str = "onDeadline";
    let chosen: OnDeadline = fields.get(NAME)?.unwrap_or_default();
    let fits = match &chosen {
        OnDeadline::Expire => true,
        OnDeadline::Approve | OnDeadline::Reject => kind == Kind::Approval,
        OnDeadline::Option(id) => options.iter().any(|option| option.id == *id),
    };
    let place = fields.at(NAME);
    if !fits {
        let reason = format!(
            "{place} is expire, of an approval reject or approve, of a question {{\"option\": ID}} \
             with one of its options"
        );
        return Err(refused(fields, &reason));
    }
    if chosen != OnDeadline::Expire && !has_deadline {
        return Err(refused(fields, &format!("{place} needs deadlineMs")));
    }
    Ok(chosen)
}

fn asked(fields: &Fields<'_>, limits: &Limits, has_deadline: bool) -> Result<Asked, ErrorInfo> {
    let kind: Kind = fields.get("kind")?.unwrap_or_default();
    let options = options(fields, limits)?;
    if kind == Kind::Approval && !options.is_empty() {
        return Err(refused(fields, "options are for kind question"));
    }
    let grant = fields.name("grant", limits)?;
    if kind == Kind::Question && grant.is_some() {
        return Err(refused(fields, "grant is for kind approval"));
    }
    let Some(title) = text(fields, "title", TITLE_LENGTH)? else {
        return Err(refused(fields, "title is missing"));
    };
    let asked = Asked {
        kind,
        title,
        description: text(fields, "description", DESCRIPTION_LENGTH)?,
        data: fields.get("data")?,
        schema: fields.get("schema")?,
        assignees: addressees(fields, "assignees", limits)?,
        on_deadline: on_deadline(fields, kind, &options, has_deadline)?,
        on_message: fields.get("onMessage")?.unwrap_or(OnMessage::Keep),
        grant,
        options,
    };
    let of_options = asked
        .options
        .iter()
        .filter_map(|option| option.data.as_ref());
    let data = asked.data.iter().chain(&asked.schema).chain(of_options);
    let bytes = data.map(Data::json_bytes).sum();
    size(
        fields.verb(),
        "data and schema",
        Some(bytes),
        APPROVAL_BYTES,
    )?;
    Ok(asked)
}

impl FromFields for RequestApproval {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let deadline_ms = wait(fields, "deadlineMs")?;
        Ok(Self {
            id: fields.name("id", limits)?,
            turn: fields.name("turn", limits)?,
            attempt: fields.count("attempt")?,
            asked: asked(fields, limits, deadline_ms.is_some())?,
            deadline_ms,
            escalate: escalations(fields, limits)?,
        })
    }
}

impl FromFields for DecideApproval {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let data: Option<Data> = fields.get("data")?;
        let bytes = data.as_ref().map(Data::json_bytes);
        size(fields.verb(), "data", bytes, ANSWER_BYTES)?;
        Ok(Self {
            approval: fields.need_name("approval", limits)?,
            decision: fields.need("decision")?,
            option: fields.name("option", limits)?,
            data,
            comment: text(fields, "comment", COMMENT_LENGTH)?,
            scope: fields.get("scope")?,
            id: fields.name("id", limits)?,
        })
    }
}

impl FromFields for WithdrawApproval {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            approval: fields.need_name("approval", limits)?,
            attempt: fields.count("attempt")?,
            id: fields.name("id", limits)?,
        })
    }
}
