//! The flags of `park-gate`, and the command itself.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap::{Args, ValueEnum};
use park_core::Result;
use park_core::cli::{Command, Context, IoArgs, Manual, Seconds};
use park_core::record::gate::Decision;
use park_core::site::List;
use park_core::stream::{End, Endpoint, Policy as Queueing, Session, Setup};
use park_store::Store;

use crate::desk::Desk;
use crate::filter::{GateFilter, Parts};
use crate::hardware::barrier::Barrier;
use crate::hardware::port::{self, Device};
use crate::hardware::{BarrierName, SerialName};
use crate::rules::consensus::{self, Consensus};
use crate::rules::decide::{Need, Policy, Way};
use crate::rules::lists::Lists;
use crate::rules::vehicle::Approach;

pub(crate) const READS: &[&str] = &[
    "plates",
    "plate_detected",
    "card_detected",
    "camera_status",
    "gate_control",
    "request_status",
    "camera_control",
    "tick",
];

/// The command `park-gate`.
#[derive(Debug)]
pub struct Gate;

/// The flags of `park-gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// The gate; its records carry this name.
    #[arg(long, value_name = "ID", env = "GATE_ID", default_value = "gate")]
    gate: Name,

    /// The lot that the gate leads to.
    #[arg(long, value_name = "ID")]
    lot: Option<Name>,

    /// Keep the sessions in the SQLite database PATH; without it, in memory.
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,

    /// Heed only this camera (repeatable). By default every camera in the stream.
    #[arg(long, value_name = "ID")]
    camera: Vec<String>,

    /// Which way vehicles go. Both ways, one that is inside goes out and any other comes in.
    #[arg(long, value_enum, value_name = "WAY", default_value = "both")]
    direction: DirectionArg,

    /// Let through the plates and cards in FILE (repeatable): one a line, `#` begins a comment.
    #[arg(long, value_name = "FILE", help_heading = "Decision")]
    allow: Vec<PathBuf>,

    /// Never let through the plates and cards in FILE (repeatable).
    #[arg(long, value_name = "FILE", help_heading = "Decision")]
    deny: Vec<PathBuf>,

    /// What becomes of a vehicle on no list. By default it is referred to an operator, but a gate that has neither a
    /// barrier nor a list to let through only watches, and lets everybody through.
    #[arg(long, value_enum, value_name = "DECISION", help_heading = "Decision")]
    default: Option<DefaultArg>,

    /// Open for a plate that differs from a listed one by up to N characters as well, not counting characters that look
    /// alike (0 and O, 8 and B). Without this, such a plate is referred.
    #[arg(long, value_name = "N", help_heading = "Decision")]
    allow_lookalikes: Option<usize>,

    /// Which of its numbers must be listed for a vehicle to come in.
    #[arg(long, value_enum, value_name = "NUMBERS", default_value = "any", help_heading = "Decision")]
    need: NeedArg,

    /// Refer a vehicle that wants to come in and is inside already, even if it is listed.
    #[arg(long, help_heading = "Decision")]
    anti_passback: bool,

    /// Take a plate and a card that come within SECONDS of each other for one vehicle.
    #[arg(long, value_name = "SECONDS", default_value = "5", help_heading = "Decision")]
    join: Seconds,

    /// Take a vehicle seen again within SECONDS of its passage for the one that passed.
    #[arg(long, value_name = "SECONDS", default_value = "10", help_heading = "Decision")]
    again: Seconds,

    /// Count only readings at least this certain, 0 to 1.
    #[arg(long, value_name = "CONFIDENCE", default_value = "0.5", value_parser = share, help_heading = "Plates")]
    min_confidence: f64,

    /// Believe a plate when N frames agree on it.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Plates")]
    agree: u32,

    /// End a passage when its plate was not read for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "2", help_heading = "Plates")]
    gap: Seconds,

    /// The barrier: none (decisions only), sim (simulated, in event time) or serial:DEVICE[@BAUD].
    #[arg(long, value_name = "BARRIER", default_value = "none", help_heading = "Devices")]
    barrier: BarrierName,

    /// Open the barrier for MS milliseconds.
    #[arg(long, value_name = "MS", default_value = "5000", value_parser = clap::value_parser!(u64).range(1..=3_600_000), help_heading = "Devices")]
    pulse: u64,

    /// Read cards from an RDM6300 or ID-12 at serial:DEVICE[@BAUD]. The gate then runs until it is stopped.
    #[arg(long, value_name = "READER", help_heading = "Devices")]
    reader: Option<SerialName>,

    /// Take commands (`gate_control`, `request_status`) from ENDPOINT (repeatable) and answer there.
    #[arg(long, value_name = "ENDPOINT", help_heading = "Streams")]
    control: Vec<Endpoint>,

    /// With --backend-port: report to a park-serve on HOST as the controller of this gate and take its commands, besides
    /// writing to standard output. Only where no --output is given.
    #[arg(long, value_name = "HOST", env = "BACKEND_HOST", help_heading = "Streams")]
    backend_host: Option<String>,

    /// The port of the park-serve; 8000 where only the host is given.
    #[arg(long, value_name = "PORT", env = "BACKEND_PORT", help_heading = "Streams")]
    backend_port: Option<u16>,

    #[command(flatten)]
    io: IoArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DirectionArg {
    Entry,
    Exit,
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DefaultArg {
    Allow,
    Deny,
    Refer,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NeedArg {
    Any,
    Both,
}

/// The name of a gate or lot: it becomes part of addresses and file names.
#[derive(Debug, Clone)]
struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if text.is_empty() || text.len() > 64 || !text.chars().all(good) || text.starts_with('.') {
            return Err("a name has letters, digits, `_`, `-` and `.` only".to_owned());
        }
        Ok(Name(text.to_owned()))
    }
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| "not between 0 and 1".to_owned())
}

impl Command for Gate {
    const NAME: &'static str = "park-gate";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Decide who passes a gate, work its barrier, record entries and exits";
    const READS: &'static [&'static str] = READS;
    const WRITES: &'static [&'static str] = &[
        "plate_detected",
        "card_detected",
        "access_decision",
        "gate_status",
        "parking_entry",
        "parking_exit",
        "hardware_status",
        "system_status",
        "gate_control_response",
    ];
    const MANUAL: Manual = MANUAL;
    type Args = GateArgs;

    fn run(args: GateArgs, context: &Context) -> Result<End> {
        let gate = args.gate.0.clone();
        let store = match &args.db {
            Some(path) => Store::open(path)?,
            None => Store::in_memory()?,
        };
        let (allow, deny) = (args.allow.clone(), args.deny.clone());
        let policy = with_lists(&policy(&args), &allow, &deny)?;

        let mut io = args.io.clone();
        let backend = args.backend_host.is_some() || args.backend_port.is_some();
        if backend && io.output.is_empty() {
            let host = args.backend_host.as_deref().unwrap_or("127.0.0.1");
            let port = args.backend_port.unwrap_or(8000);
            io.output =
                vec![Endpoint::Stdio, Endpoint::Ws(format!("ws://{host}:{port}/ws/controller/{gate}"))];
        }
        let setup = Setup {
            controls: args.control.clone(),
            policy: Queueing::Disk(context.state_dir().join(format!("gate-{gate}"))),
            ..Setup::default()
        };
        let mut session = Session::open(&io, &setup, context)?;
        let (barrier, devices) = devices(&args, context);
        if args.reader.is_some() {
            // A reader is an input that does not end.
            session.injector(true);
        }
        let live = devices.is_some() || backend || !args.control.is_empty();
        let parts = Parts {
            context: context.clone(),
            desk: Desk { store, gate, lot: args.lot.map(|lot| lot.0), again: args.again.0 },
            policy,
            lists: Box::new(move |old| with_lists(old, &allow, &deny)),
            cameras: args.camera,
            consensus: Consensus::new(consensus::Settings {
                min_confidence: args.min_confidence,
                agree: args.agree,
                gap: args.gap.0,
            }),
            approach: Approach::new(args.join.0),
            pulse: Duration::from_millis(args.pulse),
            barrier,
            reader: args.reader.map(|reader| reader.path),
            devices,
            live,
        };
        session.run(&mut GateFilter::new(parts))
    }
}

/// The policy that the flags say, without its lists.
fn policy(args: &GateArgs) -> Policy {
    let watches = args.barrier == BarrierName::None && args.allow.is_empty();
    let default = match args.default {
        Some(DefaultArg::Allow) => Decision::Allow,
        Some(DefaultArg::Deny) => Decision::Deny,
        Some(DefaultArg::Refer) => Decision::Refer,
        None if watches => Decision::Allow,
        None => Decision::Refer,
    };
    Policy {
        way: match args.direction {
            DirectionArg::Entry => Way::Entry,
            DirectionArg::Exit => Way::Exit,
            DirectionArg::Both => Way::Both,
        },
        allow: Lists::default(),
        deny: Lists::default(),
        default,
        need: match args.need {
            NeedArg::Any => Need::Any,
            NeedArg::Both => Need::Both,
        },
        lookalikes: args.allow_lookalikes,
        anti_passback: args.anti_passback,
    }
}

/// The same policy with the lists as their files are now.
fn with_lists(policy: &Policy, allow: &[PathBuf], deny: &[PathBuf]) -> Result<Policy> {
    let all = |paths: &[PathBuf]| {
        paths.iter().map(|path| List::read(path)).collect::<Result<Vec<List>>>().map(Lists)
    };
    Ok(Policy { allow: all(allow)?, deny: all(deny)?, ..policy.clone() })
}

type Happenings = std::sync::mpsc::Receiver<(Device, port::Happening)>;

/// The barrier, and what happens at the ports if there are any.
fn devices(args: &GateArgs, context: &Context) -> (Option<Barrier>, Option<Happenings>) {
    let (events, happenings) = channel();
    let mut real = false;
    let barrier = match &args.barrier {
        BarrierName::None => None,
        BarrierName::Sim => Some(Barrier::sim()),
        BarrierName::Serial(name) => {
            let (commands, written) = channel();
            port::start(Device::Barrier, name.clone(), written, events.clone());
            real = true;
            // No two runs begin at the same millisecond, so no nonce is used again.
            let nonce = u64::try_from(context.now().millis()).unwrap_or(0);
            Some(Barrier::serial(commands, nonce))
        }
    };
    if let Some(reader) = &args.reader {
        port::start(Device::Reader, reader.clone(), std::sync::mpsc::channel().1, events);
        real = true;
    }
    (barrier, real.then_some(happenings))
}

const MANUAL: Manual = Manual {
    description: "park-gate reads the plates that park-detect has read in each frame and says once a passage which \
vehicle it is (plate_detected), whether it may pass and why (access_decision), and what that makes of the parking \
sessions (parking_entry, parking_exit). It opens the barrier for a vehicle that may pass, and for an operator. All \
records that it reads but gate_control are passed on.

A plate_detected that names no gate is another system's: it counts as a passage at once, and once for as long as it is repeated \
within --gap.

A plate is announced as soon as enough frames agree; one that is less than 100 pixels wide and draws near when it is larger, \
stands still or is gone.

What comes again and again to the very same place without being read anywhere else, as a sign does, is announced three times \
and then no more, until it was not read for ten minutes, or for as long as it has been known if that is more. To be rid of it \
altogether give park-detect an area to look at, --roi.

Time is that of the records, so that a recording gives the same answer at any speed. A second run of the same records \
into the same database finds its own sessions again and adds none.",
    sections: &[
        (
            "Decision",
            "A listed denial comes first. A vehicle with an open session may go out. A number on a list to let through may \
come in. A number that only looks like a listed one (0, O, Q and D; 1, I and L; 8 and B; 5 and S; 2 and Z; 6 and G; or \
one character in at least five) is referred to an operator and opens nothing, unless --allow-lookalikes says so. Where \
one pairs an exit with its entry, the exit says so.

An operator's gate_control opens for the vehicle that was referred less than a minute ago and records its passage.",
        ),
        (
            "Lists",
            "One plate or card a line. Spaces, dashes and case do not matter; # begins a comment. They are read at the start \
(a missing or broken one ends the command with 78) and again on HUP (a broken one is reported, and the old ones stay).",
        ),
        (
            "Barrier",
            "The gate fails shut: it starts by closing the barrier, opens it for a pulse that the barrier itself \
measures, says that it is alive once a second, and closes it before it ends. A barrier that hears nothing for three \
seconds closes by itself. The barrier is never told to close while a vehicle stands on its loop. A command without \
answer is said three times; then the gate_status is fault until the barrier says where it is.

The line protocol, version 1:

    OPEN MS NONCE      HELLO park-barrier 1
    CLOSE NONCE        OK NONCE
    HOLD NONCE         ERR NONCE REASON
    HB                 HB
                       STATE closed|opening|open|closing|held|fault [loop]

The left is what the gate says, the right what the barrier says. scripts/arduino/park-barrier.ino is its firmware.",
        ),
    ],
    examples: &[
        (
            "Watch a gate, recording entries and exits:",
            "park-capture rtsp://camera/in --camera cam_in | park-detect plates | park-gate --gate gate_in --db park.db",
        ),
        (
            "Open a barrier for residents, by plate or card:",
            "park-gate --gate gate_in --direction entry --db park.db --allow residents.txt \\
    --barrier serial:/dev/serial/by-id/usb-Arduino --reader serial:/dev/serial/by-id/usb-Reader",
        ),
    ],
    environment: &[],
    files: &[],
};
