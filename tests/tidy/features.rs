//! The features of the session, and which of them knows which.

/// The files of `src/session` that stand on the features, and what these stand on. Everything else
/// there is a feature.
pub(crate) const FRAME: [&str; 10] = [
    "context", "engine", "frames", "full", "machine", "part", "parts", "reads", "refuse", "request",
];

/// The arrows from one feature to another, and why they are.
pub(crate) const ARROWS: &[(&str, &str, &str)] = &[
    (
        "readers",
        "revocation",
        "a revoked token neither attaches nor renews, and inboxes learn who is attached (P11.5)",
    ),
    (
        "messages",
        "turns",
        "a turn has a leader who alone writes in it, and inputs wait for turns (P6.8, P10.3)",
    ),
    (
        "approvals",
        "turns",
        "a turn waits for what it asked for, and only its leader asks (P8.4, P6.8)",
    ),
    (
        "calls",
        "turns",
        "a turn may wait for its calls, and only its leader makes them (P8.9, P6.8)",
    ),
    (
        "messages",
        "approvals",
        "people answer in words: an input dismisses what an agent asked (P8.7)",
    ),
    (
        "messages",
        "handover",
        "while a person leads, agents say nothing outside of turns (P8.8)",
    ),
    (
        "turns",
        "handover",
        "while a person leads, no turn begins, and inputs wait for the return (P8.8)",
    ),
    (
        "handover",
        "turns",
        "a person may cancel what agents do; on return inputs are queued as turns (P8.8)",
    ),
    (
        "files",
        "deliveries",
        "a file that goes is owed to the bucket (P11.7)",
    ),
    (
        "life",
        "files",
        "the end of a session owes its files (P11.7)",
    ),
    (
        "readers",
        "turns",
        "a page brings the turns that its messages belong to (P6.9)",
    ),
    ("readers", "state", "a snapshot has the shared state (P9.2)"),
    (
        "revocation",
        "inboxes",
        "news for inboxes may have counted on the alarm of a contact (P11.5)",
    ),
    (
        "transfer",
        "revocation",
        "the inboxes of clients whose words an import brings are told (P11.10)",
    ),
    (
        "transfer",
        "state",
        "an imported state must read back before it is there (P11.6)",
    ),
    ("readers", "marks", "a snapshot has the read marks (P9.5)"),
    (
        "readers",
        "usage",
        "a snapshot has the session's usage (P6.12)",
    ),
    (
        "turns",
        "usage",
        "the end of a turn may report usage, and a spent budget lets no turn begin (P6.12)",
    ),
    (
        "usage",
        "turns",
        "a turn's leader reports for it, and a spent budget cancels the open turns (P6.12)",
    ),
    (
        "waking",
        "usage",
        "no agent is woken while the budget is spent (P6.12)",
    ),
    (
        "settings",
        "usage",
        "a budget that is spent already cancels the open turns (P6.12)",
    ),
    (
        "settings",
        "state",
        "a schema that today's state breaks is refused (P9.4)",
    ),
    (
        "turns",
        "deliveries",
        "hooks hear of the end of a turn, and of a lost agent (P10.4)",
    ),
    (
        "approvals",
        "deliveries",
        "hooks hear what is asked, and that it is settled (P10.4)",
    ),
    ("handover", "deliveries", "hooks hear who leads (P10.4)"),
    (
        "waking",
        "deliveries",
        "an agent is woken by a delivery, until it takes what it is owed (P10.3)",
    ),
    (
        "waking",
        "inboxes",
        "the inbox of an agent that cannot be called is owed its work (P15.3)",
    ),
    (
        "messages",
        "waking",
        "an input is owed to an agent, until it is taken or gone (P10.3)",
    ),
    (
        "turns",
        "waking",
        "a turn that waits for an agent is owed, and one that begins was taken (P10.3)",
    ),
    (
        "handover",
        "waking",
        "while a person leads nobody is woken, and inputs wait for the return (P8.8)",
    ),
    (
        "settings",
        "waking",
        "an agent that is set is owed the turns that wait (P10.3)",
    ),
    (
        "life",
        "waking",
        "a session that is deleted owes its inputs to nobody (P10.3)",
    ),
    (
        "life",
        "deliveries",
        "a session that is deleted owes its hooks the news of that (P10.4)",
    ),
    (
        "life",
        "inboxes",
        "a session that is deleted owes its inboxes the news of that (P15)",
    ),
    (
        "life",
        "revocation",
        "the inboxes of all clients that came hear of the end of the session (P11.10)",
    ),
    (
        "inboxes",
        "deliveries",
        "an inbox that is told no more hears of it by a delivery, and waits as one (P10.4)",
    ),
    (
        "messages",
        "inboxes",
        "a client follows the session from its first message on (P15)",
    ),
    (
        "notices",
        "deliveries",
        "the words of an agent for a client that is away are a delivery to its inbox (P10.2)",
    ),
    (
        "readers",
        "notices",
        "a connection that opens may fall silent, and its client is away then (P10.2)",
    ),
    (
        "settings",
        "inboxes",
        "inboxes show the title of a session, which has no place (P11.3)",
    ),
    (
        "marks",
        "inboxes",
        "an inbox shows how much its client has not read (P9.5)",
    ),
];
