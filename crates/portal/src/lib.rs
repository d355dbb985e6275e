//! The iSCSI target portal on tokio.
