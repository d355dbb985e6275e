//! What every device server shares: identity, unit attentions, reservations, pages. [SPC-5]
