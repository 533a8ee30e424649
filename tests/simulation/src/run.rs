//! One run: lives follow each other until the clients have done everything.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use dittofs_application::{
    Atime, Machine, Network, OpenError, Registry, Services, SharePolicy, Tier, Volume, VolumeLimits, VolumeSettings,
    VolumeStores,
};
use dittofs_domain::{
    Node, NodeId, Scale, Timestamp,
    credentials::{IdentityPolicy, Squash},
    plan::OperationsKept,
    quota::Quota,
    users::AccessList,
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, ContentStore, DiskCache, FrameSealer, Journal, MetadataStore, ShareMetadata, ShareRecord, Survives,
};
use futures_util::FutureExt;

use crate::{
    boundary::Crossings,
    bugs::{Bug, RiggedContent, RiggedJournal, RiggedMetadata},
    client::Client,
    content::{Objects, SimulatedContent},
    faults::{Fault, FaultCounts},
    fsck, invariants,
    journal::{JournalDisk, SimulatedJournal},
    keys::RotatedKeys,
    late::LatePlans,
    life::{Life, LifeSpawner, Simulation},
    machine::{ForgetfulCache, JumpingClock, LifeClock, LifeDisk, SeededRandomness, WipedDisk},
    metadata::SimulatedMetadata,
    random::Random,
    scales::Scales,
    tiers::Tiers,
    verify,
    world::{HANDLE_KEY, Running, SHARE, World},
};

const CONTENT_OWNER: u128 = 0x0C0;
const JOURNAL: u128 = 0x109;
/// Segments that a journal has at least.
const SEGMENTS_MIN: u64 = 8;

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Operations of all clients together.
    pub operations: u64,
    /// Whether the machine stops now and then.
    pub crashes: bool,
    /// Which scale its share has.
    pub scales: Scales,
    /// Which tiers its share may have.
    pub tiers: Tiers,
    /// The rule that is broken on purpose.
    pub bug: Option<Bug>,
    /// Whether to print everything that happens.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { operations: 200, crashes: true, scales: Scales::Mixed, tiers: Tiers::Mixed, bug: None, trace: false }
    }
}

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// A hash of everything that happened, in order.
    pub trace: u64,
    /// How much happened.
    pub events: u64,
    /// Operations of clients.
    pub operations: u64,
    /// The faults that happened.
    pub faults: FaultCounts,
    /// Which boundaries it crossed.
    pub crossings: Crossings,
}

/// Something was not as it must be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// How many operations it was to have.
    pub operations: u64,
    /// Which scales it chose from.
    pub scales: Scales,
    /// Which tiers it chose from.
    pub tiers: Tiers,
    /// A description of what was wrong.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, operations, scales, tiers, what } = self;
        let [scales, tiers] = [format!("{scales:?}"), format!("{tiers:?}")].map(|text| text.to_lowercase());
        write!(
            f,
            "seed {seed}: {what}\nreplay: tests/simulation/run.sh --seed {seed} --operations {operations} --scale {scales} --tier {tiers} --trace"
        )
    }
}

/// Runs a seed.
///
/// # Errors
/// The first thing that was not as it must be.
pub fn run(seed: u64, options: &Options) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be made");
    dittofs_domain::bugs::seed(options.bug.and_then(Bug::of_the_rules));
    let failure = |what: String| Failure {
        seed,
        operations: options.operations,
        scales: options.scales,
        tiers: options.tiers,
        what,
    };
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| {
        tokio::task::LocalSet::new().block_on(&runtime, Driver::drive(seed, options))
    }));
    match ran {
        Ok(result) => result.map_err(failure),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(failure(format!("a panic: {}", text.unwrap_or_default())))
        }
    }
}

struct Driver {
    seed: u64,
    random: Random,
    world: Arc<World>,
    metadata: Arc<dyn ShareMetadata>,
    late: LatePlans,
    clock: Arc<JumpingClock>,
    randomness: Arc<SeededRandomness>,
    limits: VolumeLimits,
    tier: Tier,
    journal_bytes: u64,
    is_remote: bool,
    sealer: Arc<dyn FrameSealer>,
    disk_cache: Option<Arc<WipedDisk>>,
    crashes: bool,
    bug: Option<Bug>,
    lives: u64,
}

/// A server whose content store answers again asks it a second after its last question, which may take 20 s to fail.
const OWN_WITHIN: Duration = Duration::from_secs(30);
/// A claim that was not answered may have been made over somebody else's, whose lease (60 s), requests (30 s) and margin
/// (6 s) are waited for then.
const HELD_WITHIN: Duration = Duration::from_secs(120);

/// Waits until the share's objects are known to be its own, or are held.
async fn until(what: &str, within: Duration, is_so: impl Fn() -> bool) -> Ended {
    let began = tokio::time::Instant::now();
    while !is_so() {
        if began.elapsed() > within {
            return Err(format!("the share's objects are not {what} within {within:?} of a store that answers"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Why a life ended.
type Ended = Result<(), String>;

impl Driver {
    async fn drive(seed: u64, options: &Options) -> Result<Report, String> {
        let scale = options.scales.pick(seed);
        let simulation = Simulation::new(seed, options.trace, &scale);
        let mut driver = Driver::new(seed, options, &simulation, &scale).await;
        let patience = Duration::from_secs(3_600 + 60 * options.operations);
        let worked = AssertUnwindSafe(tokio::time::timeout(patience, driver.work(options.operations))).catch_unwind();
        let ended = tokio::select! {
            biased;
            () = simulation.failed() => Ok(Ok(())),
            ended = worked => ended.map(|ended| ended.unwrap_or_else(|_| Err("the run does not end".into()))),
        };
        let faults = simulation.faults.lock().counts.clone();
        let crossings = simulation.watch.lock().crossings.clone();
        match (simulation.failure(), ended) {
            (Some(what), _) | (None, Ok(Err(what))) => Err(what),
            (None, Err(panic)) => std::panic::resume_unwind(panic),
            (None, Ok(Ok(()))) => {
                let trace = simulation.trace.lock();
                let operations = driver.world.operations();
                Ok(Report { trace: trace.hash(), events: trace.events(), operations, faults, crossings })
            }
        }
    }

    async fn new(seed: u64, options: &Options, simulation: &Arc<Simulation>, scale: &Scale) -> Driver {
        let mut random = Random::stream(seed, 4);
        // The machine's time does not pass as the simulated one does.
        let kept = OperationsKept { age: Duration::MAX, ..OperationsKept::default() };
        let store = MemoryMetadataStore::remembering(kept);
        let record = ShareRecord {
            scale: *scale,
            handle_key: HANDLE_KEY,
            content_owner: CONTENT_OWNER,
            journal: JOURNAL,
            ..ShareRecord::new(SHARE, "/export")
        };
        let start = Timestamp::new(1_767_225_600, 0).unwrap_or_default();
        store.create_share(&record, &Node::root(0, 0, 0o777, start)).await.expect("memory does not fail");
        let metadata = store.share(SHARE).await.expect("memory does not fail").expect("the share was made");
        let limit = random.of(&[400_000, 1_500_000, 1_500_000, 8_000_000]);
        let disk = JournalDisk::new(simulation, JOURNAL, limit, scale.segment_bytes.min(limit / SEGMENTS_MIN));
        let clients = 1 + random.below(4);
        let limits = VolumeLimits {
            unflushed_bytes_max: random.of(&[600_000, 2_000_000, 16_000_000]),
            ..VolumeLimits::default()
        };
        let world = World::new(simulation, &disk, &Objects::new(simulation), scale, clients as u32);
        let is_remote = random.percent(50);
        let sealer: Arc<dyn FrameSealer> = match random.percent(30) {
            true => RotatedKeys::new(simulation),
            false => Arc::new(Sealer::none()),
        };
        let disk_cache = random.percent(50).then(|| WipedDisk::new(simulation));
        let driver = Driver {
            seed,
            random,
            world,
            metadata,
            late: LatePlans::default(),
            clock: Arc::new(JumpingClock::new(simulation)),
            randomness: Arc::new(SeededRandomness::new(seed, options.bug == Some(Bug::ConstantVerifier))),
            limits,
            tier: options.tiers.pick(seed),
            journal_bytes: limit,
            is_remote,
            sealer,
            disk_cache,
            crashes: options.crashes,
            bug: options.bug,
            lives: 0,
        };
        for number in 0..clients {
            let client = Client::new(&driver.world, seed, number);
            let operations = options.operations.div_ceil(clients);
            let world = Arc::clone(&driver.world);
            tokio::task::spawn_local(async move {
                if AssertUnwindSafe(client.work(operations)).catch_unwind().await.is_err() {
                    world.simulation.fail("a client panicked".into());
                }
            });
        }
        driver
    }

    /// Lives follow each other; the last one ends in peace, and another one finds what it left.
    async fn work(&mut self, operations: u64) -> Ended {
        let simulation = Arc::clone(&self.world.simulation);
        let crashes = if !self.crashes || self.random.percent(15) { 0 } else { 1 + self.random.below(5) };
        for crash in 1..=crashes {
            let until = operations * crash / (crashes + 1);
            self.live_and_crash(until).await?;
        }
        let running = self.restart(None).await?;
        self.serve(&running).await?;
        let finished = running.life.run(self.world.finished()).await;
        if finished.is_none() || self.world.disk.is_stopped() {
            return self.end_in_peace_after_crash(running).await;
        }
        simulation.faults.lock().enable(false);
        self.end_in_peace(running).await
    }

    async fn end_in_peace_after_crash(&mut self, running: Running) -> Ended {
        let mut running = running;
        loop {
            self.crash(&running).await;
            running = self.restart(None).await?;
            self.serve(&running).await?;
            if running.life.run(self.world.finished()).await.is_some() && !self.world.disk.is_stopped() {
                self.world.simulation.faults.lock().enable(false);
                return self.end_in_peace(running).await;
            }
        }
    }

    /// A life in which clients work until they have done so many operations; then the machine stops some steps later.
    async fn live_and_crash(&mut self, until: u64) -> Ended {
        let running = self.restart(None).await?;
        self.serve(&running).await?;
        let worked = running.life.run(self.world.worked(until)).await;
        if worked.is_some() {
            let exponent = self.random.below(9);
            running.life.light_fuse(self.random.below(1 << exponent));
            let stops = tokio::time::timeout(Duration::from_secs(40), running.life.died());
            if stops.await.is_err() {
                self.world.simulation.note("stop", running.life.number, 1);
                running.life.die();
            }
        }
        self.crash(&running).await;
        Ok(())
    }

    /// Stops the machine. Only what outlives a crash remains.
    async fn crash(&mut self, running: &Running) {
        running.life.die();
        self.world.serve(None);
        self.world.idle().await;
        // Tasks that were aborted are dropped now.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.world.note_losses();
        self.world.simulation.count(Fault::Crash);
        self.world.disk.crash();
        self.world.oracle.lock().crash();
    }

    /// Opens the share, as often as it takes: a crash may interrupt this as well.
    async fn restart(&mut self, fuse: Option<u64>) -> Result<Running, String> {
        let mut fuse = fuse;
        for attempt in 0..20u32 {
            self.lives += 1;
            let life = Life::new(&self.world.simulation, self.lives);
            if self.crashes && self.lives > 1 && attempt < 3 && self.random.percent(25) {
                let exponent = self.random.below(8);
                fuse = fuse.or(Some(self.random.below(1 << exponent)));
            }
            if let Some(steps) = fuse.take() {
                life.light_fuse(steps);
            }
            let enabled = self.world.simulation.faults.lock().enabled();
            self.world.simulation.faults.lock().enable(enabled && attempt < 10);
            let opened = life.run(tokio::time::timeout(crate::world::PATIENCE, self.open(&life))).await;
            self.world.simulation.faults.lock().enable(enabled);
            match opened {
                Some(Ok(Ok(volume))) => {
                    life.extinguish_fuse();
                    let services = Services::new(Arc::new(Registry::new(vec![Arc::clone(&volume)])));
                    return Ok(Running { life, services, volume });
                }
                Some(Err(_)) => return Err("the share does not open: it hangs".into()),
                Some(Ok(Err(error))) if attempt >= 10 => return Err(format!("the share does not open: {error}")),
                Some(Ok(Err(OpenError::Metadata(_) | OpenError::Journal(_) | OpenError::Content(_)))) if enabled => {
                    life.die();
                }
                Some(Ok(Err(error))) => return Err(format!("the share does not open: {error}")),
                None => self.world.simulation.count(Fault::CrashDuringRecovery),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.world.disk.crash();
        }
        Err("the share does not open".into())
    }

    async fn open(&self, life: &Arc<Life>) -> Result<Arc<Volume>, OpenError> {
        let journal: Arc<dyn Journal> = match self.tier {
            Tier::Journal => {
                let journal = SimulatedJournal { disk: Arc::clone(&self.world.disk), life: Arc::clone(life) };
                RiggedJournal::over(Arc::new(journal), self.bug)
            }
            Tier::Stores { .. } => Arc::new(NullJournal::new(self.journal_bytes)),
        };
        let content = SimulatedContent {
            objects: Arc::clone(&self.world.objects),
            is_remote: self.is_remote,
            metadata: Arc::clone(&self.metadata),
            life: Arc::clone(life),
        };
        let metadata = SimulatedMetadata {
            inner: RiggedMetadata::over(&self.metadata, &self.world.objects, self.bug),
            carried_out: Arc::clone(&self.world.carried_out),
            late: self.late.clone(),
            away_until: parking_lot::Mutex::default(),
            scale: self.world.scale,
            life: Arc::clone(life),
            missing_row_is_hole: self.bug == Some(Bug::MissingRowIsHole),
        };
        // Whoever takes the share waits for what runs.
        metadata.decide_late().await;
        let disk_cache = self
            .disk_cache
            .as_ref()
            .map(|disk| Arc::new(LifeDisk { disk: Arc::clone(disk), life: Arc::clone(life) }) as Arc<dyn DiskCache>);
        let stores = VolumeStores {
            metadata: Arc::new(metadata),
            metadata_survives: Survives::PowerLoss,
            content: RiggedContent::over(Arc::new(content) as Arc<dyn ContentStore>, self.bug),
            journal,
            codec: Arc::new(Codec::none()),
            sealer: Arc::clone(&self.sealer),
            cache: Arc::new(ForgetfulCache::new(&self.world.simulation)),
            disk: disk_cache,
            opens: Arc::new(MemoryOpenState::new()),
        };
        let policy = SharePolicy {
            short_name: "export".to_owned(),
            requires_encryption: false,
            clients: Network::new([127, 0, 0, 1].into(), 8).into_iter().collect(),
            identity: IdentityPolicy { squash: Squash::None, ..IdentityPolicy::default() },
            secure_ports: true,
            access: AccessList::Everybody,
            read_only: false,
            quota: Quota { bytes: 1 << 40, ..Quota::NONE },
            atime: Atime::None,
        };
        let (limits, scale, tier) = (self.limits, self.world.scale, self.tier);
        let settings = VolumeSettings { limits, scale, tier, ..VolumeSettings::new(policy) };
        let machine = Machine {
            clock: Arc::new(LifeClock { machine: Arc::clone(&self.clock), life: Arc::clone(life) }),
            randomness: Arc::clone(&self.randomness) as Arc<_>,
            spawner: Arc::new(LifeSpawner(Arc::clone(life))),
        };
        Volume::open(stores, settings, machine).await
    }

    /// Compares what is there with what was acknowledged, and lets the clients work.
    async fn serve(&mut self, running: &Running) -> Ended {
        let enabled = self.world.simulation.faults.lock().enabled();
        self.world.simulation.faults.lock().enable(false);
        until("known", OWN_WITHIN, || running.volume.knows_objects()).await?;
        let verified = verify::everything(&self.world, running).await;
        let checked = fsck::check_running(running).await;
        self.world.simulation.faults.lock().enable(enabled);
        verified.and(checked)?;
        invariants::check(&self.metadata, &self.world.objects, invariants::When::AfterRecovery).await?;
        self.world.serve(Some(running.clone()));
        Ok(())
    }

    /// The end: everything is flushed, garbage is gone, and a clean stop leaves nothing to replay.
    async fn end_in_peace(&mut self, running: Running) -> Ended {
        self.world.serve(None);
        self.world.idle().await;
        self.world.note_losses();
        if self.world.disk.lost_in_this_life() {
            // The clients don't send again what was lost: nothing can be said of it but after a restart.
            self.crash(&running).await;
            let again = self.restart(None).await?;
            return Box::pin(self.end_in_peace(again)).await;
        }
        until("held", HELD_WITHIN, || running.volume.holds_objects()).await?;
        verify::everything(&self.world, &running).await?;
        let flushed = running.services.flush().await;
        flushed.map_err(|error| format!("the last flush fails: {error}"))?;
        verify::everything(&self.world, &running).await?;
        // Longer than garbage is kept: at first things go wrong with it.
        self.world.simulation.faults.lock().enable(true);
        tokio::time::sleep(Duration::from_secs(60)).await;
        self.world.simulation.faults.lock().enable(false);
        until("held", HELD_WITHIN, || running.volume.holds_objects()).await?;
        tokio::time::sleep(Duration::from_secs(200)).await;
        invariants::check(&self.metadata, &self.world.objects, invariants::When::AtRest).await?;
        self.close_and_reopen(running).await
    }

    async fn close_and_reopen(&mut self, running: Running) -> Ended {
        running.volume.close().await.map_err(|error| format!("closing fails: {error}"))?;
        let left = self.world.disk.unreleased();
        if left > 0 {
            return Err(format!("a clean stop leaves {left} records in the journal"));
        }
        self.crash(&running).await;
        let running = self.restart(None).await?;
        until("known", OWN_WITHIN, || running.volume.knows_objects()).await?;
        verify::everything(&self.world, &running).await?;
        invariants::check(&self.metadata, &self.world.objects, invariants::When::AfterRecovery).await?;
        self.world.simulation.note("end", self.seed, NodeId::ROOT.0);
        running.life.die();
        Ok(())
    }
}
