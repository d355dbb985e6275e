//! The changer behind a logical unit: golden bytes, what clients read from it, and what it answers to nonsense.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod attention;
mod clients;
mod element_status;
mod host;
mod identity;
mod modes;
mod motion;
mod nonsense;
mod search;
