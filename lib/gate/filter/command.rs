//! Commands to the gate, and its answers.

use std::time::Duration;

use park_core::Result;
use park_core::record::command::{Fault, GateControl, GateControlResponse};
use park_core::record::gate::{GateAction, GateState, SystemStatus};
use park_core::record::{Envelope, Payload, encode};
use park_core::stream::{Origin, Out};
use park_core::{Error, Kind};

use super::GateFilter;

/// The longest that a gate is opened for by one command; a hold is for longer.
const LONGEST: f64 = 3600.0;

impl GateFilter {
    /// Moves the barrier, if the command is for this gate and can be followed, and answers.
    pub(super) fn gate_control(
        &mut self,
        record: &Envelope<'_>,
        origin: &Origin,
        out: &mut Out,
    ) -> Result<()> {
        let control: GateControl = self.payload(record)?;
        let gate = control.gate_id.as_deref().or(record.gate_id.as_deref());
        if !self.is_ours(gate) {
            let message = format!("this is gate {}, not {}", self.gate(), gate.unwrap_or_default());
            self.refuse(record, origin, &message, out);
            return Ok(());
        }
        let pulse = match control.duration {
            None => self.parts.pulse,
            Some(seconds) if seconds > 0.0 && seconds <= LONGEST => Duration::from_secs_f64(seconds),
            Some(seconds) => {
                self.rejected += 1;
                return Err(Error::new(
                    Kind::BadInput,
                    format!("a gate cannot be opened for {seconds} seconds; 0 to {LONGEST}"),
                ));
            }
        };
        self.count("commands");
        let request = record.id.as_ref().map(|id| id.as_str().to_owned());
        let message = self.follow(control.action, pulse, &control, request.clone(), out)?;
        let response = GateControlResponse {
            action: control.action,
            success: message.is_none(),
            gate_status: self.gate_status().map_or(GateState::Closed, |status| status.state),
            message: message.map(str::to_owned),
            request_id: request,
        };
        self.answer(&response, origin, out);
        Ok(())
    }

    /// Does as commanded; says why not if it cannot.
    fn follow(
        &mut self,
        action: GateAction,
        pulse: Duration,
        control: &GateControl,
        request: Option<String>,
        out: &mut Out,
    ) -> Result<Option<&'static str>> {
        match &self.parts.barrier {
            None => return Ok(Some("this gate has no barrier")),
            Some(barrier) if !barrier.is_linked() => return Ok(Some("the barrier cannot be reached")),
            Some(_) => {}
        }
        let cause = match action {
            GateAction::Open | GateAction::Hold => self.operator_opens(request, out)?,
            _ => format!("operator {}", control.operator.as_deref().unwrap_or("unnamed")),
        };
        self.raise(action, pulse, &cause, out);
        Ok(None)
    }

    /// Gives the barrier an order, if there is one.
    pub(super) fn raise(&mut self, action: GateAction, pulse: Duration, cause: &str, out: &mut Out) {
        let at = self.barrier_time();
        if self.stopping && matches!(action, GateAction::Open | GateAction::Hold) {
            return;
        }
        if let Some(barrier) = &mut self.parts.barrier {
            let (done, told) = barrier.order(action, pulse, cause, at);
            self.tell(told, out);
            if !done {
                self.count("unreachable");
            }
        }
    }

    /// Says the state of everything.
    pub(super) fn say_status(&mut self, origin: &Origin, out: &mut Out) {
        if let Some(status) = self.gate_status() {
            self.answer(&status, origin, out);
        }
        let hardware = self.hardware_now();
        self.answer(&hardware, origin, out);
        self.hardware = Some(hardware);
        let status = SystemStatus {
            command: self.parts.context.command().to_owned(),
            version: self.parts.context.version().to_owned(),
            status: if self.stopping { "stopping" } else { "running" }.to_owned(),
            records: self.records,
            rejected: self.rejected,
            counters: park_core::stream::Filter::counters(self),
        };
        self.answer(&status, origin, out);
    }

    /// Answers a command that is not followed by an `error` record.
    pub(super) fn refuse(&mut self, record: &Envelope<'_>, origin: &Origin, message: &str, out: &mut Out) {
        let fault = Fault {
            message: message.to_owned(),
            command: self.parts.context.command().to_owned(),
            input: Some(origin.peer.name().to_owned()),
            line: Some(origin.line),
            request_id: record.id.as_ref().map(|id| id.as_str().to_owned()),
        };
        self.answer(&fault, origin, out);
    }

    /// Writes an answer into the stream, and to whoever asked if they do not read that.
    fn answer<P: Payload>(&mut self, payload: &P, origin: &Origin, out: &mut Out) {
        let stamp = self.stamp(self.clock.now());
        out.emit(&stamp, payload);
        if origin.peer.is_control() && !origin.peer.is_output() {
            let mut line = Vec::new();
            encode(&stamp, payload, &mut line);
            origin.peer.reply(&line);
        }
    }
}
