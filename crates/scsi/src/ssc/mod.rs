//! Words of the tape drive: positions, densities, limits. [SSC-5]
