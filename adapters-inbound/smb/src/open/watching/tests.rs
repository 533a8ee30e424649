use std::{collections::VecDeque, time::Duration};

use dittofs_domain::{
    Name,
    watch::{ChangeAction, ChangeRecord},
};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::*;
use crate::holdings::Holding;

/// A watch of which a test says what there is to take.
#[derive(Default)]
struct Scripted {
    replies: Mutex<VecDeque<WatchReply>>,
    listener: Mutex<Option<Arc<dyn ChangeListener>>>,
}

impl Scripted {
    fn say(&self, reply: WatchReply) {
        self.replies.lock().push_back(reply);
        self.listener.lock().as_ref().unwrap().changed();
    }
}

impl Watch for Scripted {
    fn take(&self) -> WatchReply {
        self.replies.lock().pop_front().unwrap_or(WatchReply::Nothing)
    }
}

fn added(name: &str) -> WatchReply {
    let path = [Name::new(name.as_bytes()).unwrap()].into();
    WatchReply::Changes(vec![ChangeRecord { action: ChangeAction::Added, path, stream: None }])
}

async fn begun(watching: &Watching, watch: &Arc<Scripted>) -> Result<Arc<dyn Watch>, Failure> {
    watching
        .begin(|listener| async {
            *watch.listener.lock() = Some(listener);
            let held = Arc::<Holding>::default().take(1)?;
            Ok((Arc::clone(watch) as Arc<dyn Watch>, held))
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn requests_get_changes_in_the_order_in_which_they_came() {
    let (watching, scripted) = (Watching::default(), Arc::new(Scripted::default()));
    let watch = begun(&watching, &scripted).await.unwrap();
    let turn = watching.try_turn();
    assert!(turn.is_some() && watching.try_turn().is_none());
    let first = watching.changes(turn, &*watch);
    let second = watching.changes(None, &*watch);
    let script = async {
        for name in ["a", "b"] {
            tokio::time::sleep(Duration::from_secs(1)).await;
            scripted.say(added(name));
        }
    };
    let (first, second, ()) = tokio::join!(first, second, script);
    assert_eq!((first, second), (added("a"), added("b")));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_takes_nothing() {
    let (watching, scripted) = (Watching::default(), Arc::new(Scripted::default()));
    let watch = begun(&watching, &scripted).await.unwrap();
    assert!(timeout(Duration::from_secs(1), watching.changes(watching.try_turn(), &*watch)).await.is_err());
    scripted.say(added("a"));
    assert_eq!(watching.changes(watching.try_turn(), &*watch).await, added("a"));
}

#[tokio::test]
async fn only_the_first_request_begins_and_none_after_the_end() {
    let (watching, scripted) = (Watching::default(), Arc::new(Scripted::default()));
    let failed = watching.begin(|_| async { Err(NtStatus::INSUFFICIENT_RESOURCES.into()) }).await;
    assert_eq!(failed.err().unwrap().status, NtStatus::INSUFFICIENT_RESOURCES);
    begun(&watching, &scripted).await.unwrap();
    let again = watching.begin(|_| async { Err(NtStatus::INVALID_PARAMETER.into()) }).await;
    drop(again.unwrap());
    assert_eq!(Arc::strong_count(&scripted), 2);
    watching.end().await;
    assert_eq!(Arc::strong_count(&scripted), 1, "who has closed watches no more");
    assert_eq!(begun(&watching, &scripted).await.err().unwrap().status, NtStatus::FILE_CLOSED);
}
