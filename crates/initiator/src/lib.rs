//! An iSCSI initiator on tokio, with calls for tapes and changers.
