//! How much memory something takes: an allocator that counts, for each thread on its own.
//!
//! "No allocation follows an unchecked length" is a promise that only counting can test: a machine with memory enough
//! does not notice 16 MiB that a header of 48 bytes asked for.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn add(size: usize) {
    // A thread that ends has no counters any more, and nobody asks.
    let _ = NOW.try_with(|now| {
        now.set(now.get().wrapping_add(size));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

/// What another thread allocated may be freed here: the count is of this thread, so it stops at zero.
fn remove(size: usize) {
    let _ = NOW.try_with(|now| now.set(now.get().saturating_sub(size)));
}

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(new_size);
        remove(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// Runs `work`; its result, and how many bytes it had allocated at most at one time.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.get();
    let outer = PEAK.replace(before);
    let result = work();
    let peak = PEAK.get();
    PEAK.set(outer.max(peak));
    (result, peak.saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_allocated_and_freed_again_is_counted() {
        let (kept, peak) = peak_of(|| {
            drop(Vec::<u8>::with_capacity(100_000));
            Vec::<u8>::with_capacity(1000)
        });
        assert_eq!(kept.capacity(), 1000);
        assert_eq!(peak, 100_000);
        assert_eq!(peak_of(|| ()).1, 0);
    }
}
