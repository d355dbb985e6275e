//! What the first block of a file looks like. It is a guess, and no more is said.

/// What it looks like, if it looks like something.
pub(crate) fn like(_block: &[u8]) -> Option<String> {
    None
}
