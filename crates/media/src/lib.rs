//! The nouns of a tape library: barcodes, elements, positions, medium operations.
