//! Failures injected by tests (feature `faults`): never part of a deployment.

#[cfg(feature = "faults")]
use crate::protocol::decode::ClientFrame;
use crate::protocol::decode::Received;

/// Fails where a test asks for it.
#[cfg(feature = "faults")]
#[expect(clippy::panic, reason = "that is the fault")]
pub(super) fn provoke(frames: &[Received]) {
    let is_fault = |received: &Received| {
        matches!(&received.frame, Ok(ClientFrame::Signal(signal))
            if signal.name == "sessile.fault.panic")
    };
    if frames.iter().any(is_fault) {
        panic!("a test asked for it");
    }
    let is_greedy = |received: &Received| {
        matches!(&received.frame, Ok(ClientFrame::Signal(signal))
            if signal.name == "sessile.fault.memory")
    };
    if frames.iter().any(is_greedy) {
        let much: Vec<u8> = vec![1; 1 << 30];
        drop(std::hint::black_box(much));
    }
}

/// Only where a test asks for it.
#[cfg(not(feature = "faults"))]
pub(super) fn provoke(_: &[Received]) {}
