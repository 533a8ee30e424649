//! Objects: their states, what refers to them, and how a pending delete races with referring.

use std::sync::Arc;

use dittofs_domain::{
    Epoch, NodeId, NodeKind, ObjectId, PlaceId, Tree,
    plan::{Change, Expectation, ObjectRecord, ObjectState, Plan, Reference},
};
use dittofs_ports::{ApplyError, MetadataStore};

use super::{Fixture, expectation::assert_conflict, fixture::time};

fn object(number: u128, state: ObjectState) -> ObjectRecord {
    ObjectRecord {
        id: ObjectId(number << 90 | number),
        state,
        owner: Epoch(5),
        bytes: 100 + number as u64,
        place: PlaceId(number as u32),
    }
}

pub async fn objects_come_in_the_order_of_their_ids_in_pages(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    assert!(fixture.share.objects(None, 10).await.unwrap().is_empty());
    let mut expected: Vec<ObjectRecord> = (1..=50).map(|number| object(number, ObjectState::Writing)).collect();
    for record in expected.iter().rev() {
        fixture.change(Change::PutObject(*record)).await;
    }
    expected[7] = ObjectRecord { state: ObjectState::Live, ..expected[7] };
    fixture.change(Change::PutObject(expected[7])).await;
    fixture.change(Change::DeleteObject(expected.remove(20).id)).await;
    for max in [1, 7, 49, 50, 1_000] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = fixture.share.objects(after, max).await.unwrap();
            assert!(page.len() <= max);
            all.extend_from_slice(&page);
            match page.last() {
                Some(last) if page.len() == max => after = Some(last.id),
                _ => break,
            }
        }
        assert_eq!(all, expected, "in pages of {max}");
    }
}

pub async fn references_are_a_set(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let [one, two] = [1, 2].map(|number| object(number, ObjectState::Live));
    for record in [one, two] {
        fixture.change(Change::PutObject(record)).await;
    }
    let first = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let second = fixture.add(NodeId::ROOT, "g", NodeKind::File).await;
    for (object, node, chunk) in [(one.id, first, 3), (one.id, first, 3), (one.id, first, 9), (two.id, second, 3)] {
        fixture.change(Change::InsertReference(Reference::live(object, node, chunk))).await;
    }
    fixture.change(Change::InsertReference(Reference::live(one.id, second, u64::MAX >> 27))).await;
    let references = async |id, max| {
        let mut found = fixture.share.references(id, max).await.unwrap();
        found.sort_unstable();
        found
    };
    let all = [(first, 3), (first, 9), (second, u64::MAX >> 27)];
    assert_eq!(references(one.id, 10).await, all);
    assert_eq!(references(one.id, 3).await, all);
    assert_eq!(references(one.id, 2).await.len(), 2);
    assert_eq!(references(two.id, 10).await, [(second, 3)]);
    assert!(references(ObjectId(99), 10).await.is_empty());
    for _ in 0..2 {
        fixture.change(Change::DeleteReference(Reference::live(one.id, first, 3))).await;
        assert_eq!(references(one.id, 10).await, all[1..]);
    }
}

pub async fn a_reference_of_a_tree_that_ended_is_another_one(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let record = object(1, ObjectState::Live);
    let live = Reference::live(record.id, node, 7);
    let ended = Reference { until: Tree(5), ..live };
    fixture.change(Change::PutObject(record)).await;
    fixture.change(Change::InsertReference(ended)).await;
    fixture.change(Change::InsertReference(live)).await;
    assert_eq!(fixture.share.references_after(None, 10).await.unwrap(), [live, ended]);
    assert_eq!(fixture.share.references_after(Some(live), 10).await.unwrap(), [ended]);
    assert_eq!(fixture.share.references_after(ended.predecessor(), 10).await.unwrap(), [ended]);
    assert_eq!(fixture.share.references_after(live.predecessor(), 1).await.unwrap(), [live]);

    fixture.change(Change::DeleteReference(live)).await;
    assert_eq!(fixture.share.references(record.id, 10).await.unwrap(), [(node, 7)]);
    let mut plan = Plan::at(time(9));
    plan.require(Expectation::Unreferenced(record.id));
    assert_conflict(&fixture, plan.clone()).await;
    fixture.change(Change::DeleteReference(ended)).await;
    fixture.apply(plan).await;
}

pub async fn an_object_is_pending_delete_or_referred_to_but_never_both(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    for round in 1..=100 {
        let record = object(round, ObjectState::Live);
        fixture.change(Change::PutObject(record)).await;
        let mut refer = Plan::at(time(2_000));
        refer.require(Expectation::ObjectUsable { object: record.id, epoch: Epoch(6) });
        refer.change(Change::InsertReference(Reference::live(record.id, node, 1)));
        let mut mark = Plan::at(time(2_000));
        mark.require(Expectation::Unreferenced(record.id));
        mark.require(Expectation::ObjectState { object: record.id, state: ObjectState::Live });
        mark.change(Change::PutObject(ObjectRecord { state: ObjectState::PendingDelete, ..record }));

        let (first, second) = if round % 2 == 0 { (refer, mark) } else { (mark, refer) };
        let (one, two) = (fixture.clone(), fixture.clone());
        let first = tokio::spawn(async move { one.try_apply(first).await });
        let second = tokio::spawn(async move { two.try_apply(second).await });
        let answers = [first.await.unwrap(), second.await.unwrap()];
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.iter().any(|answer| matches!(answer, Err(ApplyError::Conflict))), "{answers:?}");
        let referred = !fixture.share.references(record.id, 1).await.unwrap().is_empty();
        let state = fixture.share.objects(None, 1_000).await.unwrap();
        let state = state.iter().find(|known| known.id == record.id).unwrap().state;
        assert_eq!(referred, state == ObjectState::Live);
    }
}
