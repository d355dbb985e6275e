//! Byte layouts of segments and cartridge metadata: encode and decode only; no I/O.
