//! What can be asked for.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Row {
    /// One and ten drives, three block sizes, write and read.
    Throughput,
    /// Of it: one drive, for the processor time that a server takes.
    Cpu,
    /// Of it: ten drives at the largest block, for the memory that a server takes.
    Memory,
    /// With CRC32C digests and without.
    Digests,
    /// Many small blocks of fixed length in a command.
    Fixed,
    /// Pings while the disk is busy.
    Nop,
    /// From the start of the daemon to the first login.
    Start,
    /// LOCATE on a tape of many blocks.
    Locate,
    /// A TCP stream, for orientation.
    Iperf,
}

impl Row {
    pub(super) const ALL: [Self; 9] = [
        Self::Throughput,
        Self::Cpu,
        Self::Memory,
        Self::Digests,
        Self::Fixed,
        Self::Nop,
        Self::Start,
        Self::Locate,
        Self::Iperf,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Digests => "digests",
            Self::Fixed => "fixed",
            Self::Nop => "nop",
            Self::Start => "start",
            Self::Locate => "locate",
            Self::Iperf => "iperf",
        }
    }
}
