use async_trait::async_trait;
use dittofs_domain::Timestamp;

use super::*;

/// A clock whose waits end at once: whoever waits for room gives up.
struct Impatient;

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// A clock whose waits never end.
struct Patient;

#[async_trait]
impl Clock for Patient {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {
        std::future::pending().await
    }
}

#[tokio::test]
async fn credits_come_back_when_they_are_dropped() {
    let admission = Admission::new(1 << 20, 150, Duration::from_secs(10));
    let held = admission.admit(900 << 10, &Impatient).await.unwrap();
    assert!(matches!(admission.admit(900 << 10, &Impatient).await, Err(FsError::Busy)));
    drop(held);
    admission.admit(900 << 10, &Impatient).await.unwrap();
    assert_eq!(admission.usage().used, 0);
}

#[tokio::test]
async fn who_waits_for_room_gets_it_and_the_flusher_is_asked() {
    let admission = Admission::new(1 << 20, 150, Duration::from_secs(10));
    let held = admission.admit(900 << 10, &Patient).await.unwrap();
    let waiting = admission.admit(200 << 10, &Patient);
    futures_util::pin_mut!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    admission.short().await;
    drop(held);
    waiting.await.unwrap();
}

#[tokio::test]
async fn what_never_fits_is_refused_at_once() {
    let admission = Admission::new(1 << 20, 150, Duration::from_secs(10));
    assert!(matches!(admission.admit(2 << 20, &Patient).await, Err(FsError::NoSpace)));
}

#[tokio::test]
async fn records_count_beside_their_bytes() {
    let admission = Admission::new(1 << 20, 8 << 10, Duration::from_secs(10));
    let mut held = Vec::new();
    while let Ok(credits) = admission.admit(1, &Impatient).await {
        held.push(credits);
    }
    // 8 KiB and a byte are 17 credits of 512.
    assert_eq!(held.len(), (1 << 20) / (17 * 512));
}
