//! RFC 7143 as state machines for target and initiator; no I/O.
