//! What is where: cartridges, slots and drives in redb.
