//! Something is flushed or removed between the look into the metadata store and the look at what is unflushed.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use dittofs_application::{ServedShare, Services};
use dittofs_domain::{
    Attributes, Cookie, Name, NodeId,
    namespace::{CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, SetAttributes},
};
use dittofs_ports::{AdminService, BlockService, ListRequest, LookupName, MetadataService, Stability, WeakAttributes};

use crate::{
    interposed::After,
    world::{SHARE, World, caller},
};

type Event = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How an event is made, for a file of a share.
type Begin = fn(Arc<Services>, NodeId) -> Event;

/// Returns the events that come between.
fn events() -> [(&'static str, Begin); 3] {
    [
        ("flush", |services, _| Box::pin(async move { services.flush().await.unwrap() })),
        ("truncation", |services, node| {
            Box::pin(async move {
                let share = services.share(SHARE).unwrap();
                share.set_attributes(&caller(), node, &SetAttributes::size(2), None).await.unwrap();
            })
        }),
        ("write and flush", |services, node| {
            Box::pin(async move {
                let more = Bytes::from_static(b"many more bytes");
                let share = services.share(SHARE).unwrap();
                share.write(&caller(), node, 5, more, Stability::Unstable).await.unwrap();
                services.flush().await.unwrap();
            })
        }),
    ]
}

/// The attributes that a call answers of the file: those after it, and where it reports them, those before it.
type Reply = (Attributes, Option<WeakAttributes>);

async fn attributes(share: &ServedShare, node: NodeId) -> Reply {
    (share.attributes(&caller(), node).await.unwrap(), None)
}

async fn access(share: &ServedShare, node: NodeId) -> Reply {
    (share.access(&caller(), node).await.unwrap().1, None)
}

async fn lookup(share: &ServedShare, _: NodeId) -> Reply {
    let name = LookupName::Child(Name::new(b"file").unwrap());
    (share.lookup(&caller(), NodeId::ROOT, &name).await.unwrap().node, None)
}

async fn list(share: &ServedShare, _: NodeId) -> Reply {
    let directory = NodeId::ROOT;
    let request = ListRequest { directory, after: Cookie::START, entries_max: 10, with_attributes: true };
    let listed = share.list(&caller(), &request).await.unwrap();
    (listed.entries[0].attributes.clone().unwrap(), None)
}

async fn create(share: &ServedShare, _: NodeId) -> Reply {
    let request = CreateRequest {
        directory: NodeId::ROOT,
        name: Name::new(b"file").unwrap(),
        kind: NewKind::File,
        attributes: InitialAttributes::default(),
        how: CreateHow::Unchecked,
    };
    (share.create(&caller(), &request, None).await.unwrap().node, None)
}

async fn link(share: &ServedShare, node: NodeId) -> Reply {
    let request = LinkRequest { node, directory: NodeId::ROOT, name: Name::new(b"other").unwrap() };
    (share.link(&caller(), &request, None).await.unwrap().node, None)
}

async fn commit(share: &ServedShare, node: NodeId) -> Reply {
    let file = share.commit(&caller(), node).await.unwrap().file;
    (file.after, file.before)
}

fn weak(attributes: &Attributes) -> WeakAttributes {
    let Attributes { size, mtime, ctime, change, .. } = *attributes;
    WeakAttributes { size, mtime, ctime, change }
}

/// A call, with each event right after its last look into the metadata store: what it answers was true before the
/// event or is true after it, and is not a mixture.
macro_rules! holds {
    ($($name:ident: $call:ident, $after:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                for (what, event) in events() {
                    let world = World::new().await;
                    let node = world.file(b"bytes").await;
                    let old = attributes(&world.share, node).await.0;
                    world.next.set($after, event(Arc::clone(&world.services), node));
                    let (after, before) = $call(&world.share, node).await;
                    assert!(world.next.is_over(), "{what}: nothing came between");
                    let new = attributes(&world.share, node).await.0;
                    assert!(after == old || after == new, "{what}: {after:?}, but it was {old:?} and is {new:?}");
                    if let Some(before) = before {
                        assert!(before == weak(&old) || before == weak(&new), "{what}: before: {before:?}");
                    }
                }
            }
        )*
    };
}

holds! {
    attributes_are_of_one_state: attributes, After::View;
    access_answers_attributes_of_one_state: access, After::View;
    lookup_answers_attributes_of_one_state: lookup, After::View;
    a_listing_answers_attributes_of_one_state: list, After::List;
    a_listing_that_waits_for_its_directory_answers_attributes_of_one_state: list, After::View;
    create_of_an_existing_file_answers_attributes_of_one_state: create, After::View;
    link_answers_attributes_of_one_state: link, After::Apply;
    commit_answers_attributes_of_one_state: commit, After::View;
}
