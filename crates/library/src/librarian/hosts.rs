//! What hosts ask of the changer.

use capstan_device::smc::{ChangerOp, ChangerResult};
use capstan_media::MoveRefused;

use super::actor::{Current, LibrarianActor};
use super::job::Job;
use super::request::Work;
use super::robot::{Owner, RobotJob};
use crate::unit::Progress;
use crate::view::DriveState;

impl LibrarianActor {
    /// The changer's task set wants something performed: an answer at once, or a job in its turn.
    pub(super) fn host_op(&mut self, op: ChangerOp) {
        let mut next = Some(op);
        while let Some(op) = next.take() {
            let ChangerOp::ReadElements { kind, start, count } = op else {
                self.waiting.push_back((Work::Host(op), None));
                return;
            };
            let gauges = &self.drives;
            let threaded = |drive: u16| {
                let post = gauges.get(usize::from(drive));
                post.is_some_and(|post| post.gauge.state() == DriveState::Loaded)
            };
            let elements = self.inventory.elements(kind, start, count, threaded);
            if let Progress::Perform(op) = self.unit.resume(ChangerResult::Elements(elements)) {
                next = Some(op);
            }
        }
    }

    /// Begins the job of a host.
    pub(super) fn host_move(&mut self, op: ChangerOp) {
        let plan = match op {
            ChangerOp::Move { source, destination } => self.inventory.plan_move(source, destination),
            ChangerOp::Exchange { source, first_destination, second_destination } => {
                self.inventory.plan_exchange(source, first_destination, second_destination)
            }
            ChangerOp::ReadElements { .. } => return self.host_op(op),
        };
        match plan {
            Ok(plan) => {
                self.stop_reading(&plan);
                let job = Job::relocate(&plan);
                self.current = Some(Current::robot(RobotJob::new(job, Some(plan), Owner::Host)));
            }
            Err(refused) => self.host_moved(Err(refused)),
        }
    }

    /// Answers the command.
    pub(super) fn host_moved(&mut self, moved: Result<(), MoveRefused>) {
        let result = match moved {
            Ok(()) => ChangerResult::Moved,
            Err(refused) => ChangerResult::Refused(refused),
        };
        if let Progress::Perform(op) = self.unit.resume(result) {
            self.host_op(op);
        }
    }
}
