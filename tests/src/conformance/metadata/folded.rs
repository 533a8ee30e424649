//! Names in any case: what folds alike is found together, and expected to be absent together.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, FoldTable, Name, NodeId, NodeKind,
    plan::{Change, EntryKey, Expectation, FOLDED_MAX, NodeUpdate, Plan, Query, Space},
};
use dittofs_ports::{ApplyError, MetadataStore, ShareRecord, Survives};
use tokio::task::JoinSet;

use super::{
    Fixture,
    expectation::assert_holds,
    fixture::{child, name, time},
};

/// The entries that a name means in any case, by their real names: the oldest first.
async fn alike(fixture: &Fixture, directory: NodeId, text: &str) -> Vec<String> {
    let key = child(directory, text);
    let view = fixture.view(Query::child(directory, key).in_any_case()).await;
    let [folded] = &view.folded[..] else { panic!("{} answers to one name", view.folded.len()) };
    assert_eq!(folded.name, FoldTable::NEWEST.folded(&name(text)));
    let cookies: Vec<Cookie> = folded.entries.iter().map(|alike| alike.found.cookie).collect();
    assert!(cookies.is_sorted(), "{cookies:?}");
    let text = |name: &Name| String::from_utf8_lossy(name.as_bytes()).into_owned();
    folded.entries.iter().map(|alike| text(&alike.name)).collect()
}

pub async fn a_name_in_any_case_brings_all_that_fold_alike(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    for text in ["Readme", "README", "other", "readme", "Readme2", "read", "ÄRGER", "ärger", "ΟΔΟΣ"] {
        fixture.add(directory, text, NodeKind::File).await;
    }
    fixture.add(NodeId::ROOT, "rEADME", NodeKind::File).await;
    for text in ["readme", "README", "reaDme"] {
        assert_eq!(alike(&fixture, directory, text).await, ["Readme", "README", "readme"], "{text}");
    }
    assert_eq!(alike(&fixture, directory, "Ärger").await, ["ÄRGER", "ärger"]);
    assert_eq!(alike(&fixture, directory, "οδος").await, ["ΟΔΟΣ"]);
    assert_eq!(alike(&fixture, directory, "Other").await, ["other"]);
    assert_eq!(alike(&fixture, NodeId::ROOT, "readme").await, ["rEADME"]);
    for text in ["nothing", "READ2", "D"] {
        assert!(alike(&fixture, directory, text).await.is_empty(), "{text}");
    }
    assert!(alike(&fixture, NodeId(999_999), "readme").await.is_empty(), "a directory that is not there");
}

pub async fn names_in_any_case_are_answered_in_the_order_of_the_query_with_their_nodes(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let full = fixture.add(NodeId::ROOT, "Full", NodeKind::Directory).await;
    let empty = fixture.add(NodeId::ROOT, "Empty", NodeKind::Directory).await;
    let file = fixture.add(full, "File", NodeKind::File).await;
    let folded = vec![
        child(full, "FILE"),
        child(NodeId::ROOT, "missing"),
        child(NodeId::ROOT, "EMPTY"),
        child(NodeId::ROOT, "FULL"),
    ];
    let view = fixture.view(Query { folded, ..Query::default() }).await;
    let found = view
        .folded
        .iter()
        .map(|folded| folded.entries.iter().map(|alike| (alike.found.node.id, alike.found.empty)).collect::<Vec<_>>());
    let expected = [vec![(file, false)], vec![], vec![(empty, true)], vec![(full, false)]];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

pub async fn of_many_names_that_fold_alike_the_oldest_are_brought(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut texts = Vec::new();
    for number in 0..32_u32 {
        let letters = "abcde".chars().enumerate();
        let upper = |(index, letter): (usize, char)| {
            if number & 1 << index != 0 { letter.to_ascii_uppercase() } else { letter }
        };
        texts.push(letters.map(upper).collect::<String>());
    }
    // The one that is its own folded name comes late.
    texts.rotate_left(1);
    for text in &texts {
        fixture.add(NodeId::ROOT, text, NodeKind::File).await;
    }
    assert_eq!(alike(&fixture, NodeId::ROOT, "ABCDE").await, texts[..FOLDED_MAX]);
}

pub async fn a_folded_name_goes_and_comes_with_its_entry(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "One", NodeKind::File).await;
    let cookie = fixture.entry(NodeId::ROOT, "One").await.unwrap().cookie;
    let rename = |from: &str, to: &str| {
        let mut plan = Plan::at(time(1_500));
        plan.change(Change::DeleteEntry(child(NodeId::ROOT, from)));
        plan.change(Change::InsertEntry { key: child(NodeId::ROOT, to), node, cookie });
        plan.change(Change::UpdateNode(node, NodeUpdate::changed()));
        plan
    };
    for (from, to) in [("One", "ONE"), ("ONE", "one"), ("one", "Two"), ("Two", "one"), ("one", "One")] {
        fixture.apply(rename(from, to)).await;
        assert_eq!(alike(&fixture, NodeId::ROOT, to).await, [to]);
        assert_eq!(alike(&fixture, NodeId::ROOT, from).await.len(), usize::from(from.eq_ignore_ascii_case(to)));
    }
    // Refused: nothing of it is in the index.
    let mut plan = rename("One", "Three");
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, "missing")));
    assert!(matches!(fixture.try_apply(plan).await, Err(ApplyError::Malformed)));
    assert_eq!(alike(&fixture, NodeId::ROOT, "three").await, [""; 0]);
    assert_eq!(alike(&fixture, NodeId::ROOT, "one").await, ["One"]);
    let mut plan = Plan::at(time(1_500));
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, "One")));
    fixture.apply(plan).await;
    assert_eq!(alike(&fixture, NodeId::ROOT, "one").await, [""; 0]);
}

pub async fn no_name_folds_alike_until_one_is_added(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    fixture.add(directory, "Taken", NodeKind::File).await;
    fixture.add(directory, "lower", NodeKind::File).await;
    let odd = EntryKey { name: Name::new(b"\xffOdd").unwrap(), ..child(directory, "x") };
    let (node, cookie) = (fixture.entry(directory, "lower").await.unwrap().node.id, Cookie(fixture.number()));
    fixture.change(Change::InsertEntry { key: odd.clone(), node, cookie }).await;
    let stream = EntryKey { space: Space::Streams, ..child(directory, "taken") };
    let absent = [child(directory, "taken2"), child(directory, "take"), child(NodeId::ROOT, "taken"), stream];
    let odd = EntryKey { name: Name::new(b"\xffoDD").unwrap(), ..odd };
    let there = ["taken", "TAKEN", "Taken", "lower", "LOWER"].map(|text| child(directory, text));
    let fails: Vec<Expectation> =
        there.into_iter().chain([odd, child(NodeId::ROOT, "D")]).map(Expectation::FoldedAbsent).collect();
    assert_holds(&fixture, &absent.map(Expectation::FoldedAbsent), &fails).await;
}

pub async fn of_concurrent_creates_of_one_name_in_any_case_one_succeeds(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for text in ["foo", "FOO", "Foo", "fOO", "foO", "foo", "FOO"] {
            let text = format!("{text}{round}");
            let (mut plan, _) = fixture.addition(NodeId::ROOT, &text, NodeKind::File);
            plan.expectations[0] = Expectation::FoldedAbsent(child(NodeId::ROOT, &text));
            let fixture = fixture.clone();
            tasks.spawn(async move { fixture.try_apply(plan).await });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(ApplyError::Conflict))));
        assert_eq!(alike(&fixture, NodeId::ROOT, &format!("foo{round}")).await.len(), 1);
    }
    fixture.dump().await.assert_tree();
}

pub async fn a_share_keeps_the_table_by_which_it_folds_names(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let fixture = Fixture::new(&store).await;
    fixture.add(NodeId::ROOT, "One", NodeKind::File).await;
    let record = fixture.share.record().await.unwrap();
    assert_eq!(record.folding, Some(FoldTable::NEWEST));
    fixture.share.put_record(&ShareRecord { folding: None, ..record.clone() }).await.unwrap();
    assert_eq!(fixture.share.record().await.unwrap(), record, "the table is another one");
    if store.survives() == Survives::Nothing {
        return;
    }
    let Fixture { share, id, numbers } = fixture;
    drop((share, store));
    let store = open().await;
    let share = store.share(id).await.unwrap().unwrap();
    let fixture = Fixture { share, id, numbers };
    assert_eq!(fixture.share.record().await.unwrap(), record);
    assert_eq!(alike(&fixture, NodeId::ROOT, "ONE").await, ["One"]);
}
