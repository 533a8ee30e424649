//! Plans that commute never conflict. Plans that do not commute conflict.

use std::{collections::BTreeSet, sync::Arc};

use dittofs_domain::{
    Credentials, NodeId, NodeKind,
    namespace::{Context, CreateDecision, create},
    plan::{Change, Expectation, LinkChange, NodeUpdate, Plan},
};
use dittofs_ports::{ApplyError, MetadataStore};
use tokio::task::JoinSet;

use super::{
    Fixture,
    fixture::{child, time},
    request::{fresh, new_directory, new_file},
};

const TASKS: usize = 400;

/// Creates by the real rule, once: no second try. Answers the directory's count of changes afterwards.
async fn create_once(fixture: &Fixture, directory: NodeId, index: usize) -> u64 {
    let text = format!("entry-{index}");
    let request = if index.is_multiple_of(4) { new_directory(directory, &text) } else { new_file(directory, &text) };
    let view = fixture.view(create::query(&request)).await;
    tokio::task::yield_now().await;
    let credentials = Credentials::root();
    let context = Context { credentials: &credentials, now: time(2_000) };
    let decision = create::decide(&view, &request, &context, fresh(fixture)).unwrap();
    let CreateDecision::New(decision) = decision else { panic!("{text} is there already") };
    let applied = fixture.try_apply(decision.plan).await;
    let applied = applied.unwrap_or_else(|error| panic!("create of {text}: {error:?}"));
    applied.node(directory).unwrap().after.as_ref().unwrap().change.0
}

pub async fn creates_of_different_names_in_one_directory_never_conflict(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let before = fixture.node(directory).await.unwrap();
    let mut tasks = JoinSet::new();
    for index in 0..TASKS {
        let fixture = fixture.clone();
        tasks.spawn(async move { create_once(&fixture, directory, index).await });
    }
    let changes: BTreeSet<u64> = tasks.join_all().await.into_iter().collect();
    assert_eq!(changes.len(), TASKS, "two creates saw the same count of changes of the directory");

    let after = fixture.node(directory).await.unwrap();
    assert_eq!(after.links as usize, 2 + TASKS / 4);
    assert_eq!(after.change.0, *changes.last().unwrap());
    assert!(after.change.0 >= before.change.0 + TASKS as u64);
    assert!(after.mtime > before.mtime && after.ctime > before.ctime);
    let dump = fixture.dump().await;
    dump.assert_tree();
    assert_eq!(fixture.entries(directory, 50).await.len(), TASKS);
}

pub async fn creates_in_a_directory_commute_with_removals_and_changes_of_attributes(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    for index in 0..100 {
        fixture.add(directory, &format!("old-{index}"), NodeKind::File).await;
    }
    let mut tasks = JoinSet::new();
    for index in 0..100 {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            let text = format!("old-{index}");
            match index % 3 {
                0 => drop(create_once(&fixture, directory, index).await),
                1 => remove(&fixture, directory, &text).await,
                _ => {
                    let mut plan = Plan::at(time(2_000));
                    plan.require(Expectation::PermissionVersion { node: directory, version: 0 });
                    plan.change(Change::UpdateNode(directory, NodeUpdate::changed()));
                    fixture.apply(plan).await;
                }
            }
        });
    }
    tasks.join_all().await;
    fixture.dump().await.assert_tree();
    assert_eq!(fixture.entries(directory, 1_000).await.len(), 100 + 34 - 33);
}

async fn remove(fixture: &Fixture, directory: NodeId, text: &str) {
    let found = fixture.entry(directory, text).await.unwrap();
    let key = child(directory, text);
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::EntryIs { key: key.clone(), node: found.node.id, cookie: found.cookie });
    plan.require(Expectation::LinksAre { node: found.node.id, links: 1 });
    plan.change(Change::DeleteEntry(key)).change(Change::DeleteNode(found.node.id));
    plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
    fixture.apply(plan).await;
}

pub async fn of_concurrent_creates_of_one_name_one_succeeds(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (plan, id) = fixture.addition(NodeId::ROOT, &format!("f{round}"), NodeKind::File);
            let fixture = fixture.clone();
            tasks.spawn(async move { (id, fixture.try_apply(plan).await) });
        }
        let answers = tasks.join_all().await;
        let winners: Vec<NodeId> = answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|(_, answer)| matches!(answer, Ok(_) | Err(ApplyError::Conflict))));
        assert_eq!(fixture.entry(NodeId::ROOT, &format!("f{round}")).await.unwrap().node.id, winners[0]);
    }
    fixture.dump().await.assert_tree();
}

pub async fn a_removal_of_a_directory_and_a_create_in_it_meet(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut removed = 0;
    for round in 0..100 {
        let text = format!("d{round}");
        let directory = fixture.add(NodeId::ROOT, &text, NodeKind::Directory).await;
        let (create, _) = fixture.addition(directory, "f", NodeKind::File);
        let mut remove = Plan::at(time(2_000));
        remove.require(Expectation::Linked(directory)).require(Expectation::Empty(directory));
        remove.change(Change::DeleteEntry(child(NodeId::ROOT, &text))).change(Change::DeleteNode(directory));
        let update = NodeUpdate { links: LinkChange::Add(-1), ..NodeUpdate::entries_changed() };
        remove.change(Change::UpdateNode(NodeId::ROOT, update));

        let (first, second) = if round % 2 == 0 { (create, remove) } else { (remove, create) };
        let (one, two) = (fixture.clone(), fixture.clone());
        let first = tokio::spawn(async move { one.try_apply(first).await });
        let second = tokio::spawn(async move { two.try_apply(second).await });
        let answers = [first.await.unwrap(), second.await.unwrap()];
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.iter().any(|answer| matches!(answer, Err(ApplyError::Conflict))), "{answers:?}");
        removed += usize::from(fixture.node(directory).await.is_none());
    }
    assert!(removed <= 100);
    fixture.dump().await.assert_tree();
}
