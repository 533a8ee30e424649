use std::{fs, os::unix::fs::MetadataExt, time::Duration};

use dittofs_domain::{
    Epoch, Timestamp,
    ownership::{Holder, Mark, Start},
};
use dittofs_ports::Claim;

use super::{claim::is_renewal, *};
use crate::{FsOptions, OpenError};

const SHARE: ShareId = ShareId(0xAB);
const OBJECT: ObjectId = ObjectId(0x12_3456 << 104 | 7);

async fn open(path: &Path) -> Result<Arc<FsStore>, OpenError> {
    FsStore::open(FsOptions::new(path)).await.map(Arc::new)
}

async fn refusal(path: &Path) -> String {
    match open(path).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

fn mark(owner: u128) -> Mark {
    let second = Duration::from_secs(1);
    Mark {
        owner,
        start: Some(Start { epoch: Epoch(1), nonce: 2 }),
        tag: 3,
        lease: second,
        request_max: second,
        share: "/export".into(),
        holder: Holder::default(),
        at: Timestamp::EPOCH,
    }
}

#[tokio::test]
async fn who_holds_the_objects_keeps_others_out_until_it_gives_them_back_or_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()).await.unwrap(), open(folder.path()).await.unwrap());
    let Claim::Written { marked, is_atomic: true } = first.claim(SHARE, &mark(1), None).await.unwrap() else {
        panic!()
    };
    let next = Mark { tag: 4, ..mark(1) };
    assert_eq!(second.claim(SHARE, &next, Some(marked.clone())).await.unwrap(), Claim::Refused(Some(marked.clone())));
    let released = Mark { tag: 5, lease: Duration::ZERO, ..mark(1) };
    let Claim::Written { marked, .. } = first.claim(SHARE, &released, Some(marked.clone())).await.unwrap() else {
        panic!()
    };
    let Claim::Written { marked, .. } = second.claim(SHARE, &next, Some(marked.clone())).await.unwrap() else {
        panic!()
    };
    let last = Mark { tag: 6, ..mark(1) };
    assert!(matches!(first.claim(SHARE, &last, Some(marked.clone())).await.unwrap(), Claim::Refused(_)));
    drop(second);
    assert!(matches!(first.claim(SHARE, &last, Some(marked.clone())).await.unwrap(), Claim::Written { .. }));
}

fn parts(text: &'static str) -> Vec<Bytes> {
    vec![Bytes::from_static(text.as_bytes())]
}

#[tokio::test]
async fn the_layout_of_format_1_does_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/down");
    let store = open(&root).await.unwrap();
    assert!(matches!(store.claim(SHARE, &mark(0xC0FFEE), None).await.unwrap(), Claim::Written { .. }));
    store.put(SHARE, OBJECT, parts("hello"), 0).await.unwrap();
    assert_eq!(names(&root), ["00000000000000ab", "dittofs-objects", "incoming"]);
    let share = root.join("00000000000000ab");
    assert_eq!(names(&share), ["12", "owner", "owner.lock"]);
    assert_eq!(fs::read(share.join("12/12345600000000000000000000000007")).unwrap(), b"hello");
    let owner = fs::read(share.join("owner")).unwrap();
    assert!(owner.starts_with(b"dittofs owner 00000000000000000000000000c0ffee\nepoch 1\n"), "{owner:?}");
    assert_eq!(names(&root.join("incoming")), [""; 0]);
}

#[tokio::test]
async fn what_a_crash_left_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let incoming = folder.path().join("incoming");
    let left = ["12345600000000000000000000000007.77.3", "00000000000000ab-owner.1.0"];
    let foreign = ["12345600000000000000000000000007", "12345600000000000000000000000007.77.3.bak", "notes.1.2"];
    for name in left.iter().chain(&foreign) {
        fs::write(incoming.join(name), "x").unwrap();
    }
    let second = open(folder.path()).await.unwrap();
    assert_eq!(names(&incoming).len(), 5, "another one has the store open: they may be its own");
    drop((store, second));
    open(folder.path()).await.unwrap();
    assert_eq!(names(&incoming), foreign);
}

#[tokio::test]
async fn what_is_written_is_swept_if_the_process_ends_before_the_rename() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let share = folder.path().join("00000000000000ab");
    // A file where the folder should be: everything works until the object gets its name.
    store.folders.durable(&store.root, SHARE, 0x12).unwrap();
    fs::remove_dir(share.join("12")).unwrap();
    fs::write(share.join("12"), "x").unwrap();
    let answer = store.put(SHARE, OBJECT, parts("hello"), 0).await;
    assert!(matches!(answer, Err(ContentError::Unavailable(_))), "{answer:?}");
    assert_eq!(names(&folder.path().join("incoming")), [""; 0]);
}

#[tokio::test]
async fn a_folder_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "x").unwrap();
    let refusal = refusal(folder.path()).await;
    assert!(refusal.contains("thesis.tex") && refusal.contains("configure an empty folder"), "{refusal}");
    assert_eq!(names(folder.path()), ["thesis.tex"]);
}

#[tokio::test]
async fn a_crash_while_the_store_was_made_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dittofs-objects.new"), "ditt").unwrap();
    open(folder.path()).await.unwrap();
    assert_eq!(names(folder.path()), ["dittofs-objects", "incoming"]);
}

#[tokio::test]
async fn a_newer_or_damaged_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());
    let mark = folder.path().join("dittofs-objects");
    for (text, wanted) in [
        ("dittofs objects, format 2\n", "start a newer release"),
        ("dittofs objects, form", "is damaged"),
        ("", "is damaged"),
        (&"x".repeat(10_000), "is damaged"),
    ] {
        fs::write(&mark, text).unwrap();
        let refusal = refusal(folder.path()).await;
        assert!(refusal.contains(wanted) && refusal.contains("dittofs-objects"), "{refusal}");
        assert_eq!(fs::read(&mark).unwrap(), text.as_bytes());
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_a_folder_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refusal = refusal(&path).await;
        assert!(refusal.contains(path.to_str().unwrap()) && refusal.contains("configure a folder"), "{refusal}");
    }
}

#[tokio::test]
async fn an_owner_that_cannot_be_read_is_damage_and_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.claim(SHARE, &mark(1), None).await.unwrap();
    for text in ["", "dittofs owner 1\n", &"0".repeat(10_000)] {
        fs::write(folder.path().join("00000000000000ab/owner"), text).unwrap();
        let answer = store.claim(SHARE, &mark(1), None).await;
        assert!(matches!(answer, Err(ContentError::Corrupt(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_disk_that_is_not_mounted_is_not_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("disk");
    let store = open(&root).await.unwrap();
    store.put(SHARE, OBJECT, parts("hello"), 0).await.unwrap();
    fs::rename(&root, folder.path().join("away")).unwrap();
    fs::create_dir(&root).unwrap();
    let other = ObjectId(9);
    let answers = [
        store.get(SHARE, OBJECT, 0..1).await.map(drop),
        store.delete(SHARE, OBJECT).await,
        store.list(SHARE, None, 1).await.map(drop),
        store.claim(SHARE, &mark(1), None).await.map(drop),
        store.put(SHARE, other, parts("x"), 0).await,
    ];
    for (index, answer) in answers.iter().enumerate() {
        let Err(ContentError::Unavailable(source)) = answer else { panic!("{index}: {answer:?}") };
        assert!(source.to_string().contains("see that its disk is mounted"), "{index}: {source}");
    }
    fs::remove_dir_all(&root).unwrap();
    fs::rename(folder.path().join("away"), &root).unwrap();
    assert_eq!(store.get(SHARE, OBJECT, 0..5).await.unwrap(), parts("hello"));
}

#[tokio::test]
async fn a_deleted_object_gives_its_room_back_though_it_was_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.put(SHARE, OBJECT, parts("hello"), 0).await.unwrap();
    for _ in 0..3 {
        assert_eq!(store.get(SHARE, OBJECT, 1..3).await.unwrap(), parts("el"));
    }
    let handle = store.handles.find(SHARE, OBJECT).unwrap();
    store.delete(SHARE, OBJECT).await.unwrap();
    assert_eq!(handle.file.metadata().unwrap().nlink(), 0);
    assert_eq!(Arc::strong_count(&handle), 1, "somebody else keeps the file open");
    assert!(matches!(store.get(SHARE, OBJECT, 1..3).await, Err(ContentError::NotFound)));
}

#[tokio::test]
async fn an_object_that_was_cut_is_not_found_where_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    store.put(SHARE, OBJECT, parts("hello"), 0).await.unwrap();
    assert_eq!(store.get(SHARE, OBJECT, 0..5).await.unwrap(), parts("hello"));
    let path = store.object_path(SHARE, OBJECT);
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(3).unwrap();
    assert!(matches!(store.get(SHARE, OBJECT, 0..5).await, Err(ContentError::NotFound)));
    assert_eq!(store.get(SHARE, OBJECT, 0..3).await.unwrap(), parts("hel"));
}

#[test]
fn whoever_keeps_the_folder_locked_renews_its_lease_without_room_also_as_a_later_start() {
    let later = Mark { start: Some(Start { epoch: Epoch(2), nonce: 9 }), tag: 4, ..mark(1) };
    assert!(is_renewal(&mark(1), &later, true), "a start is renewed each minute");
    assert!(!is_renewal(&mark(1), &later, false), "the lock was taken just now");
    assert!(!is_renewal(&mark(1), &Mark { owner: 2, ..later.clone() }, true));
    let released = Mark { lease: Duration::ZERO, ..later.clone() };
    assert!(!is_renewal(&mark(1), &released, true), "it must be written down, or the next one waits");
    assert!(!is_renewal(&released, &later, true));
}

#[test]
fn a_full_disk_is_told_from_a_broken_one() {
    let answer = |kind: io::ErrorKind| ContentError::from(Fault::of("written", Path::new("here"))(kind.into()));
    assert!(matches!(answer(io::ErrorKind::StorageFull), ContentError::Full));
    assert!(matches!(answer(io::ErrorKind::QuotaExceeded), ContentError::Full));
    let denied = answer(io::ErrorKind::PermissionDenied).to_string();
    assert!(denied.contains("here can't be written") && denied.contains("let the user"), "{denied}");
}

#[tokio::test]
async fn objects_that_are_written_at_once_leave_together_what_is_kept() {
    const KEPT: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let free = store.capacity(KEPT).await.unwrap().free;
    let most = free / 3 * 2;
    let one = store.claim_room(most, KEPT).unwrap();
    let refused = store.claim_room(most, KEPT).map(drop).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    drop(one);
    store.claim_room(most, KEPT).unwrap();
    assert_eq!(*store.coming.lock(), 0);
}
