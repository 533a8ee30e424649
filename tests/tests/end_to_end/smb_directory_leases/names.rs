//! Names that come, go and are changed.

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    create::{CreateDisposition, CreateOptions, CreateRequest},
    identifiers::FileId,
};
use dittofs_tests::smb_client::SmbClient;

use super::{
    DELETE, Holder, MOST, NONE, R, RH, client, close, create, directory, file, hears_nothing, keep, lease, name_as,
    opened, set, status, world,
};

const RENAME: u8 = 10;
const LINK: u8 = 11;
const DISPOSITION: u8 = 13;

/// A rename, or a new link, and which leases hear of it: those of the directory that it comes from, and of the one that
/// it goes to.
struct Case {
    class: u8,
    to: &'static str,
    parent: Option<u8>,
    told: (bool, bool),
}

const fn case(class: u8, to: &'static str, parent: Option<u8>, told: (bool, bool)) -> Case {
    Case { class, to, parent, told }
}

/// The keys of the leases are 1 for `from` and 2 for `to`.
const CASES: [Case; 13] = [
    case(RENAME, "from\\b", Some(1), (false, false)),
    case(RENAME, "from\\b", Some(9), (true, false)),
    case(RENAME, "from\\b", None, (true, false)),
    case(RENAME, "to\\b", Some(1), (false, true)),
    case(RENAME, "to\\b", Some(2), (true, false)),
    case(RENAME, "to\\b", Some(9), (true, true)),
    case(RENAME, "to\\b", None, (true, true)),
    case(LINK, "from\\b", Some(1), (false, false)),
    case(LINK, "from\\b", Some(9), (true, false)),
    case(LINK, "from\\b", None, (true, false)),
    case(LINK, "to\\b", Some(1), (false, true)),
    case(LINK, "to\\b", Some(2), (false, false)),
    case(LINK, "to\\b", None, (false, true)),
];

#[tokio::test]
async fn renames_and_links_are_told_to_both_directories_but_to_who_named_its_key() {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    let (mut from, mut to) = (Holder::new(&mut smb, "from", 1).await, Holder::new(&mut smb, "to", 2).await);
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    for (at, Case { class, to: name, parent, told }) in CASES.iter().enumerate() {
        let made = file(&mut smb, "from\\a", 4, Some(1)).await;
        close(&mut smb, made).await;
        let made = file(&mut smb, "from\\a", 4, *parent).await;
        assert_eq!(status(&mut smb, name_as(made, *class, name)).await, NtStatus::SUCCESS, "{at}");
        if told.0 {
            from.is_told(&mut smb).await;
        }
        if told.1 {
            to.is_told(&mut smb).await;
        }
        hears_nothing(&mut smb).await;
        close(&mut smb, made).await;
        hears_nothing(&mut smb).await;
        // Away with both names.
        for (directory, name) in [("from", "a"), ("from", "b"), ("to", "b")] {
            let there = nfs.find(&root, directory.as_bytes()).await.unwrap();
            if nfs.find(&there, name.as_bytes()).await.is_ok() {
                nfs.remove_file(&there, name.as_bytes()).await;
                let holder = if directory == "to" { &mut to } else { &mut from };
                holder.is_told(&mut smb).await;
            }
        }
    }
}

#[tokio::test]
async fn who_keeps_the_directory_of_the_new_name_open_to_remove_it_closes_it_first() {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    for name in ["from", "to"] {
        let made = opened(&mut smb, directory(name, lease(7, R, None))).await;
        close(&mut smb, made).await;
    }
    let mut other = client(&world, 2).await;
    let made = file(&mut other, "from\\file", 4, None).await;
    let removing =
        || CreateRequest { create_options: CreateOptions::DIRECTORY_FILE, ..create("to", DELETE, lease(1, RH, None)) };
    let handle = opened(&mut smb, removing()).await;
    let asked = other.send(name_as(made, RENAME, "to\\file")).await;
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, R));
    smb.done(keep(1, R)).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SHARING_VIOLATION);

    let again = opened(&mut smb, removing()).await;
    close(&mut smb, again).await;
    let asked = other.send(name_as(made, RENAME, "to\\file")).await;
    let Response::LeaseBreakNotification(_) = smb.broken().await else { panic!() };
    close(&mut smb, handle).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SUCCESS);
}

/// Opens a file to remove it, which may be removed as it is closed.
async fn removing(smb: &mut SmbClient, key: u8, parent: u8, options: CreateOptions) -> FileId {
    let request = create("d\\unlink.dat", MOST | DELETE, lease(key, R, Some(parent)));
    opened(smb, CreateRequest { create_options: options, ..request }).await
}

/// Which of the two opens wants the file to go, how, and whether it is the last one to be closed.
async fn unlink(is_initial: bool, wants: usize, told: &[u8]) {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    let mut holders = [Holder::new(&mut smb, "d", 1).await, Holder::new(&mut smb, "d", 2).await];
    let made = file(&mut smb, "d\\unlink.dat", 8, Some(1)).await;
    holders[1].is_told(&mut smb).await;
    close(&mut smb, made).await;
    let options = |open| match is_initial && open == wants {
        true => CreateOptions::DELETE_ON_CLOSE,
        false => CreateOptions::empty(),
    };
    let opens = [removing(&mut smb, 4, 1, options(0)).await, removing(&mut smb, 5, 2, options(1)).await];
    if !is_initial {
        smb.done(set(opens[wants], DISPOSITION, &[1])).await;
    }
    close(&mut smb, opens[0]).await;
    hears_nothing(&mut smb).await;
    close(&mut smb, opens[1]).await;
    let mut keys = Vec::new();
    for _ in told {
        let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
        assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, NONE));
        keys.push(broken.lease_key.0[0]);
        smb.done(keep(broken.lease_key.0[0], NONE)).await;
    }
    keys.sort_unstable();
    assert_eq!(keys, told);
    hears_nothing(&mut smb).await;
    let gone = CreateRequest {
        create_disposition: CreateDisposition::OPEN,
        ..create("d\\unlink.dat", MOST, lease(6, R, None))
    };
    assert_eq!(status(&mut smb, Request::Create(gone)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
}

#[tokio::test]
async fn who_has_a_file_removed_and_closes_it_last_is_spared() {
    unlink(false, 1, &[1]).await;
}

#[tokio::test]
async fn who_closes_a_file_last_that_another_one_has_removed_is_not() {
    unlink(false, 0, &[1, 2]).await;
}

#[tokio::test]
async fn who_opens_a_file_to_remove_it_with_its_close_is_spared() {
    unlink(true, 1, &[1]).await;
}

#[tokio::test]
async fn who_closes_a_file_last_that_another_one_has_opened_to_remove_is_not() {
    unlink(true, 0, &[1, 2]).await;
}

#[tokio::test]
async fn a_cached_directory_is_renamed_and_removed_once_it_is_closed() {
    let world = world().await;
    let (mut smb, mut other) = (client(&world, 1).await, client(&world, 2).await);
    let above = Holder::new(&mut smb, "above", 1).await;
    let below = Holder::new(&mut smb, "above\\below", 2).await;
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!(broken.lease_key.0[0], 1, "it has got an entry, of who has not named its key");
    smb.done(keep(1, NONE)).await;
    close(&mut smb, above.handle).await;
    let request = CreateRequest {
        create_options: CreateOptions::DIRECTORY_FILE,
        ..create("above", MOST | DELETE, lease(3, R, None))
    };
    let moved = opened(&mut other, request).await;
    let asked = other.send(name_as(moved, RENAME, "elsewhere")).await;
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!((broken.lease_key.0[0], broken.new_lease_state), (2, R), "its handle has to go");
    close(&mut smb, below.handle).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SUCCESS);
}
