//! The SCSI architecture model: nexuses, tasks, and the two interfaces between a transport and a device server.
//!
//! A transport (the iSCSI portal) hands tasks to a [`TaskRouter`] and is told of progress through the
//! [`TaskObserver`] that it put into each task. Neither side blocks: `submit` queues, the observer's methods are
//! called from whatever thread runs the logical unit and must only queue too. [SAM-5 5, 7]

mod lun;
mod management;
mod nexus;
mod status;
mod task;

pub use lun::Lun;
pub use management::{ManagementFunction, ManagementResponse, TaskManagement};
pub use nexus::{InitiatorPort, NexusId};
pub use status::Status;
pub use task::{Attribute, Cdb, Completion, DataOut, Task, TaskId, TaskObserver, TaskRouter};
