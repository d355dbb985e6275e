//! Words of the tape drive: positions, densities, limits. [SSC-5]

pub mod block_limits;
pub mod density;
pub mod position;
