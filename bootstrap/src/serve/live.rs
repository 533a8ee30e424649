//! A server that serves, and what a newer configuration changes of it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use dittofs_admin::{ReloadView, UnnamedView, Watch};
use dittofs_application::{RetireError, Services, Volume};
use tokio::time::{Instant, sleep};

use super::{
    Accepting, Cause,
    protocols::Served,
    room::Room,
    running::announce,
    volumes::{OpenShare, Opener, policy},
};
use crate::config::{Changes, Config, ShareConfig, StoreKinds, shares_overlap};

/// How long the last reads of a share that goes may take: then its journal is still in use, which is reported.
const LAST_READS: Duration = Duration::from_secs(10);
/// Nobody notices it, and the wait is mostly over at the first look.
const POLL: Duration = Duration::from_millis(10);

/// The served shares, and everything that serves them.
pub(super) struct Live {
    /// The configuration in force.
    pub(super) config: Config,
    pub(super) kinds: StoreKinds,
    pub(super) opener: Opener,
    pub(super) services: Arc<Services>,
    pub(super) shares: Vec<Share>,
    pub(super) protocols: Served,
    pub(super) watch: Arc<Watch>,
    /// Shares in the metadata stores that the configuration does not name.
    pub(super) unnamed: Vec<UnnamedView>,
    /// Volumes that are not served any more.
    pub(super) retired: Vec<Weak<Volume>>,
}

/// A share that is served.
pub(super) struct Share {
    name: String,
    volume: Weak<Volume>,
    meters: Arc<dyn dittofs_ports::statistics::StoreStatistics>,
    room: Room,
}

impl From<OpenShare> for Share {
    fn from(OpenShare { name, volume, meters, room }: OpenShare) -> Share {
        Share { name, volume: Arc::downgrade(&volume), meters, room }
    }
}

impl Live {
    /// Takes what can be taken of a newer configuration. What can't, or fails, leaves all else as it is.
    pub(super) async fn take(&mut self, newer: Config) -> ReloadView {
        let (mut applied, mut failed) = (Vec::new(), Vec::new());
        for name in Changes::gone(&self.config, &newer) {
            match self.retire(&name).await {
                Ok(()) => applied.push(format!("share {name} (not configured any more)")),
                Err(error) => failed.push(format!("share {name} (not configured any more): {error}")),
            }
        }
        self.opener.stores.close_unused(&mut self.config, &newer).await;
        let Changes { new, changed, level, mut restart } = Changes::between(&self.config, &newer);
        for (share, fields) in changed {
            applied.push(format!("share {} ({})", share.name, fields.join(", ")));
            self.config
                .shares
                .iter_mut()
                .filter(|known| known.name == share.name)
                .for_each(|known| *known = share.clone());
        }
        for share in new {
            match self.open(&share, &newer).await {
                Ok(room) => {
                    applied.push(format!("share {} (new)", share.name));
                    restart.extend(self.lacks(&share, room));
                }
                Err(error) => failed.push(format!("share {} (new): {error}", share.name)),
            }
        }
        self.order_as(&newer);
        self.judge_all();
        if level {
            self.config.log.levels = newer.log.levels.clone();
            applied.push("log.level".to_owned());
        }
        let of_protocols = self.protocols.reload(&mut self.config.adapters, &newer.adapters);
        applied.extend(of_protocols.applied);
        restart.extend(of_protocols.restart);
        self.unnamed = self.opener.unnamed(&self.config).await;
        ReloadView { applied, restart, failed }
    }

    /// Serves a share no more, and forgets it.
    async fn retire(&mut self, name: &str) -> Result<(), String> {
        let Some(at) = self.shares.iter().position(|share| share.name == name) else { return Ok(()) };
        let volume = self.shares[at].volume.clone();
        let Some(id) = volume.upgrade().map(|volume| volume.share()) else { return Ok(()) };
        tracing::info!(share = %name, "closing: it is not configured any more");
        let closed = match self.services.retire(id).await {
            Err(error @ RetireError::BackingUp) => {
                return Err(format!("{error}, so it is served on; reload again when that has ended"));
            }
            Ok(()) | Err(RetireError::Unknown) => Ok(()),
            Err(error @ RetireError::Close(_)) => Err(format!(
                "{error}; what its clients take for safe is in its journal if it has one, and is taken from there \
                 when it is served again"
            )),
        };
        // The counters hold the journal, too.
        self.shares.remove(at);
        self.config.shares.retain(|share| share.name != name);
        self.show_meters();
        let until = Instant::now() + LAST_READS;
        while volume.strong_count() > 0 && Instant::now() < until {
            sleep(POLL).await;
        }
        if volume.strong_count() > 0 {
            tracing::warn!(share = %name, "calls still read from it: its journal is closed when they end");
        }
        self.retired.retain(|retired| retired.strong_count() > 0);
        self.retired.push(volume);
        tracing::info!(share = %name, "closed");
        closed
    }

    /// Opens a share, and serves it.
    async fn open(&mut self, share: &ShareConfig, newer: &Config) -> Result<Room, Cause> {
        if let Some(other) = self.config.shares.iter().find(|other| shares_overlap(&other.name, &share.name)) {
            return Err(format!("{} is still served", other.name).into());
        }
        self.opener.stores.open_for(share, (&mut self.config, newer), &self.kinds).await?;
        self.config.journal.path = self.config.journal.path.take().or_else(|| newer.journal.path.clone());
        self.config.shares.push(share.clone());
        let room = Room::beside(&self.config, self.shares.iter().map(|share| share.room));
        match self.opener.open(share, &self.config, &Accepting::default(), room).await {
            Ok(opened) => {
                self.services.add(Arc::clone(&opened.volume));
                self.shares.push(opened.into());
                self.show_meters();
                announce(share, &self.protocols);
                Ok(room)
            }
            Err(error) => {
                self.config.shares.pop();
                Err(error)
            }
        }
    }

    /// Names the bound of which a share that came later will have more after a restart.
    fn lacks(&self, share: &ShareConfig, room: Room) -> Option<String> {
        (room.journal_bytes < Room::equal(&self.config).journal_bytes)
            .then(|| format!("journal.size (share {} has what others have left of it)", share.name))
    }

    /// Applies the order of the newer configuration. Shares that are still served though it does not name them come
    /// last.
    fn order_as(&mut self, newer: &Config) {
        let place = |name: &str| newer.shares.iter().position(|share| share.name == name).unwrap_or(usize::MAX);
        self.config.shares.sort_by_key(|share| place(&share.name));
        self.shares.sort_by_key(|share| place(&share.name));
    }

    /// Has calls judged by the configuration in force. What shares in memory may hold depends on how many there are.
    fn judge_all(&self) {
        for share in &self.config.shares {
            let served = self.shares.iter().find(|served| served.name == share.name);
            if let Some(volume) = served.and_then(|served| served.volume.upgrade()) {
                volume.set_policy(policy(share, &self.config));
            }
        }
    }

    /// Has monitoring show the shares that are served.
    pub(super) fn show_meters(&self) {
        self.watch
            .shares_are(self.shares.iter().map(|share| (share.name.clone(), Arc::clone(&share.meters))).collect());
    }
}
