//! The decision: who may pass, and why. What the barrier then does is another matter.

use park_core::record::gate::{Decision, Direction, Match, Reason};

use super::lists::{Hit, Lists};
use super::vehicle::Vehicle;

/// Which way vehicles go through the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In only.
    Entry,
    /// Out only.
    Exit,
    /// A vehicle that is inside goes out; any other comes in.
    Both,
}

/// Which of its numbers a vehicle must have on a list to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its plate or its card.
    Any,
    /// Its plate and its card.
    Both,
}

/// Who may pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Which way they go.
    pub way: Way,
    /// The lists of the allowed.
    pub allow: Lists,
    /// The lists of the denied. They win.
    pub deny: Lists,
    /// What becomes of a vehicle on no list.
    pub default: Decision,
    /// Which of its numbers must be listed.
    pub need: Need,
    /// A number this far from a listed one opens too, by the user's own will; without it, it never does.
    pub lookalikes: Option<usize>,
    /// Whether a vehicle that is inside may not come in, even if it is listed.
    pub anti_passback: bool,
}

/// What the sessions know of a vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The session.
    pub session_id: String,
    /// How the vehicle was paired with it.
    pub matched: Match,
    /// Where the vehicle is in its stay.
    pub phase: Phase,
}

/// Where a vehicle is in its stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It came in through this gate moments ago and is still seen there.
    JustEntered,
    /// It is inside.
    Inside,
    /// It went out through this gate moments ago and is still seen there.
    JustLeft,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// The list and line that decided.
    pub list: Option<String>,
    /// Which way the vehicle goes.
    pub direction: Direction,
    /// What there is to record once the vehicle passes.
    pub passing: Passing,
}

/// What a passage means for the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// A session begins.
    Enters,
    /// A session ends, if there is one.
    Leaves,
    /// It is recorded already.
    Again,
}

/// Decides for `vehicle`, of which the sessions know `stay`.
pub fn decide(policy: &Policy, vehicle: &Vehicle, stay: Option<&Stay>) -> Verdict {
    let direction = direction(policy.way, stay);
    let phase = stay.map(|stay| stay.phase);
    let passing = match (direction, phase) {
        (Direction::Entry, None) => Passing::Enters,
        (Direction::Exit, None | Some(Phase::Inside)) => Passing::Leaves,
        _ => Passing::Again,
    };
    let verdict = |decision, reason, hit: Option<Hit>| Verdict {
        decision,
        reason,
        list: hit.map(|hit| hit.at),
        direction,
        passing,
    };
    if let Some(hit) = vehicle.numbers().find_map(|number| policy.deny.exact(number)) {
        return verdict(Decision::Deny, Reason::Denied, Some(hit));
    }
    let listed = vehicle.numbers().find_map(|number| policy.allow.exact(number));
    if listed.is_none()
        && let Some(hit) = alike(&policy.deny, vehicle, 0)
    {
        return verdict(Decision::Refer, Reason::LookAlike, Some(hit));
    }
    if let Some(stay) = stay {
        return inside(policy, stay, direction, listed, verdict);
    }
    let complete = vehicle.numbers().filter(|number| policy.allow.exact(number).is_some()).count() == 2;
    if policy.need == Need::Both && direction == Direction::Entry && !complete {
        return verdict(Decision::Refer, Reason::Uncertain, listed);
    }
    if listed.is_some() {
        return verdict(Decision::Allow, Reason::Allowed, listed);
    }
    if policy.default != Decision::Allow
        && let Some(hit) = alike(&policy.allow, vehicle, policy.lookalikes.unwrap_or(0))
    {
        let opens = policy.lookalikes.is_some_and(|most| hit.distance <= most);
        let decision = if opens { Decision::Allow } else { Decision::Refer };
        return verdict(decision, Reason::LookAlike, Some(hit));
    }
    match direction {
        Direction::Entry => verdict(policy.default, Reason::Unlisted, None),
        Direction::Exit => verdict(policy.default, Reason::NoSession, None),
    }
}

/// Decides for a vehicle that the sessions know.
fn inside(
    policy: &Policy,
    stay: &Stay,
    direction: Direction,
    listed: Option<Hit>,
    verdict: impl Fn(Decision, Reason, Option<Hit>) -> Verdict,
) -> Verdict {
    let exact = stay.matched != Match::LookAlike;
    match (direction, stay.phase) {
        (Direction::Entry, Phase::Inside) => {
            if policy.anti_passback {
                verdict(Decision::Refer, Reason::AlreadyInside, listed)
            } else if listed.is_some() {
                // Its exit was missed; the session that is open goes on.
                verdict(Decision::Allow, Reason::Allowed, listed)
            } else if policy.default == Decision::Allow {
                verdict(Decision::Allow, Reason::AlreadyInside, None)
            } else {
                verdict(Decision::Refer, Reason::AlreadyInside, None)
            }
        }
        _ if exact => verdict(Decision::Allow, Reason::OpenSession, None),
        _ if listed.is_some() => verdict(Decision::Allow, Reason::Allowed, listed),
        _ if policy.lookalikes.is_some() || policy.default == Decision::Allow => {
            verdict(Decision::Allow, Reason::LookAlike, None)
        }
        _ => verdict(Decision::Refer, Reason::LookAlike, None),
    }
}

fn direction(way: Way, stay: Option<&Stay>) -> Direction {
    match (way, stay.map(|stay| stay.phase)) {
        (Way::Entry, _) => Direction::Entry,
        (Way::Exit, _) => Direction::Exit,
        (Way::Both, Some(Phase::Inside | Phase::JustLeft)) => Direction::Exit,
        (Way::Both, Some(Phase::JustEntered) | None) => Direction::Entry,
    }
}

/// The listed number that one of the vehicle's looks like: one character apart, none for a short one, or `most` if
/// that is more.
fn alike(lists: &Lists, vehicle: &Vehicle, most: usize) -> Option<Hit> {
    let near = |number: &str| lists.alike(number, most.max(usize::from(number.chars().count() >= 5)));
    // Cards carry a checksum: one that differs is another card.
    vehicle.plate().and_then(near)
}

#[cfg(test)]
#[path = "tests/decide.rs"]
mod tests;
