//! Memory that runs out, which ends as a panic does.
//!
//! By itself Rust stops where an allocation fails, without a panic and its hook: requests in
//! progress would wait forever, and every later one would meet a broken instance. So the allocator
//! panics, and the clean-up after panics (`panics`) applies. `build.rs` sets the total: less than
//! the platform's limit, beyond which the whole isolate ends with everybody in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes kept for the way out: the panic's message takes some, too.
const RESERVE_BYTES: usize = 64 * 1024;

thread_local! {
    static RESERVE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

struct Allocator;

/// Sets the reserve aside, once in the life of a wasm instance.
pub(crate) fn reserve() {
    RESERVE.set(Vec::with_capacity(RESERVE_BYTES));
}

#[expect(unsafe_code, reason = "there is no other way to hear of it")]
// SAFETY: everything is the system's allocator's, and its results are passed on.
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
    // A second failure ends the instance, as the first would have.
    if RESERVE.take().capacity() == 0 {
        std::arch::wasm32::unreachable();
    }
    panic!("the memory is exhausted");
}
