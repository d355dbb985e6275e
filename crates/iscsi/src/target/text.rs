//! Text in the full feature phase: discovery, and the few keys that may be declared at any time.
//! [RFC 7143 11.10, C]

use bytes::Bytes;

use super::connection::Connection;
use super::event::{Event, TargetQuery, TargetRecord};
use super::transmit::Urgent;
use crate::pdu::{Bhs, RESERVED_TAG, RejectReason, TargetNumbers, TextRequest, TextResponse};
use crate::text::{Joiner, Key, NOT_UNDERSTOOD, REJECT, TextBuilder, TextError, name, number, pairs};

/// Text that is taken in one negotiation step, bytes.
pub const TEXT_LIMIT: usize = 16 << 10;

/// A text exchange, one at a time: a new one takes the place of one that was left.
#[derive(Debug)]
pub(super) struct TextExchange {
    joiner: Joiner,
    /// The tag with which the initiator goes on; reserved while it has nothing to go on with.
    target_transfer_tag: u32,
    /// The request that is being answered.
    current: Option<(TextRequest, bool)>,
    reply: TextBuilder,
    /// What of the reply is not sent yet.
    rest: Bytes,
}

impl TextExchange {
    pub(super) fn new() -> Self {
        Self {
            joiner: Joiner::new(TEXT_LIMIT),
            target_transfer_tag: RESERVED_TAG,
            current: None,
            reply: TextBuilder::new(),
            rest: Bytes::new(),
        }
    }
}

impl Connection {
    /// A Text Request with its text is there. `numbered`: it took a CmdSN.
    pub(super) fn text_request(&mut self, bhs: Bhs, pdu: &TextRequest, data: &[u8], numbered: bool) {
        if pdu.target_transfer_tag == RESERVED_TAG {
            self.text = TextExchange::new();
        } else if pdu.target_transfer_tag != self.text.target_transfer_tag {
            return self.reject(bhs, RejectReason::INVALID_PDU_FIELD, numbered);
        }
        let valid = !(pdu.is_final && pdu.continues) && self.text.joiner.add(data).is_ok();
        if !valid {
            self.text = TextExchange::new();
            return self.reject(bhs, RejectReason::PROTOCOL_ERROR, numbered);
        }
        self.text.current = Some((*pdu, numbered));
        if pdu.continues || !self.text.rest.is_empty() {
            return self.reply_text();
        }
        let text = self.text.joiner.take();
        match self.answer_text(&text) {
            Ok(None) => self.finish_text(),
            Ok(Some(query)) => self.events.push_back(Event::SendTargets(query)),
            Err(_) => {
                self.text = TextExchange::new();
                self.reject(bhs, RejectReason::PROTOCOL_ERROR, numbered);
            }
        }
    }

    /// The targets that [`Event::SendTargets`] asked for; none where there is none to tell of.
    pub fn send_targets(&mut self, targets: &[TargetRecord]) {
        if self.text.current.is_none() {
            return;
        }
        for target in targets {
            self.text.reply.push(name::TARGET_NAME, &target.name);
            for address in &target.addresses {
                self.text.reply.push(name::TARGET_ADDRESS, address);
            }
        }
        self.finish_text();
    }

    /// Answers all pairs but a question for targets, which is returned.
    fn answer_text(&mut self, text: &[u8]) -> Result<Option<TargetQuery>, TextError> {
        let mut query = None;
        for pair in pairs(text) {
            let pair = pair?;
            let answer = match pair.key {
                name::SEND_TARGETS if query.is_none() => match self.target_query(pair.value) {
                    Some(targets) => {
                        query = Some(targets);
                        None
                    }
                    None => Some(REJECT),
                },
                name::INITIATOR_ALIAS => None,
                key if key == Key::MaxRecvDataSegmentLength.name() => self.redeclare(pair.value),
                key if key == name::SEND_TARGETS || Key::of(key).is_some() => Some(REJECT),
                _ => Some(NOT_UNDERSTOOD),
            };
            if let Some(answer) = answer {
                self.text.reply.push(pair.key, answer);
            }
        }
        Ok(query)
    }

    /// What SendTargets asks for: all only in a discovery session, the session's own only in a normal one.
    fn target_query(&self, value: &str) -> Option<TargetQuery> {
        match (value, self.session.discovery) {
            ("All", true) => Some(TargetQuery::All),
            ("", false) => Some(TargetQuery::Own),
            ("All", false) | ("", true) => None,
            (named, _) => Some(TargetQuery::Named(named.to_owned())),
        }
    }

    /// The initiator changes what it takes. [RFC 7143 13.12]
    fn redeclare(&mut self, value: &str) -> Option<&'static str> {
        match number(value) {
            Some(length) if (512..=0x00ff_ffff).contains(&length) => {
                self.session.max_send_data_segment_length = length;
                None
            }
            _ => Some(REJECT),
        }
    }

    fn finish_text(&mut self) {
        self.text.rest = std::mem::take(&mut self.text.reply).finish();
        self.reply_text();
    }

    /// Sends as much of the reply as the initiator takes in one PDU.
    fn reply_text(&mut self) {
        let Some((pdu, numbered)) = self.text.current.take() else { return };
        let limit = usize::try_from(self.session.max_send_data_segment_length).unwrap_or(usize::MAX);
        let length = self.text.rest.len().min(limit);
        let text = if pdu.continues { Bytes::new() } else { self.text.rest.split_to(length) };
        let continues = !pdu.continues && !self.text.rest.is_empty();
        let is_final = pdu.is_final && !continues;
        self.text.target_transfer_tag = if is_final { RESERVED_TAG } else { self.transfer_tag() };
        let response = TextResponse {
            is_final,
            continues,
            lun: [0; 8],
            initiator_task_tag: pdu.initiator_task_tag,
            target_transfer_tag: self.text.target_transfer_tag,
            numbers: TargetNumbers::default(),
        };
        self.queue(Urgent::Text { response, text, numbered });
    }
}
