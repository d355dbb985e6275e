//! The relationship between one initiator port and one target port.

/// An I_T nexus, numbered by the transport.
///
/// The number stays the same when the same initiator port (for iSCSI: the same name and ISID) logs in again while
/// the process lives, so that unit attentions and reservations follow the port and a reconnection loses nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NexusId(pub u64);

/// Who is at the other end, for logs and the admin command.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InitiatorPort {
    /// Name, for iSCSI the initiator's iSCSI name.
    pub name: String,
    /// What tells ports of one initiator apart, for iSCSI the ISID.
    pub port: [u8; 6],
}
