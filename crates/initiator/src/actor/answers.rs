//! What the target sends, and who hears of it.

use bytes::Bytes;
use capstan_iscsi::pdu::{
    AsyncEvent, Bhs, NopIn, Pdu, RESERVED_TAG, ReadyToTransfer, Reject, TargetNumbers, TaskManagementOutcome,
    TextResponse,
};

use super::Actor;
use crate::InitiatorError;
use crate::framing::Received;
use crate::pending::Pending;

impl Actor {
    /// Takes one PDU.
    pub(super) async fn received(&mut self, received: Received) -> Result<(), InitiatorError> {
        let Received { bhs, data } = received;
        match Pdu::decode(&bhs) {
            Pdu::ScsiResponse(pdu) => {
                self.status(&pdu.numbers);
                if let Some(Pending::Command(transfer)) = self.pending.remove(&pdu.initiator_task_tag) {
                    transfer.respond(&pdu, &data);
                }
            }
            Pdu::DataIn(pdu) => {
                let tag = pdu.initiator_task_tag;
                self.window(&pdu.numbers);
                if pdu.status.is_some() {
                    self.status(&pdu.numbers);
                }
                // Data of a task that was aborted or given up is passed over.
                let Some(Pending::Command(transfer)) = self.pending.get_mut(&tag) else { return Ok(()) };
                if transfer.data_in(&pdu, data)?
                    && let Some(Pending::Command(transfer)) = self.pending.remove(&tag)
                {
                    transfer.complete();
                }
            }
            Pdu::ReadyToTransfer(pdu) => self.ready_to_transfer(&pdu).await?,
            Pdu::NopIn(pdu) => self.nop_in(&pdu, data).await?,
            Pdu::TextResponse(pdu) => self.text_response(&pdu, &data).await?,
            Pdu::TaskManagementResponse(pdu) => {
                self.status(&pdu.numbers);
                self.managed(pdu.initiator_task_tag, pdu.response);
            }
            Pdu::LogoutResponse(pdu) => {
                self.status(&pdu.numbers);
                if let Some(Pending::Logout(reply)) = self.pending.remove(&pdu.initiator_task_tag) {
                    let _ = reply.send(Ok(()));
                    self.logged_out = true;
                }
            }
            Pdu::Reject(pdu) => self.reject(&pdu, &data),
            Pdu::AsyncMessage(pdu) => {
                self.status(&pdu.numbers);
                if matches!(pdu.event, AsyncEvent::CONNECTION_DROPPED | AsyncEvent::SESSION_DROPPED) {
                    return Err(InitiatorError::Closed);
                }
            }
            _ => return Err(InitiatorError::Protocol("a PDU that targets do not send in this phase")),
        }
        Ok(())
    }

    /// Takes the window that any PDU carries.
    fn window(&mut self, numbers: &TargetNumbers) {
        if numbers.max_cmd_sn.wrapping_sub(self.max_cmd_sn) < 1 << 31 {
            self.max_cmd_sn = numbers.max_cmd_sn;
        }
    }

    /// Takes the window and the status number of a PDU that has one.
    fn status(&mut self, numbers: &TargetNumbers) {
        self.window(numbers);
        self.exp_stat_sn = numbers.stat_sn.wrapping_add(1);
    }

    async fn ready_to_transfer(&mut self, pdu: &ReadyToTransfer) -> Result<(), InitiatorError> {
        self.window(&pdu.numbers);
        let Some(Pending::Command(transfer)) = self.pending.get(&pdu.initiator_task_tag) else { return Ok(()) };
        let data = transfer.data_out(pdu.buffer_offset, pdu.desired_data_transfer_length)?;
        self.burst(pdu.lun, pdu.initiator_task_tag, pdu.target_transfer_tag, pdu.buffer_offset, data).await
    }

    async fn nop_in(&mut self, pdu: &NopIn, data: Bytes) -> Result<(), InitiatorError> {
        if pdu.initiator_task_tag != RESERVED_TAG {
            self.status(&pdu.numbers);
            if let Some(Pending::Nop(reply)) = self.pending.remove(&pdu.initiator_task_tag) {
                let _ = reply.send(Ok(data));
            }
            return Ok(());
        }
        self.window(&pdu.numbers);
        if pdu.target_transfer_tag != RESERVED_TAG {
            self.nop_out(pdu.lun, RESERVED_TAG, pdu.target_transfer_tag, &[]).await?;
        }
        Ok(())
    }

    async fn text_response(&mut self, pdu: &TextResponse, data: &[u8]) -> Result<(), InitiatorError> {
        self.status(&pdu.numbers);
        let tag = pdu.initiator_task_tag;
        let Some(Pending::Text { joiner, .. }) = self.pending.get_mut(&tag) else { return Ok(()) };
        joiner.add(data)?;
        if !pdu.is_final {
            let cmd_sn = self.take_cmd_sn();
            return self.text(tag, pdu.lun, pdu.target_transfer_tag, cmd_sn, &[]).await;
        }
        if let Some(Pending::Text { mut joiner, reply }) = self.pending.remove(&tag) {
            let _ = reply.send(Ok(joiner.take()));
        }
        Ok(())
    }

    /// A task management function ended: what it aborted will not be answered. [RFC 7143 11.6.2]
    fn managed(&mut self, tag: u32, response: TaskManagementOutcome) {
        let Some(Pending::Management { aborts, reply }) = self.pending.remove(&tag) else { return };
        if response == TaskManagementOutcome::FUNCTION_COMPLETE {
            let (task, lun) = aborts;
            let aborted = |each: &u32, pending: &mut Pending| match pending {
                Pending::Command(transfer) => {
                    task.is_none_or(|task| task == *each) && lun.is_none_or(|lun| lun == transfer.lun)
                }
                _ => false,
            };
            for (_, pending) in self.pending.extract_if(aborted) {
                pending.fail(InitiatorError::Aborted);
            }
        }
        let _ = reply.send(Ok(response));
    }

    /// The header of what was rejected is in the data segment.
    fn reject(&mut self, pdu: &Reject, data: &[u8]) {
        self.status(&pdu.numbers);
        let Some(bhs) = data.first_chunk().map(|header| Bhs(*header)) else { return };
        if let Some(pending) = self.pending.remove(&bhs.initiator_task_tag()) {
            pending.fail(InitiatorError::Rejected(pdu.reason));
        }
    }
}
