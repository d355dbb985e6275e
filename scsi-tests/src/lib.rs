//! Conformance runner for tape libraries over iSCSI.
