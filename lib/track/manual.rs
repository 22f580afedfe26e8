//! The words of park-track(1) beyond what the flags say.

use park_core::cli::Manual;

/// The manual page's own words.
pub const MANUAL: Manual = Manual {
    description: "\
park-track follows what cameras see of parking slots and what gates say of vehicles, and adds what follows from it: slots that \
changed, how full lots and levels are, the drift between the two counts, violations and alerts. It passes every record on, \
unchanged and in order.

All delays and time-outs are counted in the time of the records, so a recording gives the same answer at any speed, and the same \
records give the same bytes, ids included. When a stream has gone silent, tick records, as park-capture and park-gate \
write them, let time pass.",
    sections: &[
        (
            "Slots",
            "\
A slot that is seen for the first time has at once the state it shows. From then on slot_changed is said when a new state was seen at \
both ends of its delay and nothing to the contrary between; a flicker shorter than that gives nothing. Its since is the first \
frame with the new state. A frame that cannot tell the state neither confirms nor refutes a change; only after --unknown-after \
does the slot become unknown. With --confirm-first the first state waits in the same way, so that somebody who passes as the camera starts is not told; until then the slot counts as unknown. When its camera is silent for --camera-timeout, the slot is unknown with the cause stale.

For pictures that lie further apart than --camera-timeout, such as a time lapse, raise it: otherwise no picture confirms another.",
        ),
        (
            "Counts",
            "\
Where slots are seen, capacity_update and parking_update count slots; places in the lot's capacity that no slot stands for \
are unknown. Where there are gates only, entries less exits are counted; more vehicles than places may then be inside. Where there are \
both, the slots count, by_gates is the gates' count, and occupancy_drift is said when they have differed by more than --drift-tolerance \
for --drift-after, and again when they no longer do. Vehicles that may stand on unknown places are no drift.

A capacity_update of another system, such as a detection back end's, is taken as it is: it counts before what is counted here, and violations and \
alerts follow from it. It is known by its source, which is not the lot. A slot_changed of another system counts at once.

A passage is counted once, however often its record comes.",
        ),
        (
            "Violations and alerts",
            "\
overparking: a contractor of park.toml has more vehicles than are allocated to it, by the slots that are its own or by its plates \
inside, whichever are more; by all that are in the lot, if it has neither slots nor plates. unauthorized_vehicle: a vehicle came in within 10 minutes after it was denied and before it was allowed, or is \
inside and on a list of the denied. capacity_breach: more vehicles than the lot holds. Each is pending when it begins and whenever it \
grows, and resolved when it is over, under one violation_id; the numbers are those of its worst moment.

Alerts are active when they begin and resolved when they end, under one alert_id: capacity_warning (see --warn-at), capacity_breach, \
camera_offline (silent for --camera-timeout, or it says so itself; a recording that ends is neither), violation_detected.",
        ),
        (
            "State",
            "\
With --state, counts, states, violations and alerts survive a restart: nothing of them is said again, and what was counted is not \
counted twice. The file is JSON, replaced as a whole; FILE.lock beside it keeps a second process away. A crash loses nothing that was said, \
and at most 10 seconds of readings that led to nothing yet. The time between two runs is no camera's silence.",
        ),
    ],
    examples: &[
        (
            "The occupancy of a recorded lot",
            "park-capture lot.mp4 | park-detect slots --map lot.json | park-track --lot lot_1 | grep capacity_update",
        ),
        (
            "A lot of 80 places counted by its gates, kept over restarts",
            "park-track --input unix-listen:/run/park/gates.sock --lot lot_1 --capacity 80 --state /var/lib/park/track.json",
        ),
        (
            "How every lot stood at the end of a log",
            "park-track --config park.toml --report < log > /dev/null",
        ),
    ],
    environment: &[("PARK_STATE_DIR", "Where records wait, below queue/, that an output socket does not take.")],
    files: &[("park.toml", "Lots, levels, slots, contractors and lists, see park.toml(5).")],
};
