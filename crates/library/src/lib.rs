//! Logical units as actors, and the cartridges between them.
