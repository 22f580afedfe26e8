//! Vehicles: detections and cards to decisions, openings, entries and exits.

use park_core::Result;
use park_core::record::Time;
use park_core::record::gate::{AccessDecision, Decision, GateAction, Reason};
use park_core::stream::Out;

use super::GateFilter;
use crate::desk::Known;
use crate::rules::consensus::Detection;
use crate::rules::decide::{Passing, Verdict, decide};
use crate::rules::vehicle::{Seen, Sign, Vehicle};

/// How long an operator's opening still belongs to the vehicle that was referred to them.
const WAITS: std::time::Duration = std::time::Duration::from_secs(60);

impl GateFilter {
    /// A passage is enough to be told.
    pub(super) fn detected(&mut self, detection: Detection, out: &mut Out) -> Result<()> {
        let Detection { time, detected, corrects } = detection;
        if let Some(before) = corrects {
            // Whoever was let through by the first reading has gone through; one that was not gets a second hearing.
            let waits =
                self.referred.as_ref().is_some_and(|(_, vehicle, ..)| vehicle.plate() == Some(&*before));
            self.count("corrections");
            if !waits {
                return Ok(());
            }
        }
        let stamp = self.stamp(time).source(&detected.camera_id);
        let id = out.emit(&stamp, &detected);
        self.count("passages");
        let seen = Seen { number: detected.plate, confidence: Some(detected.confidence), id: Some(id) };
        self.arrived(Sign::Plate(seen), time, out)
    }

    /// A vehicle is at the gate: decides, records, opens.
    pub(super) fn arrived(&mut self, sign: Sign, time: Time, out: &mut Out) -> Result<()> {
        let caused_by = match &sign {
            Sign::Plate(seen) | Sign::Card(seen) => seen.id.clone(),
        };
        let (vehicle, joined) = self.parts.approach.learn(sign, time);
        let known = self.parts.desk.known(&vehicle, &self.parts.policy, time)?;
        let verdict = decide(&self.parts.policy, &vehicle, known.as_ref().map(|known| &known.stay));
        if verdict.decision != Decision::Allow {
            self.emit_decision(&vehicle, &verdict, known.as_ref(), caused_by, None, time, out);
            self.count(if verdict.decision == Decision::Deny { "denied" } else { "referred" });
            self.referred = Some((time, vehicle, verdict, known));
            return Ok(());
        }
        self.count("allowed");
        self.referred = None;
        if joined && let Some(known) = known.as_ref().filter(|_| verdict.passing == Passing::Again) {
            self.parts.desk.join(known, &vehicle)?;
        }
        let id = self.let_through(&vehicle, &verdict, known.as_ref(), caused_by, time, out)?;
        self.raise(GateAction::Open, self.parts.pulse, &id, out);
        Ok(())
    }

    /// An operator opens: the vehicle that was referred, if it still waits, goes through by their decision.
    pub(super) fn operator_opens(&mut self, request: Option<String>, out: &mut Out) -> Result<String> {
        let now = self.clock.now();
        let waiting = self.referred.take().filter(|(since, ..)| now.since(*since) <= WAITS);
        let Some((_, vehicle, verdict, known)) = waiting else {
            let decision = AccessDecision {
                decision: Decision::Allow,
                reason: Reason::Operator,
                plate: None,
                card: None,
                direction: None,
                list: None,
                session_id: None,
                caused_by: request,
            };
            return Ok(out.emit(&self.stamp(now), &decision));
        };
        let verdict = Verdict { decision: Decision::Allow, reason: Reason::Operator, list: None, ..verdict };
        self.let_through(&vehicle, &verdict, known.as_ref(), request, now, out)
    }

    /// Records a vehicle that is let through; returns the decision's id.
    fn let_through(
        &mut self,
        vehicle: &Vehicle,
        verdict: &Verdict,
        known: Option<&Known>,
        caused_by: Option<String>,
        time: Time,
        out: &mut Out,
    ) -> Result<String> {
        match verdict.passing {
            Passing::Enters => {
                let entry = self.parts.desk.enter(vehicle, time)?;
                let session = Some(entry.session_id.clone());
                let id = self.emit_decision(vehicle, verdict, known, caused_by, session, time, out);
                out.emit(&self.stamp(time), &entry);
                self.count("entries");
                Ok(id)
            }
            Passing::Leaves => {
                let exit = self.parts.desk.leave(vehicle, known, time)?;
                let id = self.emit_decision(vehicle, verdict, known, caused_by, None, time, out);
                out.emit(&self.stamp(time), &exit);
                self.count("exits");
                Ok(id)
            }
            Passing::Again => Ok(self.emit_decision(vehicle, verdict, known, caused_by, None, time, out)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one record, gathered in one place")]
    fn emit_decision(
        &self,
        vehicle: &Vehicle,
        verdict: &Verdict,
        known: Option<&Known>,
        caused_by: Option<String>,
        session: Option<String>,
        time: Time,
        out: &mut Out,
    ) -> String {
        let decision = AccessDecision {
            decision: verdict.decision,
            reason: verdict.reason,
            plate: vehicle.plate().map(str::to_owned),
            card: vehicle.card().map(str::to_owned),
            direction: Some(verdict.direction),
            list: verdict.list.clone(),
            session_id: session.or_else(|| known.map(|known| known.stay.session_id.clone())),
            caused_by,
        };
        out.emit(&self.stamp(time), &decision)
    }
}
