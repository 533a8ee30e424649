//! Opening a share: its stores must be those that it was written with.

use std::sync::Arc;

use dittofs_domain::{
    Epoch, NodeId, Scale, Sequence,
    ownership::{Holder, Part, Refusal, Standing, Start},
};
use dittofs_ports::{
    ContentError, ContentStore, Counter, JournalError, JournalIdentity, MetadataError, ShareMetadata, ShareRecord,
    Survives,
};

use crate::{
    owned::{OwnedContent, Owner},
    policy::SharePolicy,
    volume::{
        Machine, Tier, Volume, VolumeLimits, VolumeStores,
        again::{STRIDE, begin_again},
        compose::Core,
        plans::count_names,
        scan::nodes_after,
    },
};

/// Nodes that are looked at, at a time, for the highest record that any of them names. A turn of the store, with little
/// memory.
const NODES_PER_PAGE: usize = 1_024;

/// How a share is run.
#[derive(Clone, Debug)]
pub struct VolumeSettings {
    /// Who may use it, and how.
    pub policy: SharePolicy,
    /// Its bounds.
    pub limits: VolumeLimits,
    /// When written bytes are answered for.
    pub tier: Tier,
    /// The scale that its files must have been written with.
    pub scale: Scale,
    /// Opens the share although its journal or its objects are not those that it was written with: what was only in
    /// them is lost.
    pub accept_loss: bool,
    /// Takes the share's objects though another server may hold them, which loses them then.
    pub take_over: bool,
    /// Where it runs.
    pub holder: Holder,
}

impl VolumeSettings {
    /// A policy with the usual bounds.
    pub fn new(policy: SharePolicy) -> VolumeSettings {
        let (limits, holder) = (VolumeLimits::default(), Holder::default());
        let (tier, scale) = (Tier::default(), Scale::PRODUCTION);
        VolumeSettings { policy, limits, tier, scale, accept_loss: false, take_over: false, holder }
    }
}

/// Why a share can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The metadata store's error.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The journal's error.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The content store's error.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The journal is another one.
    #[error(
        "the journal is {found:032x}, but the share was written with {expected:032x}: give it back its own journal"
    )]
    ForeignJournal {
        /// Which it is.
        found: u128,
        /// Which it should be.
        expected: u128,
    },
    /// It was run with a journal, which may hold something, and is now to be run without one.
    #[error(
        "the share was not stopped cleanly, and its journal {expected:032x} may have bytes that are nowhere else, but it is \
         to be run without one now: start it once as it was, and stop it"
    )]
    JournalLeft {
        /// Its journal.
        expected: u128,
    },
    /// The journal is a copy from before its last use.
    #[error(
        "the journal is an older copy (its life {found}, the share was last written in its life {expected}): \
         give the share back its newest journal"
    )]
    OlderJournal {
        /// Its incarnation.
        found: u64,
        /// That with which the share was last used.
        expected: u64,
    },
    /// The journal is a copy from earlier in its last use.
    #[error(
        "the journal is an older copy (it was made in the start with the epoch {found} of the server, and the share's \
         journal is known to have noted the one with the epoch {expected}): give the share back its newest journal"
    )]
    JournalBehind {
        /// The epoch of the start that it has noted; 0 if it has noted none.
        found: u64,
        /// That of the one which it is known to have noted.
        expected: u64,
    },
    /// The journal was used by a start of the server that the metadata do not know.
    #[error(
        "the journal was last used by a start of the server (epoch {found}) that this metadata store does not know (its \
         last one has the epoch {last}): the metadata are an older copy, or others went on from a copy of them"
    )]
    JournalAhead {
        /// The epoch of that start.
        found: u64,
        /// The epoch of the last start that is known; 0 if none is.
        last: u64,
    },
    /// The journal has a record of a file that these metadata have never had.
    #[error(
        "the journal has bytes of file number {node}, but the share's metadata have not given that number yet (the next is \
         {next}): the metadata are an older copy, though of the same start of the server"
    )]
    MetadataBehind {
        /// The file.
        node: NodeId,
        /// The next number that the metadata will give.
        next: u64,
    },
    /// The objects are not this start's to use.
    #[error("the content store: {}", crate::owned::described(.refusal, *.owner))]
    NotOwner {
        /// Why.
        refusal: Box<Refusal>,
        /// Whose they should be.
        owner: u128,
    },
    /// The share's files are divided by other sizes.
    #[error(
        "the share was made with other sizes of pages and objects ({found:?}) than this program's: only a program with the same ones can serve it"
    )]
    OtherScale {
        /// Its sizes.
        found: Box<Scale>,
    },
}

impl Volume {
    /// Opens a share: takes its objects and its journal over, and lays what the journal holds over the stored files.
    /// Nothing is flushed before it returns.
    ///
    /// # Errors
    /// Those of its stores that can't be used, or that are not what the share was written with.
    pub async fn open(
        mut stores: VolumeStores,
        settings: VolumeSettings,
        machine: Machine,
    ) -> Result<Arc<Volume>, OpenError> {
        let mut record = stores.metadata.record().await?;
        if record.scale != settings.scale {
            return Err(OpenError::OtherScale { found: Box::new(record.scale) });
        }
        count_names(&*stores.metadata, &mut record).await?;
        let keeps_records = stores.journal.survives() > Survives::Nothing;
        let begun = begin(&stores, &settings, &machine, &mut record).await?;
        let above = match keeps_records {
            true => check_journal(&stores, &record, &begun, settings.accept_loss).await?,
            false => without_journal(&stores, &record, settings.accept_loss).await?,
        };
        let records = stores.journal.recover(above).await?;
        // Before any other part hears of this start: one that is refused leaves them to those that they belong to.
        if let Some(stride) = stride(&record, &begun, settings.accept_loss) {
            let newest = records.iter().map(|(_, record)| record.node).max().filter(|_| !settings.accept_loss);
            skip_given(&*stores.metadata, newest, stride).await?;
        }
        let start = begun.start;
        let owned = own(&stores, &settings, &machine, &record, start).await?;
        stores.content = Arc::clone(&owned) as Arc<dyn ContentStore>;
        stores.journal.note_start(start).await?;
        let core = Core::new(&stores, owned, &settings, machine, &record, start.epoch);
        let counted = core.plans.count_again().await;
        counted.map_err(|_| MetadataError::Unavailable("the share's sums are not known".into()))?;
        let recovered = core.write_back.replay(records).await?;
        let volume = core.volume(stores, &record, recovered);
        match keeps_records {
            true => volume.lifecycle.begin(start).await?,
            false => volume.lifecycle.begin_without_journal(&record).await?,
        }
        volume.lifecycle.start(&record.keys);
        Ok(volume)
    }
}

/// How far ids and stamps jump where the share was not closed: the metadata may be a copy from shortly before, of which
/// nobody can tell that it is older ([`super::renewal`]). More than is given out between two renewals, however fast.
const UNCLOSED_STRIDE: u64 = 1 << 28;

/// A start that the metadata have given.
struct Begun {
    start: Start,
    /// How the journal stood to the metadata.
    journal: Standing,
    /// Whether the metadata's age was judged by what the content store has.
    is_judged: bool,
}

/// How far ids and stamps jump, if they must. Metadata that were closed may still be an old copy where nothing tells
/// their age; and where a loss is accepted, what would tell it may be what was lost.
fn stride(record: &ShareRecord, begun: &Begun, accept_loss: bool) -> Option<u64> {
    match record.dirty {
        _ if accept_loss || !begun.is_judged => Some(STRIDE),
        true => Some(UNCLOSED_STRIDE),
        false => None,
    }
}

/// Nothing that may have been given is given again, also if the metadata are older than the last that there were.
///
/// Metadata give a number durably before it is used. So a record of a number that they have not given is a proof that
/// they are older than the journal.
async fn skip_given(metadata: &dyn ShareMetadata, newest: Option<NodeId>, stride: u64) -> Result<(), OpenError> {
    let next = metadata.allocate(Counter::Ids, 0).await?.start;
    if let Some(node) = newest.filter(|node| node.0 >= next) {
        return Err(OpenError::MetadataBehind { node, next });
    }
    for counter in [Counter::Ids, Counter::Stamps] {
        metadata.allocate(counter, stride).await?;
    }
    Ok(())
}

/// Gives the start its epoch, once the metadata are known to be no older than what they belong to, or are accepted as
/// they are. Nobody else hears of a start before it is in the metadata.
async fn begin(
    stores: &VolumeStores,
    settings: &VolumeSettings,
    machine: &Machine,
    record: &mut ShareRecord,
) -> Result<Begun, OpenError> {
    let journal = stores.journal.identity().start;
    // Where the store does not answer, the mark is judged when it does.
    let answer = stores.content.owner(record.id).await;
    let has_answered = answer.is_ok();
    let mark = answer.ok().flatten().filter(|found| found.mark.owner == record.content_owner);
    let content = mark.as_ref().and_then(|found| found.mark.start);
    let standing = record.lineage.judge(Part::Journal, journal);
    // A mark that should be there, and is not, tells nothing.
    let is_judged = has_answered && (content.is_some() || record.lineage.noted(Part::Content).is_none());
    let last = record.lineage.last().map_or(0, |last| last.epoch.0);
    if let (Standing::Ahead, Some(found), false) = (standing, journal, settings.accept_loss) {
        return Err(OpenError::JournalAhead { found: found.epoch.0, last });
    }
    let is_ahead = |part, found| record.lineage.judge(part, found) == Standing::Ahead;
    let are_old = is_ahead(Part::Journal, journal) || is_ahead(Part::Content, content);
    if settings.accept_loss && are_old {
        let seen = journal.into_iter().chain(content).map(|start| start.epoch).max().unwrap_or_default();
        begin_again(&*stores.metadata, machine, record, seen).await?;
    }
    for (part, found) in [(Part::Journal, journal), (Part::Content, content)] {
        if settings.accept_loss || record.lineage.judge(part, found) == Standing::Known {
            record.lineage.note(part, found);
        }
    }
    let epoch = Epoch(stores.metadata.allocate(Counter::Epochs, 1).await?.start);
    let start = Start { epoch, nonce: machine.randomness.bits64() };
    record.lineage.give(start);
    stores.metadata.put_record(record).await?;
    Ok(Begun { start, journal: standing, is_judged })
}

/// The objects must be the share's own, they must be there, and nobody else may hold them. Where the store does not
/// answer, a share that was used before is opened all the same: what its clients do without the store goes on, and the
/// store is asked again later.
async fn own(
    stores: &VolumeStores,
    settings: &VolumeSettings,
    machine: &Machine,
    record: &ShareRecord,
    start: Start,
) -> Result<Arc<OwnedContent>, OpenError> {
    let has_objects = !stores.metadata.objects(None, 1).await?.is_empty();
    let owner = Owner {
        share: record.id,
        name: record.name.clone(),
        owner: record.content_owner,
        start,
        lineage: record.lineage.clone(),
        holder: settings.holder.clone(),
        must_be_there: has_objects && !settings.accept_loss,
        takes_over: settings.take_over,
    };
    let (clock, randomness) = (Arc::clone(&machine.clock), Arc::clone(&machine.randomness));
    let owned = Arc::new(OwnedContent::new(Arc::clone(&stores.content), owner, clock, randomness));
    match owned.take().await {
        Ok(Ok(())) => Ok(owned),
        Ok(Err(refusal)) => Err(OpenError::NotOwner { refusal: Box::new(refusal), owner: record.content_owner }),
        Err(ContentError::Unavailable(error)) if has_objects || record.dirty => {
            tracing::warn!(share = %record.name, %error, "opened without its content store, which does not answer");
            Ok(owned)
        }
        Err(error) => Err(error.into()),
    }
}

/// The journal must be the one that may hold what was not flushed. Answers the number above which records go on:
/// those of a new journal must be above all that any node names, or a replay would take them for old ones.
async fn check_journal(
    stores: &VolumeStores,
    record: &ShareRecord,
    begun: &Begun,
    accept_loss: bool,
) -> Result<Sequence, OpenError> {
    let JournalIdentity { journal, incarnation, start } = stores.journal.identity();
    let is_newest = incarnation >= record.journal_incarnation;
    let is_own = journal == record.journal;
    if is_own && is_newest && begun.journal != Standing::Older {
        return Ok(Sequence(0));
    }
    if record.dirty && !accept_loss {
        let epoch = |start: Option<Start>| start.map_or(0, |start| start.epoch.0);
        let noted = record.lineage.noted(Part::Journal);
        return Err(match is_newest {
            _ if !is_own => OpenError::ForeignJournal { found: journal, expected: record.journal },
            true => OpenError::JournalBehind { found: epoch(start), expected: epoch(noted) },
            false => OpenError::OlderJournal { found: incarnation, expected: record.journal_incarnation },
        });
    }
    Ok(highest_named(stores).await?)
}

/// The number above which the records of a start without a journal go on: above all that any node names. A record never
/// takes more than one number, and one stamp at least but where it is a copy, of which there are far fewer than the
/// stamps that are left out here.
async fn without_journal(
    stores: &VolumeStores,
    record: &ShareRecord,
    accept_loss: bool,
) -> Result<Sequence, OpenError> {
    if record.dirty && !accept_loss {
        return Err(OpenError::JournalLeft { expected: record.journal });
    }
    Ok(Sequence(stores.metadata.allocate(Counter::Stamps, UNCLOSED_STRIDE).await?.end))
}

/// The highest number of a record that any node of the share names.
async fn highest_named(stores: &VolumeStores) -> Result<Sequence, MetadataError> {
    let (mut highest, mut after) = (Sequence(0), NodeId(0));
    loop {
        // The number that a damaged row names can't be known.
        let page = nodes_after(&*stores.metadata, after, NODES_PER_PAGE).await?;
        let Some(next) = page.next() else { return Ok(highest) };
        after = next;
        for node in &page.nodes {
            let excluded = node.replay_exclusions.iter().map(|one| one.up_to).max().unwrap_or_default();
            highest = highest.max(node.content_seq).max(node.times_seq).max(excluded);
        }
    }
}
