//! Leases of directories that come while a change is under way, and changes of which nobody knows whether they were
//! made.

use std::sync::Arc;

use dittofs_application::ServedShare;
use dittofs_domain::{
    ClientId, Name, NodeId,
    access::AccessMask,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
    opens::{Break, LeaseKey, Locking, Rights, ShareAccess, Waiter},
};
use dittofs_ports::{
    ApplyError, CacheKey, CacheRequest, Caller, EntryService, MetadataService, NodeRef, OpenEvents, OpenRequest,
    OpenService,
};
use parking_lot::Mutex;

use crate::{
    interposed::After,
    world::{SHARE, World, caller},
};

const RH: Rights = Rights::READ.union(Rights::HANDLE);
const ROOT: NodeId = NodeId::ROOT;

/// The breaks, each with its directory.
#[derive(Default)]
struct Breaks(Mutex<Vec<NodeId>>);

impl OpenEvents for Breaks {
    fn serves(&self, _client: ClientId) -> bool {
        true
    }

    fn break_requested(&self, node: NodeRef, _request: &Break) {
        self.0.lock().push(node.node);
    }

    fn lease_revoked(&self, _node: NodeRef, _key: LeaseKey) {}

    fn lock_granted(&self, _node: NodeRef, _waiter: &Waiter) {}
}

impl Breaks {
    fn of(world: &World) -> Arc<Breaks> {
        let breaks = Arc::new(Breaks::default());
        world.services.subscribe(Arc::clone(&breaks) as Arc<dyn OpenEvents>);
        breaks
    }

    fn take(&self) -> Vec<NodeId> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// Gets a lease of a directory.
async fn cache(share: &ServedShare, directory: NodeId, key: u128) {
    let request = OpenRequest {
        rights: AccessMask::READ_DATA,
        deny: ShareAccess::empty(),
        locking: Locking::Mandatory,
        truncate: false,
        created: false,
        cache: Some(CacheRequest { key: CacheKey::Lease(key), rights: RH }),
        waits: true,
    };
    let holder = Caller { client: ClientId::Smb(9), ..caller() };
    assert_eq!(share.open(&holder, directory, &request).await.unwrap().lease.unwrap().1.rights, RH);
}

async fn directory(world: &World, directory: NodeId, name: &str) -> NodeId {
    let request = CreateRequest {
        directory,
        name: Name::new(name.as_bytes()).unwrap(),
        kind: NewKind::Directory,
        attributes: InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() },
        how: CreateHow::Guarded,
    };
    world.share.create(&caller(), &request, None).await.unwrap().node.node
}

#[tokio::test]
async fn a_lease_that_comes_while_a_change_is_made_is_told_of_it() {
    for after in [After::View, After::Apply] {
        let world = World::new().await;
        let breaks = Breaks::of(&world);
        let services = Arc::clone(&world.services);
        world.next.set(after, async move { cache(&services.share(SHARE).unwrap(), ROOT, 1).await });
        world.create("a").await.unwrap();
        assert!(world.next.is_over());
        assert_eq!(breaks.take(), [ROOT], "{after:?}");
    }
}

#[tokio::test]
async fn who_caches_anything_is_told_of_a_change_that_may_have_been_made() {
    let world = World::new().await;
    let there = directory(&world, ROOT, "there").await;
    let breaks = Breaks::of(&world);
    cache(&world.share, ROOT, 1).await;
    world.faults.answer_of_apply.always(|| ApplyError::Unknown("the answer is lost".into()));
    world.create("a").await.unwrap_err();
    world.faults.answer_of_apply.clear();
    assert_eq!(breaks.take(), [], "this call can't");
    directory(&world, there, "below").await;
    assert_eq!(breaks.take(), [ROOT], "the next change does");
    directory(&world, there, "beside").await;
    assert_eq!(breaks.take(), []);
}

#[tokio::test]
async fn nobody_is_told_of_a_change_that_was_not_made() {
    let world = World::new().await;
    let breaks = Breaks::of(&world);
    cache(&world.share, ROOT, 1).await;
    let there = directory(&world, ROOT, "there").await;
    assert_eq!(breaks.take(), [ROOT]);
    let other = directory(&world, there, "other").await;
    cache(&world.share, other, 2).await;
    world.faults.apply.always(|| ApplyError::Unavailable("away".into()));
    world.create("a").await.unwrap_err();
    world.faults.apply.clear();
    directory(&world, there, "below").await;
    assert_eq!(breaks.take(), []);
}
