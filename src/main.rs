//! `capstan`: a virtual tape library.
fn main() {}
