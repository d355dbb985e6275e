//! Segments of cartridges on the disk cache.
