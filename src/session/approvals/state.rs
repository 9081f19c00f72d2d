//! Approvals that are pending, and grants, in memory.

use crate::ordered::Map;
use crate::protocol::approval::Approval;
use crate::protocol::grant::Grant;

/// An approval that is pending, in memory.
#[derive(Debug)]
pub(crate) struct PendingApproval {
    pub(crate) approval: Approval,
    /// Bytes of its row when it was asked for.
    pub(crate) bytes: usize,
}

impl PendingApproval {
    pub(crate) fn new(approval: Approval) -> Self {
        let bytes = serde_json::to_string(&approval).map_or(0, |body| body.len());
        Self { approval, bytes }
    }
}

/// The approvals that are pending, by id.
pub(crate) type Approvals = Map<String, PendingApproval>;

/// The grants that are in force, in the order of their approvals.
pub(crate) type Grants = Vec<Grant>;
