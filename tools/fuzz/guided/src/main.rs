//! libFuzzer in front of one target, which the environment names: `FUZZ_TARGET`.
#![no_main]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;
use std::sync::OnceLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

fn target() -> &'static Target {
    static TARGET: OnceLock<&Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        // libfuzzer-sys aborts in its panic hook; some targets catch panics of what they test.
        drop(std::panic::take_hook());
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        fuzz::target(&name).unwrap_or_else(|| {
            eprintln!("FUZZ_TARGET={name:?} is no target");
            std::process::exit(2)
        })
    })
}

fuzz_target!(|data: &[u8]| {
    let target = target();
    if catch_unwind(AssertUnwindSafe(|| (target.run)(data))).is_err() {
        abort();
    }
});
