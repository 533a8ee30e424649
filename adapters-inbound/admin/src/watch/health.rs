//! Whether the server lives, and whether it is ready.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_ports::statistics::{Ailing, StatisticsService, StorePart};
use tokio::{runtime::Handle, sync::Mutex, task::JoinSet, time::timeout};

use super::{Watch, WatchedThread};

/// How long a thread or a store may take over a small question. A store behind a network answers in a fraction of it,
/// and a probe must get an answer before it gives up itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// So long the stores' answers count, however many ask. A probe more often than once a second costs the stores nothing
/// then, and learns of a failure a second late.
const AGE_MAX: Duration = Duration::from_secs(1);
/// Of the reason that a store gives. Enough to tell one cause from another, and short enough for a line of a probe.
const REASON_CHARS_MAX: usize = 200;

/// The stores that ailed when they were last asked: share and reason.
#[derive(Default)]
pub(super) struct Readiness {
    last: Mutex<Option<Answers>>,
}

struct Answers {
    at: Instant,
    unready: Vec<(String, String)>,
}

impl Watch {
    /// The threads that do not respond.
    pub(super) async fn silent_threads(&self) -> Vec<String> {
        let mut asked = JoinSet::new();
        for (number, WatchedThread { runtime, .. }) in self.threads.iter().enumerate() {
            let response = runtime.spawn(async {});
            asked.spawn(async move {
                let abort = response.abort_handle();
                let has_responded = matches!(timeout(PATIENCE, response).await, Ok(Ok(())));
                abort.abort();
                (number, has_responded)
            });
        }
        let mut silent: Vec<usize> = Vec::new();
        while let Some(asked) = asked.join_next().await {
            silent.extend(asked.ok().filter(|(_, has_responded)| !has_responded).map(|(number, _)| number));
        }
        silent.sort_unstable();
        let named = silent.into_iter().filter_map(|number| self.threads.get(number));
        named.map(|thread| format!("the thread {} does not respond", thread.name)).collect()
    }

    /// Why the server is not ready, a line each.
    pub(super) async fn unready(&self) -> Vec<String> {
        if self.stopping.get().is_some() {
            return vec!["the server is stopping".to_owned()];
        }
        let mut lines: Vec<String> = Vec::new();
        for (share, reason) in self.unready_shares().await {
            lines.push(format!("{share}: {reason}"));
        }
        if lines.is_empty() && self.sources.get().is_none() {
            lines.push("the server is starting".to_owned());
        }
        lines
    }

    /// Shares that are not ready, with the reason, in the order of the configuration.
    pub(super) async fn unready_shares(&self) -> Vec<(String, String)> {
        if let Some(sources) = self.sources.get() {
            return self.readiness.of(&sources.statistics, &self.back).await;
        }
        let (opened, shares) = (self.opened.lock(), self.shares.lock());
        let closed = shares.iter().filter(|share| !opened.contains(share));
        closed.map(|share| (share.clone(), "is being opened and recovered".to_owned())).collect()
    }
}

impl Readiness {
    async fn of(&self, statistics: &Arc<dyn StatisticsService>, back: &Handle) -> Vec<(String, String)> {
        // Held while the stores are asked: who comes meanwhile gets the same answer.
        let mut last = self.last.lock().await;
        if let Some(Answers { at, unready }) = &*last
            && at.elapsed() < AGE_MAX
        {
            return unready.clone();
        }
        let mut asked = JoinSet::new();
        for (number, share) in statistics.counts().into_iter().enumerate() {
            let statistics = Arc::clone(statistics);
            let ailing = async move { statistics.ailing(share.id, PATIENCE).await.unwrap_or_default() };
            asked.spawn_on(async move { (number, share.name, ailing.await) }, back);
        }
        let mut answers = asked.join_all().await;
        answers.sort_unstable_by_key(|(number, ..)| *number);
        let unready = answers
            .into_iter()
            .flat_map(|(_, name, ailing)| ailing.into_iter().map(move |ailing| (name.clone(), reason(&ailing))));
        let unready: Vec<(String, String)> = unready.collect();
        *last = Some(Answers { at: Instant::now(), unready: unready.clone() });
        unready
    }
}

fn reason(ailing: &Ailing) -> String {
    let store = match ailing.part {
        StorePart::Metadata => "metadata store",
        StorePart::Content => "content store",
    };
    let said: String = ailing.reason.chars().take(REASON_CHARS_MAX).filter(|c| !c.is_control()).collect();
    format!("{store}: {said}")
}
