//! One tape: medium operations on a log of segments.
