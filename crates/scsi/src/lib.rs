//! T10 vocabulary: CDBs, sense data, pages, element status, and the SAM task model; no I/O.
