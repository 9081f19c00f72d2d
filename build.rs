//! Arguments that the linker gets for the Worker.

/// Bytes of memory that the wasm may take: what the platform gives an isolate is 128 MiB, with
/// what JavaScript holds. Beyond that it ends the isolate without a word; here a session fails.
const MEMORY_BYTES: usize = 96 * 1024 * 1024;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_ARCH");
    if target.is_ok_and(|target| target == "wasm32") {
        println!("cargo:rustc-link-arg-cdylib=--max-memory={MEMORY_BYTES}");
    }
}
