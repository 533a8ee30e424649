//! How the parts of a share hold each other: each is given those below it, and nothing else.

use std::sync::Arc;

use dittofs_domain::Epoch;
use dittofs_ports::{ShareRecord, Survives};

use crate::{
    owned::OwnedContent,
    volume::{
        Machine, Recovered, Tier, Volume, VolumeSettings, VolumeStores,
        backup::Freezer,
        blocks::BlockReader,
        check::{CheckStores, OnlineCheck},
        files::Files,
        flusher::{Commits, Flusher},
        garbage::Garbage,
        ledger::Ledger,
        lifecycle::Lifecycle,
        monitor::Monitor,
        names::Names,
        node_locks::NodeLocks,
        nodes::Nodes,
        numbers::Numbers,
        open_table::OpenTable,
        pending::PendingNodes,
        plans::PlanRunner,
        reclaimer::{Leftovers, Pins, Reclaimer},
        renewal::Renewal,
        row::ShareRow,
        sealing::Sealing,
        share::Share,
        watches::Watches,
        write_back::WriteBack,
    },
};

/// The parts that the journal is replayed into.
pub(super) struct Core {
    share: Arc<Share>,
    locks: Arc<NodeLocks>,
    nodes: Arc<Nodes>,
    row: Arc<ShareRow>,
    numbers: Arc<Numbers>,
    garbage: Arc<Garbage>,
    opens: Arc<OpenTable>,
    pub(super) write_back: Arc<WriteBack>,
    pub(super) plans: Arc<PlanRunner>,
    sealing: Arc<Sealing>,
    blocks: Arc<BlockReader>,
}

impl Core {
    pub(super) fn new(
        stores: &VolumeStores,
        owned: Arc<OwnedContent>,
        settings: &VolumeSettings,
        machine: Machine,
        record: &ShareRecord,
        epoch: Epoch,
    ) -> Core {
        let VolumeStores { metadata, content, journal, cache, disk, opens, codec, sealer, .. } = stores.clone();
        let ledger = Ledger::new(settings.policy.quota);
        let share = Arc::new(Share::new(record, epoch, &settings.policy, machine, (owned, settings.tier)));
        let locks = Arc::new(NodeLocks::new());
        let pending = PendingNodes::new(ledger.nothing());
        let nodes = Nodes::new(share.clone(), metadata.clone(), locks.clone(), pending, opens.clone());
        let nodes = Arc::new(nodes);
        let row = Arc::new(ShareRow::new(metadata.clone()));
        let numbers = Arc::new(Numbers::new(share.clone(), metadata.clone()));
        let garbage = Arc::new(Garbage::default());
        let opens = OpenTable::new(share.clone(), nodes.clone(), locks.clone(), opens, garbage.clone());
        let opens = Arc::new(opens);
        let write_back = WriteBack::new(
            share.clone(),
            nodes.clone(),
            numbers.clone(),
            (metadata.clone(), journal),
            &settings.limits,
        );
        let write_back = Arc::new(write_back);
        let watches = Arc::new(Watches::new((share.clone(), nodes.clone()), metadata.clone(), opens.clone()));
        let plans = PlanRunner::new(
            (share.clone(), nodes.clone()),
            write_back.clone(),
            (opens.clone(), watches),
            garbage.clone(),
            (metadata.clone(), content.clone()),
            ledger,
        );
        let sealing = Arc::new(Sealing::new(share.clone(), metadata, row.clone(), codec, sealer));
        let reads = (share.clone(), nodes.clone());
        let blocks = Arc::new(BlockReader::new(reads, sealing.clone(), content, (cache, disk), &settings.limits));
        let plans = Arc::new(plans);
        Core { share, locks, nodes, row, numbers, garbage, opens, write_back, plans, sealing, blocks }
    }

    /// The whole share.
    pub(super) fn volume(self, stores: VolumeStores, record: &ShareRecord, recovered: Recovered) -> Arc<Volume> {
        let survives = survives(&stores, self.share.tier());
        let (flusher, reclaimer) = self.background(&stores, record);
        let Core { share, locks, nodes, row, numbers, garbage, opens, write_back, plans, sealing, blocks } = self;
        let VolumeStores { metadata, content, journal, .. } = stores;
        let both = (metadata.clone(), content.clone());
        let basis = (share.clone(), nodes.clone());
        let locks_of_leftovers = locks.clone();
        let locked = (share.clone(), nodes.clone(), locks);
        let changes = (write_back.clone(), plans.clone());
        let commits = Arc::new(Commits::new(locked.clone(), changes.clone(), flusher.clone()));
        let reads = (blocks.clone(), flusher.clone(), commits);
        let files = Arc::new(Files::new(locked.clone(), opens.clone(), changes, reads, garbage.clone()));
        let reading = (metadata.clone(), numbers);
        let names = Names::new(basis.clone(), reading, opens.clone(), plans.clone(), files.clone());
        let flushes = (write_back.clone(), flusher.clone());
        let freezer = Freezer::new(share.clone(), both.clone(), flushes, reclaimer.clone());
        let (sealer, clock) = (sealing.sealer().clone(), share.machine().clock.clone());
        let checked = CheckStores { metadata: metadata.clone(), content, sealer, clock };
        let check = OnlineCheck::new(locked, flusher.clone(), checked);
        let counted = (write_back.clone(), plans.clone(), blocks.clone());
        let monitor = Monitor::new(basis.clone(), counted, (garbage, reclaimer.clone()), both, recovered);
        let leftovers = Leftovers {
            share: share.clone(),
            nodes: nodes.clone(),
            locks: locks_of_leftovers,
            write_back: write_back.clone(),
            plans: plans.clone(),
            metadata: metadata.clone(),
            journal: journal.clone(),
        };
        let renewal = Renewal::new(basis, plans.clone(), row.clone(), (metadata, journal.clone()));
        let (kept, written) = ((share.clone(), row), (journal, write_back.clone()));
        let background = (flusher.clone(), reclaimer, leftovers);
        let lifecycle = Lifecycle::new(kept, written, (blocks, sealing), background, renewal);
        let lifecycle = Arc::new(lifecycle);
        Arc::new(Volume {
            share,
            names,
            files,
            opens,
            write_back,
            plans,
            flusher,
            freezer,
            check,
            monitor,
            lifecycle,
            survives,
        })
    }

    /// Creates the parts that move bytes and give them back in the background.
    fn background(&self, stores: &VolumeStores, record: &ShareRecord) -> (Arc<Flusher>, Arc<Reclaimer>) {
        let locked = (self.share.clone(), self.nodes.clone(), self.locks.clone());
        let (write_back, plans, opens) = (self.write_back.clone(), self.plans.clone(), self.opens.clone());
        let (blocks, sealing) = (self.blocks.clone(), self.sealing.clone());
        let (metadata, content) = (stores.metadata.clone(), stores.content.clone());
        let flusher = Flusher::new(
            locked.clone(),
            (write_back.clone(), plans.clone()),
            (blocks.clone(), sealing.clone()),
            self.garbage.clone(),
            content.clone(),
        );
        let flusher = Arc::new(flusher);
        let row = (metadata.clone(), self.row.clone());
        let pins = Pins::new(self.share.clone(), row, self.garbage.clone(), record);
        let reclaimer = Reclaimer::new(
            locked,
            (write_back, plans, opens),
            (blocks, sealing, flusher.clone()),
            self.garbage.clone(),
            (metadata, content),
            pins,
        );
        (flusher, Arc::new(reclaimer))
    }
}

/// Returns the failure that acknowledged data survive: the least of the stores that they are in.
fn survives(stores: &VolumeStores, tier: Tier) -> Survives {
    let both = stores.metadata_survives.min(stores.content.survives());
    if tier.is_of_stores() { both } else { both.min(stores.journal.survives()) }
}
