//! Stages of the login phase.

use crate::code::codes;

codes! {
    /// Current or next stage (CSG, NSG), 2 bits. [RFC 7143 11.12.3]
    Stage {
        /// SecurityNegotiation.
        SECURITY = 0,
        /// LoginOperationalNegotiation.
        OPERATIONAL = 1,
        /// FullFeaturePhase.
        FULL_FEATURE = 3,
    }
}
