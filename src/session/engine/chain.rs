//! Broken chains: frames are taken in order or not at all (P13.8).

use serde::{Deserialize, Serialize};

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::CHAINS_MAX;

/// The chains that broke on one connection, or in one request; the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chains(Vec<u64>);

impl Chains {
    /// Whether no broken chain is known.
    pub fn are_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets a frame pass, unless its chain broke before it.
    pub(crate) fn check<T>(
        &self,
        chain: Option<u64>,
        frame: Result<T, ErrorInfo>,
    ) -> Result<T, ErrorInfo> {
        match chain.filter(|chain| self.0.contains(chain)) {
            None => frame,
            Some(chain) => {
                let message =
                    format!("unable to take the frame; one before it in chain {chain} was refused");
                Err(ErrorInfo::new(ErrorCode::Skipped, message))
            }
        }
    }

    /// A frame was refused: the rest of its chain is refused too.
    pub(crate) fn end(&mut self, chain: Option<u64>) {
        let Some(chain) = chain.filter(|chain| !self.0.contains(chain)) else {
            return;
        };
        self.0.push(chain);
        if CHAINS_MAX < self.0.len() {
            self.forget_one();
        }
    }

    /// Forgets the chain that broke longest ago.
    pub(crate) fn forget_one(&mut self) {
        self.0.drain(..self.0.len().min(1));
    }
}
