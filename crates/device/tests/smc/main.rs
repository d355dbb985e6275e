//! The changer behind a logical unit: golden bytes, what clients read from it, and what it answers to nonsense.

mod attention;
mod clients;
mod element_status;
mod host;
mod identity;
mod modes;
mod motion;
mod search;
