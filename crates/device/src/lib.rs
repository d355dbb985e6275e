//! SCSI device servers for the tape drive and the media changer; no I/O.
