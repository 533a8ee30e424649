#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::sync::atomic::{AtomicU64, Ordering};

use dittofs_domain::{Epoch, Timestamp};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::mocks::MockContentStore;
use tokio::time::Instant;

use super::*;

const SHARE: ShareId = ShareId(1);
const OURS: u128 = 7;
const OBJECT: ObjectId = ObjectId(3);

/// The time of the runtime, which tests let pass.
struct PausedClock(Instant);

#[async_trait]
impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct Counted(AtomicU64);

impl Randomness for Counted {
    fn bits64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn bits128(&self) -> u128 {
        self.bits64().into()
    }
}

fn start(number: u64) -> Start {
    Start { epoch: Epoch(number), nonce: number }
}

fn owner(number: u64) -> Owner {
    let mut lineage = Lineage::default();
    (1..=number).for_each(|known| lineage.give(start(known)));
    Owner {
        share: SHARE,
        name: "/export".into(),
        owner: OURS,
        start: start(number),
        lineage,
        holder: Holder { seat: number, ..Holder::default() },
        must_be_there: false,
        takes_over: false,
    }
}

fn owned(store: &Arc<dyn ContentStore>, owner: Owner) -> OwnedContent {
    let randomness = Counted(AtomicU64::new(owner.start.nonce * 1_000));
    OwnedContent::new(Arc::clone(store), owner, Arc::new(PausedClock(Instant::now())), Arc::new(randomness))
}

fn memory() -> Arc<dyn ContentStore> {
    Arc::new(MemoryContentStore::new())
}

async fn put(content: &OwnedContent) -> Result<(), ContentError> {
    content.put(SHARE, OBJECT, vec!["bytes".into()]).await
}

fn is_away<T: std::fmt::Debug>(answer: Result<T, ContentError>) -> bool {
    assert!(matches!(answer, Err(ContentError::Unavailable(_)) | Ok(_)), "{answer:?}");
    answer.is_err()
}

/// Does what is due for so long.
async fn pass(content: &OwnedContent, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        match content.tend().await {
            Some(wait) => tokio::time::sleep(wait.max(Duration::from_millis(1))).await,
            None => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_renews_its_lease_keeps_it() {
    let store = memory();
    let content = owned(&store, owner(1));
    content.take().await.unwrap().unwrap();
    for _ in 0..5 {
        pass(&content, 60).await;
        put(&content).await.unwrap();
        content.delete(SHARE, OBJECT).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_renew_it_deletes_nothing_long_before_it_ends_and_puts_nothing_then() {
    let store = memory();
    let content = owned(&store, owner(1));
    content.take().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(is_away(content.delete(SHARE, OBJECT).await));
    put(&content).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(is_away(put(&content).await));
    content.get(SHARE, OBJECT, 0..5).await.unwrap();
    // Nobody has come meanwhile.
    pass(&content, 1).await;
    content.delete(SHARE, OBJECT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_lost_it_flushes_and_deletes_nothing_and_calls_nothing_lost() {
    let store = memory();
    let first = owned(&store, owner(1));
    first.take().await.unwrap().unwrap();
    put(&first).await.unwrap();
    let second = owned(&store, Owner { takes_over: true, ..owner(2) });
    second.take().await.unwrap().unwrap();
    assert!(is_away(second.delete(SHARE, OBJECT).await), "the first one may still use it");
    pass(&first, 30).await;
    assert_eq!(first.phase(), Some(Phase::Lost));
    assert!(is_away(put(&first).await) && is_away(first.delete(SHARE, OBJECT).await));
    assert!(first.demand_held().is_err());
    first.get(SHARE, OBJECT, 0..5).await.unwrap();
    pass(&second, 40).await;
    second.delete(SHARE, OBJECT).await.unwrap();
    assert!(is_away(first.get(SHARE, OBJECT, 0..5).await), "who deleted it knows why");
}

#[tokio::test(start_paused = true)]
async fn a_second_start_is_refused_while_the_first_renews_and_free_once_it_gave_the_objects_back() {
    let store = memory();
    let first = owned(&store, owner(1));
    first.take().await.unwrap().unwrap();
    let second = owned(&store, owner(2));
    let (refused, ()) = tokio::join!(second.take(), pass(&first, 10));
    assert!(matches!(refused.unwrap(), Err(Refusal::Living(_))));
    first.release().await;
    assert!(is_away(put(&first).await));
    let third = owned(&store, owner(3));
    third.take().await.unwrap().unwrap();
    put(&third).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn objects_of_others_and_of_another_time_are_never_touched() {
    let store = memory();
    let newest = owned(&store, owner(9));
    newest.take().await.unwrap().unwrap();
    newest.release().await;
    let foreign = Owner { owner: 8, ..owner(10) };
    for (owner, word) in [(owner(5), "does not know"), (foreign, "belong to owner")] {
        let content = owned(&store, owner);
        assert!(content.take().await.unwrap().is_err());
        for answer in [put(&content).await, content.delete(SHARE, OBJECT).await] {
            let Err(ContentError::Corrupt(found)) = answer else { panic!("{answer:?}") };
            assert!(found.to_string().contains(word), "{found}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_lost_everything_is_not_made_ours_by_asking() {
    let store = memory();
    for _ in 0..2 {
        let content = owned(&store, Owner { must_be_there: true, ..owner(1) });
        assert_eq!(content.take().await.unwrap(), Err(Refusal::Gone));
    }
    owned(&store, owner(1)).take().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_asked_again_and_unavailable_until_then() {
    let mut store = MockContentStore::new();
    let unanswered = AtomicU64::new(2);
    store.expect_request_max().return_const(Duration::from_secs(10));
    store.expect_owner().returning(move |_| {
        match unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)) {
            Ok(_) => Err(ContentError::Unavailable("away".into())),
            Err(_) => Ok(None),
        }
    });
    store.expect_claim().returning(|_, mark, _| {
        Ok(Claim::Written { marked: Marked { mark: mark.clone(), version: None }, is_atomic: true })
    });
    store.expect_put().returning(|_, _, _| Ok(()));
    let store: Arc<dyn ContentStore> = Arc::new(store);
    let content = owned(&store, owner(1));
    assert!(content.take().await.is_err());
    assert!(is_away(put(&content).await));
    pass(&content, 5).await;
    put(&content).await.unwrap();
}
