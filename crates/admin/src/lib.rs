//! Server of the admin API.
