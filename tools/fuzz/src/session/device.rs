//! A device that gives back what it gets, when the script lets it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::pdu::TaskManagementOutcome;
use capstan_iscsi::target::{
    Answer, Authentication, Command, Connection, Event, ProtocolError, Refusal, TargetRecord, TaskTag,
};

use super::TRANSFER;
use super::initiator::pattern;
use crate::script::Script;

/// The handle of every session.
const TSIH: u16 = 7;

/// Commands that it has, and what became of the others.
#[derive(Debug, Default)]
pub(super) struct Device {
    held: VecDeque<Held>,
    managing: VecDeque<Managing>,
    /// Every name that was ever given to a command.
    names: BTreeSet<u64>,
    /// What was answered and is not yet seen by the initiator, by initiator task tag: oldest first.
    pub(super) answered: BTreeMap<u32, VecDeque<Answered>>,
    /// Commands that a function has aborted.
    aborted: BTreeSet<u64>,
    logged_out: bool,
    /// The bytes of the connection were changed on their way: data is what came, not what was meant.
    pub(super) distrusts: bool,
}

/// A command that the device has.
#[derive(Clone, Debug)]
struct Held {
    command: Command,
    /// Data so far.
    data: Vec<u8>,
    /// It asked for more and waits.
    asked: bool,
}

/// A function that is not answered, and the commands that it aborts.
#[derive(Clone, Debug)]
struct Managing {
    tag: u64,
    aborts: Vec<TaskTag>,
}

/// An answer on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answered {
    pub(super) status: u8,
    pub(super) data: Bytes,
    /// Bytes that the initiator is ready to take.
    pub(super) limit: u32,
    /// Bytes that the command wanted from the initiator.
    pub(super) data_out_length: u32,
    pub(super) announced: Announced,
}

/// What a command announced to move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Announced {
    /// So much to the target.
    Out(u32),
    /// To the initiator, or nothing.
    In,
    /// Whatever: it was not run.
    Refused,
}

/// The initiator task tag that a name was made of.
fn itt(TaskTag(tag): TaskTag) -> u32 {
    u32::try_from(tag & 0xffff_ffff).expect("32 bits")
}

impl Device {
    /// Commands and functions that are not answered.
    pub(super) fn held(&self) -> usize {
        self.held.iter().filter(|held| !held.asked).count() + self.managing.len()
    }

    pub(super) fn take(&mut self, target: &mut Connection, now: Instant, event: Event) -> Result<(), ProtocolError> {
        assert!(!self.logged_out, "{event:?} after the logout");
        match event {
            Event::Identify(identity) => {
                assert!((1..=223).contains(&identity.initiator_name.len()));
                let known = identity.initiator_name != "iqn.nobody";
                return target.identified(known.then_some(Authentication::None).ok_or(LoginStatus::NOT_FOUND));
            }
            Event::Proof { .. } => return target.examine(Ok(())),
            Event::Establish => return target.establish(now, Ok(TSIH)),
            Event::Command(command) => {
                assert!(self.names.insert(command.tag.0), "handed out twice");
                assert!(command.data_out_expected <= TRANSFER && command.data_in_limit <= TRANSFER);
                let data = command.data_out.to_vec();
                assert!(data.len() <= usize::try_from(command.data_out_expected).expect("32 bits"));
                self.check_data(command.tag, 0, &data);
                // Another command with this tag is taken once nothing more comes of the one before.
                self.answered.remove(&itt(command.tag));
                self.held.push_back(Held { command, data, asked: false });
            }
            Event::Refused { tag, refusal } => {
                assert!(self.names.insert(tag.0), "handed out twice");
                self.answered.remove(&itt(tag));
                assert!(matches!(refusal, Refusal::LongCdb | Refusal::Bidirectional | Refusal::TooLong));
                let sense = Bytes::from_static(&[0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]);
                self.answer(target, tag, Answer { status: 2, sense, ..Answer::default() }, None);
            }
            Event::DataOut { tag, data, .. } => {
                let held = self.held.iter_mut().find(|held| held.command.tag == tag);
                let Some(held) = held else {
                    // Two functions may be after one command: it is here until the second is answered too.
                    assert!(self.aborted.contains(&tag.0), "data for a command that nobody has");
                    return Ok(());
                };
                assert!(held.asked, "data that nobody asked for");
                held.asked = false;
                let at = held.data.len();
                held.data.extend_from_slice(&data);
                let expected = usize::try_from(held.command.data_out_expected).expect("32 bits");
                assert!(held.data.len() <= expected);
                self.check_data(tag, at, &data);
            }
            Event::Manage(request) => {
                let all = self.held.iter().map(|held| held.command.tag);
                let aborts = all.filter(|tag| request.task.is_none_or(|task| task == *tag)).collect();
                self.managing.push_back(Managing { tag: request.tag, aborts });
            }
            Event::SendTargets(_) => {
                let addresses = vec!["127.0.0.1:3260,1".to_owned(), "[::1]:3260,1".to_owned()];
                let record = |number| TargetRecord { name: format!("iqn.t{number}"), addresses: addresses.clone() };
                target.send_targets(&[record(1), record(2), record(3)]);
            }
            Event::Rejected { .. } => {}
            Event::LoggedOut => {
                self.logged_out = true;
                self.answered.clear();
            }
        }
        Ok(())
    }

    fn check_data(&self, tag: TaskTag, at: usize, data: &[u8]) {
        assert!(self.distrusts || data == pattern(itt(tag), at, data.len()), "other bytes than were sent");
    }

    /// Does what the script says with one of the commands.
    pub(super) fn work(&mut self, target: &mut Connection, script: &mut Script<'_>) {
        let choice = script.byte();
        if choice & 0x0f == 0x0f {
            if let Some(managing) = self.managing.pop_front() {
                self.managed(target, &managing, choice & 0x10 == 0);
            }
            return;
        }
        if self.held.is_empty() {
            return;
        }
        let index = usize::from(choice >> 4) % self.held.len();
        let held = &mut self.held[index];
        match choice & 3 {
            0 if !held.asked => {
                held.asked = true;
                let came = held.command.data_out.len();
                let more = came < usize::try_from(held.command.data_out_expected).expect("32 bits");
                if choice & 8 != 0 && more && held.data.len() == came {
                    // To have it in one piece with what is asked for.
                    held.data.clear();
                }
                let received = u32::try_from(held.data.len()).expect("small");
                target.need_data(held.command.tag, received, u32::from(script.u16() % 12_000));
            }
            1 => {
                let held = self.held.remove(index).expect("just looked at");
                let data = Bytes::from(vec![0xd5; usize::from(script.u16() % 10_000)]);
                let status = if script.flag() { 0 } else { 2 };
                let sense = if status == 0 { Bytes::new() } else { Bytes::from_static(&[0x70; 18]) };
                let wanted = u32::from(script.byte()) * 40;
                let answer = Answer { status, sense, data_in: data, data_out_length: wanted };
                self.answer(target, held.command.tag, answer, Some(&held.command));
            }
            _ if !held.asked => {
                let held = self.held.remove(index).expect("just looked at");
                self.echo(target, held);
            }
            _ => {}
        }
    }

    /// Answers everything that does not wait for data; whether there was anything.
    pub(super) fn work_all(&mut self, target: &mut Connection) -> bool {
        let (waiting, ready): (VecDeque<Held>, VecDeque<Held>) =
            std::mem::take(&mut self.held).into_iter().partition(|held| held.asked);
        self.held = waiting;
        let functions = std::mem::take(&mut self.managing);
        let worked = !ready.is_empty() || !functions.is_empty();
        for held in ready {
            self.echo(target, held);
        }
        for managing in functions {
            self.managed(target, &managing, true);
        }
        worked
    }

    fn echo(&mut self, target: &mut Connection, held: Held) {
        let mut data = held.data;
        let wanted = u32::try_from(data.len()).expect("small");
        if held.command.data_in_limit > 0 {
            data = pattern(itt(held.command.tag), 0, usize::try_from(held.command.data_in_limit).expect("32 bits"));
        }
        let answer = Answer { data_in: data.into(), data_out_length: wanted, ..Answer::default() };
        self.answer(target, held.command.tag, answer, Some(&held.command));
    }

    /// Ends a command; `None` for one that was not run.
    fn answer(&mut self, target: &mut Connection, tag: TaskTag, answer: Answer, command: Option<&Command>) {
        if !self.logged_out {
            let announced = match command {
                None => Announced::Refused,
                Some(command) if command.data_out_expected > 0 => Announced::Out(command.data_out_expected),
                Some(_) => Announced::In,
            };
            let answered = Answered {
                status: answer.status,
                data: answer.data_in.clone(),
                limit: command.map_or(0, |command| command.data_in_limit),
                data_out_length: answer.data_out_length,
                announced,
            };
            self.answered.entry(itt(tag)).or_default().push_back(answered);
        }
        target.complete(tag, answer.clone());
        // A second answer is one too many, and is dropped.
        target.complete(tag, answer);
    }

    fn managed(&mut self, target: &mut Connection, managing: &Managing, done: bool) {
        let Managing { tag, aborts } = managing;
        if done {
            self.held.retain(|held| !aborts.contains(&held.command.tag));
            self.aborted.extend(aborts.iter().map(|tag| tag.0));
        }
        let outcome =
            if done { TaskManagementOutcome::FUNCTION_COMPLETE } else { TaskManagementOutcome::FUNCTION_REJECTED };
        target.managed(*tag, outcome);
        target.managed(*tag, outcome);
    }
}
