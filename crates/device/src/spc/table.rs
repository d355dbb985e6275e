//! The command table of a device server, and running commands by it.

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{Cdb, Completion, Status};
use capstan_scsi::spc::supported_operation_codes::{SupportedCommand, Timeouts};
use capstan_scsi::{CheckCondition, Opcode, SenseKey};

use super::SpcDevice;
use crate::server::{Begin, Command, DeviceServer, Outcome};

/// What a handler makes of a command.
pub type Reply<S> = Result<Outcome<<S as DeviceServer>::Op>, CheckCondition>;

/// What a command meets while another nexus holds a reservation. [SPC-2 table of commands and reservations]
#[derive(Clone, Copy, Debug)]
pub enum UnderReservation {
    /// RESERVATION CONFLICT.
    Conflict,
    /// It runs.
    Allowed,
    /// It runs if its CDB says so.
    AllowedIf(fn(&Cdb) -> bool),
}

/// State that a command needs before it takes any data.
#[derive(Debug)]
pub struct Requirement<S> {
    /// For the conformance table.
    pub name: &'static str,
    /// The sense data that ends the command while the state is another.
    pub check: fn(&S) -> Result<(), CheckCondition>,
}

impl<S> Clone for Requirement<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Requirement<S> {}

impl<S> Requirement<S> {
    /// It always runs.
    pub const NOTHING: Self = Self { name: "-", check: |_| Ok(()) };
}

/// What a command asks before its data may come.
pub struct Admission<S: DeviceServer> {
    /// The operation that asks for so many bytes.
    pub ask: fn(u32) -> S::Op,
    /// What the answer means: the sense data that ends the command, with nothing transferred, or nothing.
    pub answered: fn(&mut S, &S::OpResult) -> Result<(), CheckCondition>,
}

/// One row of the command table: all that is known of a command, for running it, for REPORT SUPPORTED OPERATION
/// CODES and for the conformance table in the manual.
pub struct CommandSpec<S: DeviceServer> {
    /// OPERATION CODE.
    pub opcode: Opcode,
    /// SERVICE ACTION in CDB byte 1, for operation codes that have several commands.
    pub service_action: Option<u16>,
    /// Name in the standard.
    pub name: &'static str,
    /// CDB USAGE DATA: operation code, then one mask per byte; its length is the CDB's.
    pub usage: &'static [u8],
    /// Command timeouts.
    pub timeouts: Timeouts,
    /// It runs although a unit attention waits, which it neither reports nor clears.
    pub despite_unit_attention: bool,
    /// What it meets while another nexus holds a reservation.
    pub under_reservation: UnderReservation,
    /// State that it needs.
    pub requires: Requirement<S>,
    /// Looks at the CDB, beyond reserved bits, and says how many bytes the command takes from the initiator.
    pub check: fn(&S, &Command) -> Result<u32, CheckCondition>,
    /// What it asks before it takes any bytes.
    pub admission: Option<Admission<S>>,
    /// Runs it.
    pub execute: fn(&mut S, &Command, Bytes) -> Reply<S>,
    /// Goes on after an operation.
    pub resume: fn(&mut S, &Command, S::OpResult) -> Reply<S>,
}

impl<S: DeviceServer> CommandSpec<S> {
    /// A command without data from the initiator and without an operation, that needs nothing and meets conflicts.
    pub const fn new(
        opcode: Opcode,
        name: &'static str,
        usage: &'static [u8],
        execute: fn(&mut S, &Command, Bytes) -> Reply<S>,
    ) -> Self {
        Self {
            opcode,
            service_action: None,
            name,
            usage,
            timeouts: Timeouts { nominal: 0, recommended: 60 },
            despite_unit_attention: false,
            under_reservation: UnderReservation::Conflict,
            requires: Requirement::NOTHING,
            check: no_parameter_list,
            admission: None,
            execute,
            resume: no_operation,
        }
    }

    /// With a service action.
    #[must_use]
    pub const fn service_action(mut self, service_action: u16) -> Self {
        self.service_action = Some(service_action);
        self
    }

    /// With a recommended timeout in seconds.
    #[must_use]
    pub const fn timeout(mut self, recommended: u32) -> Self {
        self.timeouts.recommended = recommended;
        self
    }

    /// Runs although a unit attention waits.
    #[must_use]
    pub const fn despite_unit_attention(mut self) -> Self {
        self.despite_unit_attention = true;
        self
    }

    /// What it meets while another nexus holds a reservation.
    #[must_use]
    pub const fn under_reservation(mut self, rule: UnderReservation) -> Self {
        self.under_reservation = rule;
        self
    }

    /// Needs a state.
    #[must_use]
    pub const fn requires(mut self, requirement: Requirement<S>) -> Self {
        self.requires = requirement;
        self
    }

    /// Looks at its CDB.
    #[must_use]
    pub const fn check(mut self, check: fn(&S, &Command) -> Result<u32, CheckCondition>) -> Self {
        self.check = check;
        self
    }

    /// Asks before it takes any bytes.
    #[must_use]
    pub const fn admission(mut self, admission: Admission<S>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Goes on after an operation.
    #[must_use]
    pub const fn resume(mut self, resume: fn(&mut S, &Command, S::OpResult) -> Reply<S>) -> Self {
        self.resume = resume;
        self
    }

    /// As REPORT SUPPORTED OPERATION CODES reports it.
    #[must_use]
    pub fn supported(&self) -> SupportedCommand {
        SupportedCommand {
            opcode: self.opcode,
            service_action: self.service_action,
            usage: self.usage,
            timeouts: self.timeouts,
        }
    }
}

/// The [`CommandSpec::check`] of commands that take nothing from the initiator.
///
/// # Errors
/// None.
pub fn no_parameter_list<S>(_: &S, _: &Command) -> Result<u32, CheckCondition> {
    Ok(0)
}

fn no_operation<S: DeviceServer>(_: &mut S, _: &Command, _: S::OpResult) -> Reply<S> {
    Err(CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE))
}

/// The commands of a device as REPORT SUPPORTED OPERATION CODES reports them.
#[must_use]
pub fn supported_commands<S: SpcDevice>() -> Vec<SupportedCommand> {
    S::commands().iter().map(CommandSpec::supported).collect()
}

/// [`DeviceServer::begin`] by the table: checks 1 to 4 of the module's order, then what comes next.
///
/// # Errors
/// The completion that ends the command here.
pub fn begin<S: SpcDevice>(server: &mut S, command: &Command) -> Result<Begin<S::Op>, Box<Completion>> {
    let spec = find::<S>(&command.cdb).map_err(check_condition)?;
    command.cdb.check_usage(spec.usage).map_err(check_condition)?;
    let needed = (spec.check)(server, command).map_err(check_condition)?;
    check_attention(server, spec, command).map_err(check_condition)?;
    let allowed = match spec.under_reservation {
        UnderReservation::Conflict => false,
        UnderReservation::Allowed => true,
        UnderReservation::AllowedIf(allowed) => allowed(&command.cdb),
    };
    if !allowed && server.spc().reservation.conflicts(command.nexus) {
        return Err(Box::new(Completion::status(Status::RESERVATION_CONFLICT)));
    }
    (spec.requires.check)(server).map_err(check_condition)?;
    Ok(match &spec.admission {
        Some(admission) if needed > 0 => Begin::Admission { op: (admission.ask)(needed), needed },
        _ => Begin::Data(needed),
    })
}

/// [`DeviceServer::admitted`] by the table.
///
/// # Errors
/// The completion that ends the command here.
pub fn admitted<S: SpcDevice>(server: &mut S, command: &Command, answer: &S::OpResult) -> Result<(), Box<Completion>> {
    let spec = find::<S>(&command.cdb).map_err(check_condition)?;
    spec.admission.as_ref().map_or(Ok(()), |admission| (admission.answered)(server, answer)).map_err(check_condition)
}

/// [`DeviceServer::execute`] by the table.
///
/// While the data of the command was on its way a cartridge may have gone, and another come: what [`begin`] found is
/// looked at again, or a WRITE would go to a cartridge that its host has not heard of.
pub fn execute<S: SpcDevice>(server: &mut S, command: &Command, data: Bytes) -> Outcome<S::Op> {
    let reply = find::<S>(&command.cdb).and_then(|spec| {
        check_attention(server, spec, command)?;
        (spec.requires.check)(server)?;
        (spec.execute)(server, command, data)
    });
    reply.unwrap_or_else(|refused| Outcome::Done(refused.into_completion(Bytes::new())))
}

/// [`DeviceServer::resume`] by the table.
pub fn resume<S: SpcDevice>(server: &mut S, command: &Command, result: S::OpResult) -> Outcome<S::Op> {
    let reply = find::<S>(&command.cdb).and_then(|spec| (spec.resume)(server, command, result));
    reply.unwrap_or_else(|refused| Outcome::Done(refused.into_completion(Bytes::new())))
}

fn check_condition(refused: CheckCondition) -> Box<Completion> {
    Box::new(refused.into_completion(Bytes::new()))
}

/// Takes a unit attention that waits, if the command reports it.
fn check_attention<S: SpcDevice>(
    server: &mut S,
    spec: &CommandSpec<S>,
    command: &Command,
) -> Result<(), CheckCondition> {
    if spec.despite_unit_attention {
        return Ok(());
    }
    let waiting = server.spc_mut().attentions.take(command.nexus);
    waiting.map_or(Ok(()), |asc| Err(CheckCondition::new(SenseKey::UnitAttention, asc)))
}

/// The row of a command.
fn find<S: SpcDevice>(cdb: &Cdb) -> Result<&'static CommandSpec<S>, CheckCondition> {
    let mut known = false;
    for spec in S::commands().iter().filter(|spec| spec.opcode.0 == cdb.opcode()) {
        if spec.service_action.is_none_or(|service_action| service_action == cdb.service_action()) {
            return Ok(spec);
        }
        known = true;
    }
    if known {
        Err(CheckCondition::invalid_field_in_cdb(1, Some(4)))
    } else {
        Err(CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE))
    }
}
