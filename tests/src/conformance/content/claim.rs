//! Whom the objects of a share belong to, and who holds them.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Epoch, Timestamp,
    ownership::{Holder, Mark, Start},
};
use dittofs_ports::{Claim, ContentStore, Marked};
use tokio::task::JoinSet;

use super::{OTHER_SHARE, SHARE};

/// A mark that differs from every other with another tag.
pub(super) fn mark(owner: u128, tag: u64) -> Mark {
    Mark {
        owner,
        start: Some(Start { epoch: Epoch(tag), nonce: !tag }),
        tag,
        lease: Duration::from_secs(20),
        request_max: Duration::from_secs(10),
        share: "/export".into(),
        holder: Holder { host: "a \"host\"\n".into(), process: 7, folder: "/a folder".into(), seat: 3 },
        at: Timestamp::from_unix_nanos(1_767_225_600_123_456_789),
    }
}

fn written(claim: Claim) -> Marked {
    match claim {
        Claim::Written { marked, .. } => marked,
        Claim::Refused(found) => panic!("the claim was refused: {found:?}"),
    }
}

fn refused(claim: Claim) -> Option<Mark> {
    match claim {
        Claim::Refused(found) => found.map(|found| found.mark),
        Claim::Written { marked, .. } => panic!("the claim was written: {marked:?}"),
    }
}

pub async fn a_mark_is_read_as_it_was_written(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for _ in 0..2 {
        assert_eq!(store.owner(SHARE).await.unwrap(), None, "to ask changes nothing");
    }
    let owner = u128::MAX - 5;
    let first = written(store.claim(SHARE, &mark(owner, 1), None).await.unwrap());
    assert_eq!(first.mark, mark(owner, 1));
    assert_eq!(store.owner(SHARE).await.unwrap().unwrap().mark, mark(owner, 1));
    let released = Mark { lease: Duration::ZERO, ..mark(owner, 2) };
    written(store.claim(SHARE, &released, Some(first.clone())).await.unwrap());
    assert_eq!(store.owner(SHARE).await.unwrap().unwrap().mark, released);
}

pub async fn a_mark_is_put_only_over_the_one_that_was_seen(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let first = written(store.claim(SHARE, &mark(1, 1), None).await.unwrap());
    assert_eq!(refused(store.claim(SHARE, &mark(2, 2), None).await.unwrap()), Some(mark(1, 1)));
    let second = written(store.claim(SHARE, &mark(1, 3), Some(first.clone())).await.unwrap());
    assert_eq!(refused(store.claim(SHARE, &mark(2, 4), Some(first.clone())).await.unwrap()), Some(mark(1, 3)));
    let found = store.owner(SHARE).await.unwrap().unwrap();
    assert_eq!(found.mark, mark(1, 3));
    // A mark that was read is as good as one that was written.
    let third = written(store.claim(SHARE, &mark(1, 5), Some(found)).await.unwrap());
    assert_eq!(refused(store.claim(SHARE, &mark(1, 6), Some(second)).await.unwrap()), Some(mark(1, 5)));
    written(store.claim(SHARE, &mark(1, 7), Some(third)).await.unwrap());
}

pub async fn shares_are_claimed_one_by_one(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    assert_eq!(store.shares().await.unwrap(), []);
    written(store.claim(SHARE, &mark(1, 1), None).await.unwrap());
    assert_eq!(store.owner(OTHER_SHARE).await.unwrap(), None);
    assert_eq!(store.shares().await.unwrap(), [SHARE]);
    written(store.claim(OTHER_SHARE, &mark(2, 2), None).await.unwrap());
    assert_eq!(store.shares().await.unwrap(), [SHARE, OTHER_SHARE]);
    assert_eq!(store.owner(SHARE).await.unwrap().unwrap().mark, mark(1, 1));
}

pub async fn one_of_concurrent_claims_wins(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let mut seen = None;
    for round in 0..3 {
        let mut claims = JoinSet::new();
        for number in 1..=16 {
            let (store, seen) = (store.clone(), seen.clone());
            claims.spawn(async move { store.claim(SHARE, &mark(7, round * 100 + number), seen).await.unwrap() });
        }
        let answers = claims.join_all().await;
        let winners: Vec<&Marked> = answers
            .iter()
            .filter_map(|claim| match claim {
                Claim::Written { marked, .. } => Some(marked),
                Claim::Refused(_) => None,
            })
            .collect();
        let [winner] = winners[..] else { panic!("{answers:?}") };
        assert_eq!(store.owner(SHARE).await.unwrap().unwrap().mark, winner.mark);
        seen = Some(winner.clone());
    }
}
