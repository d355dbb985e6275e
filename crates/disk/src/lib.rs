//! Files and the rules of fsync.
