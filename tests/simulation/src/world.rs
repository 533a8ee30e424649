//! The state that clients, driver and checks share.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use dittofs_application::{Services, Volume};
use dittofs_domain::{
    Attributes, ClientId, Credentials, Handle, HandleKey, Name, NodeId, NodeKind, Scale, ShareId,
    error::{FsError, FsResult},
};
use dittofs_ports::{Entered, EntryService, Presented};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    content::Objects,
    faults::Fault,
    journal::JournalDisk,
    life::{Life, Simulation},
    metadata::CarriedOut,
    oracle::{Oracle, Window},
};

/// The share.
pub(crate) const SHARE: ShareId = ShareId(0xD177_0F50);
/// The key that its handles are made with.
pub(crate) const HANDLE_KEY: HandleKey = HandleKey([7; 16]);
/// No operation takes longer, however much goes wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(900);

/// A life that serves.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) life: Arc<Life>,
    pub(crate) services: Services,
    pub(crate) volume: Arc<Volume>,
}

/// The state that lasts over all lives.
pub(crate) struct World {
    /// The share's.
    pub(crate) scale: Scale,
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) disk: Arc<JournalDisk>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) oracle: Mutex<Oracle>,
    pub(crate) carried_out: Arc<CarriedOut>,
    gate: Mutex<Gate>,
    moved: Notify,
}

struct Gate {
    running: Option<Running>,
    /// Clients with an operation on its way.
    busy: u32,
    /// Clients that have not done all their operations.
    clients: u32,
    names: BTreeSet<(NodeId, u8)>,
    operations: u64,
}

impl World {
    pub(crate) fn new(
        simulation: &Arc<Simulation>,
        disk: &Arc<JournalDisk>,
        objects: &Arc<Objects>,
        scale: &Scale,
        clients: u32,
    ) -> Arc<World> {
        let gate = Gate { running: None, busy: 0, clients, names: BTreeSet::new(), operations: 0 };
        Arc::new(World {
            scale: *scale,
            simulation: Arc::clone(simulation),
            disk: Arc::clone(disk),
            objects: Arc::clone(objects),
            oracle: Mutex::new(Oracle::new(handle(NodeId::ROOT), *scale)),
            carried_out: Arc::default(),
            gate: Mutex::new(gate),
            moved: Notify::new(),
        })
    }

    /// Lets clients work, or not.
    pub(crate) fn serve(&self, running: Option<Running>) {
        self.gate.lock().running = running;
        self.moved.notify_waiters();
    }

    /// A client wants to do something, and waits until somebody serves.
    pub(crate) async fn enter(&self) -> Running {
        loop {
            let moved = self.moved.notified();
            {
                let mut gate = self.gate.lock();
                if let Some(running) = gate.running.clone().filter(|running| !running.life.is_dead()) {
                    gate.busy += 1;
                    gate.operations += 1;
                    return running;
                }
            }
            moved.await;
        }
    }

    /// It has done it.
    pub(crate) fn leave(&self, names: &[(NodeId, u8)]) {
        let mut gate = self.gate.lock();
        gate.busy -= 1;
        for name in names {
            gate.names.remove(name);
        }
        drop(gate);
        self.moved.notify_waiters();
    }

    /// A client has done all it had to do.
    pub(crate) fn finish(&self) {
        self.gate.lock().clients -= 1;
        self.moved.notify_waiters();
    }

    pub(crate) fn operations(&self) -> u64 {
        self.gate.lock().operations
    }

    /// Waits until no client has an operation on its way.
    pub(crate) async fn idle(&self) {
        self.wait(|gate| gate.busy == 0).await;
    }

    /// Waits until all clients have done everything.
    pub(crate) async fn finished(&self) {
        self.wait(|gate| gate.clients == 0).await;
    }

    /// Waits until clients have done so many operations, or everything.
    pub(crate) async fn worked(&self, operations: u64) {
        self.wait(|gate| gate.clients == 0 || gate.operations >= operations).await;
    }

    async fn wait(&self, ready: impl Fn(&Gate) -> bool) {
        loop {
            let moved = self.moved.notified();
            if ready(&self.gate.lock()) {
                return;
            }
            moved.await;
        }
    }

    /// Keeps names for one operation that changes them; none if another one has any of them.
    pub(crate) fn take_names(&self, names: &[(NodeId, u8)]) -> bool {
        let mut gate = self.gate.lock();
        if names.iter().any(|name| gate.names.contains(name)) {
            return false;
        }
        gate.names.extend(names);
        true
    }

    /// Returns the number of events that may be answered with an error. If it rises during an operation, the operation
    /// may fail.
    pub(crate) fn excuses(&self) -> u64 {
        let faults = self.simulation.faults.lock();
        let of = |fault| faults.counts.of(fault);
        self.objects.lies()
            + self.objects.schedule.long_refused()
            + of(Fault::RowMissing)
            + of(Fault::SyncFailedMoved)
            + of(Fault::SyncFailedLost)
            + of(Fault::EarlySyncFailed)
            + of(Fault::JournalStopped)
    }

    /// Whether an operation may have been answered with this error, whatever it was about.
    pub(crate) fn is_excused(&self, error: FsError, excuses: u64) -> bool {
        match error {
            FsError::Busy => self.simulation.faults.lock().enabled(),
            // A store that is away and a journal that waits for it are no reason.
            FsError::NoSpace => {
                let faults = self.simulation.faults.lock();
                let was_full = faults.counts.of(Fault::ContentFull) + faults.counts.of(Fault::JournalFull) > 0;
                faults.enabled() && was_full
            }
            FsError::Unanswered => {
                let faults = self.simulation.faults.lock();
                faults.enabled() && faults.counts.of(Fault::MetadataAway) > 0
            }
            FsError::Io => self.excuses() > excuses || self.disk.is_stopped() || self.disk.lost_in_this_life(),
            _ => false,
        }
    }

    /// Checks what an answer says of a node: times and counts never go back.
    pub(crate) fn check_shown(&self, attributes: &Attributes, seen: &Seen, changed: bool) {
        let mut oracle = self.oracle.lock();
        let losses = oracle.losses;
        let Some(node) = oracle.nodes.get_mut(&attributes.node) else { return };
        let shown = (attributes.change, attributes.ctime);
        if seen.losses == losses {
            let (change, ctime) = seen.floor;
            let back = shown.0 < change || shown.1 < ctime;
            let still = changed && (shown.0 == change || shown.1 == ctime);
            if back || still {
                let what = if back { "went back" } else { "stood still over a change" };
                self.simulation
                    .fail(format!("change or ctime of {} {what}: {shown:?} after {:?}", attributes.node, seen.floor));
            }
        }
        node.seen = (node.seen.0.max(shown.0), node.seen.1.max(shown.1));
    }

    /// Notes that what was shown is durable.
    pub(crate) fn shown_durably(&self, attributes: &Attributes) {
        if let Some(node) = self.oracle.lock().nodes.get_mut(&attributes.node) {
            let durable = &mut node.seen_durably;
            *durable = (durable.0.max(attributes.change), durable.1.max(attributes.ctime));
        }
    }

    /// Returns what was shown of a node until now.
    pub(crate) fn seen(&self, node: NodeId) -> Seen {
        let oracle = self.oracle.lock();
        Seen { floor: oracle.nodes.get(&node).map(|node| node.seen).unwrap_or_default(), losses: oracle.losses }
    }

    /// Checks a verifier, which no earlier life may have used.
    pub(crate) fn check_verifier(&self, verifier: u64) {
        let mut oracle = self.oracle.lock();
        if oracle.old_verifiers.contains(&verifier) {
            self.simulation.fail(format!("the write verifier {verifier:x} was used before a crash"));
        }
        oracle.verifiers.insert(verifier);
    }

    /// Takes losses of the journal into account.
    pub(crate) fn note_losses(&self) {
        let losses = self.disk.losses();
        let mut oracle = self.oracle.lock();
        if oracle.losses != losses {
            oracle.losses = losses;
            oracle.lose();
        }
    }

    /// A node that an answer names for the first time.
    pub(crate) fn learn(&self, node: NodeId, kind: NodeKind) {
        let mut oracle = self.oracle.lock();
        if oracle.nodes.contains_key(&node) {
            drop(oracle);
            self.simulation.fail(format!("{node} was given to a new node, and is known"));
            return;
        }
        oracle.learn(node, kind, handle(node));
    }

    /// Ends an operation that nobody answered.
    pub(crate) fn fail_answer(&self, what: &str, window: Window, answer: &dyn std::fmt::Debug) {
        self.simulation.fail(format!("{what} (operation {}): {answer:?}", window.op));
    }
}

/// The values of a node that were shown at some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    floor: (dittofs_domain::ChangeId, dittofs_domain::Timestamp),
    losses: u64,
}

pub(crate) fn handle(node: NodeId) -> [u8; 32] {
    HANDLE_KEY.sign(SHARE, node).to_bytes()
}

impl Running {
    /// The node of a handle and its share, as a protocol finds them.
    pub(crate) fn node(&self, handle: &[u8; Handle::BYTES], client: u64) -> FsResult<Entered> {
        let who = Presented {
            identity: Some(Credentials::root()),
            address: IpAddr::from([127, 0, 0, 1]),
            port: 700,
            client: ClientId::Nfs4(client),
        };
        self.services.enter(handle, &who)
    }
}

/// The name with a number.
pub(crate) fn name(number: u8) -> Name {
    Name::new(format!("n{number}").as_bytes()).unwrap_or_else(|_| unreachable!("a short name is valid"))
}

/// The number of a name.
pub(crate) fn number(name: &Name) -> Option<u8> {
    std::str::from_utf8(name.as_bytes()).ok()?.strip_prefix('n')?.parse().ok()
}
