//! Memory that runs out, which ends as a panic does.
//!
//! By itself Rust stops where nothing can be allocated, without a panic and its hook: whoever
//! waits would wait for ever, and every later request would meet an instance that is broken. So
//! the allocator panics, and what cleans up after panics cleans up after this (`panics`). How
//! much there is in all says `build.rs`: less than the platform gives, which ends the whole
//! isolate with everybody in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes that are kept for the way out: to tell what happened takes some, too.
const RESERVE_BYTES: usize = 64 * 1024;

thread_local! {
    static RESERVE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

struct Allocator;

/// Sets something aside, once in the life of a wasm instance.
pub(crate) fn reserve() {
    RESERVE.set(Vec::with_capacity(RESERVE_BYTES));
}

#[expect(unsafe_code, reason = "there is no other way to hear of it")]
// SAFETY: everything is the system's allocator's, and what it gives is passed on.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        there(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        there(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        there(unsafe { System.realloc(memory, layout, size) })
    }
}

#[inline]
fn there(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        exhausted();
    }
    memory
}

#[cold]
#[expect(clippy::panic, reason = "whoever waits is to be told")]
fn exhausted() -> ! {
    // Without it a second time this is the end, as it would have been at first.
    if RESERVE.take().capacity() == 0 {
        std::arch::wasm32::unreachable();
    }
    panic!("the memory is exhausted");
}
