//! Whom the objects of a share belong to.

use std::sync::Arc;

use dittofs_ports::{Claim, ContentStore};
use tokio::task::JoinSet;

use super::{OTHER_SHARE, SHARE};

pub async fn the_first_owner_keeps_its_claim(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let owner = u128::MAX - 5;
    for _ in 0..2 {
        assert_eq!(store.owner(SHARE).await.unwrap(), None, "to ask changes nothing");
    }
    for claim in [Claim::New, Claim::Ours, Claim::Ours] {
        assert_eq!(store.claim(SHARE, owner).await.unwrap(), claim);
        assert_eq!(store.claim(SHARE, 7).await.unwrap(), Claim::Foreign(owner));
        assert_eq!(store.owner(SHARE).await.unwrap(), Some(owner));
    }
}

pub async fn shares_are_claimed_one_by_one(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    assert_eq!(store.claim(SHARE, 1).await.unwrap(), Claim::New);
    assert_eq!(store.owner(OTHER_SHARE).await.unwrap(), None);
    assert_eq!(store.claim(OTHER_SHARE, 2).await.unwrap(), Claim::New);
    assert_eq!(store.claim(SHARE, 2).await.unwrap(), Claim::Foreign(1));
}

pub async fn one_of_concurrent_claims_wins(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let mut claims = JoinSet::new();
    for owner in 1..=16 {
        let store = store.clone();
        claims.spawn(async move { (owner, store.claim(SHARE, owner).await.unwrap()) });
    }
    let answers = claims.join_all().await;
    let winners: Vec<u128> =
        answers.iter().filter(|(_, claim)| *claim == Claim::New).map(|(owner, _)| *owner).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for (owner, claim) in answers {
        assert!(owner == winners[0] || claim == Claim::Foreign(winners[0]), "{owner}: {claim:?}");
    }
}
