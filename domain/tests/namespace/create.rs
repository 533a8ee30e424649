//! CREATE, MKDIR, SYMLINK, MKNOD.

use dittofs_domain::{
    Credentials, Epoch, FsError, NodeId, NodeKind,
    content::{FILE_BYTES_MAX, MapRow, PAGE_BYTES},
    namespace::{
        Context, CreateDecision, CreateHow, CreateRequest, DosAttributes, Fresh, InitialAttributes, LINKS_MAX, NewKind,
        SetTime, create,
    },
    node::{Device, NodeFlags},
    plan::{Change, Expectation},
};
use rstest::rstest;

use crate::world::{Op, ROOT, World, alice, at, bob, carol, create_op, name, remove_op, root};

fn attributes(mode: u16) -> InitialAttributes {
    InitialAttributes { mode: Some(mode), ..Default::default() }
}

fn symlink(target: &[u8]) -> NewKind {
    NewKind::Symlink(target.into())
}

const DEVICE: Device = Device { major: 8, minor: 1 };

#[rstest]
#[case::file(NewKind::File, NodeKind::File, 0o754, 1)]
#[case::directory(NewKind::Directory, NodeKind::Directory, 0o754, 2)]
#[case::symlink_has_all_permission_bits(symlink(b"../x"), NodeKind::Symlink, 0o777, 1)]
#[case::fifo(NewKind::Fifo, NodeKind::Fifo, 0o754, 1)]
#[case::socket(NewKind::Socket, NodeKind::Socket, 0o754, 1)]
#[case::block_device(NewKind::BlockDevice(DEVICE), NodeKind::BlockDevice, 0o754, 1)]
#[case::char_device(NewKind::CharDevice(DEVICE), NodeKind::CharDevice, 0o754, 1)]
fn create_makes_every_kind(#[case] new: NewKind, #[case] kind: NodeKind, #[case] mode: u16, #[case] links: u32) {
    let mut world = World::new();
    let id = world.run(&root(), create_op(ROOT, "n", new.clone(), attributes(0o754), CreateHow::Guarded)).unwrap();
    let node = world.node(id);
    assert_eq!((node.kind, node.mode, node.links), (kind, mode, links));
    assert_eq!((node.atime, node.mtime, node.ctime, node.birth), (at(1001), at(1001), at(1001), at(1001)));
    match new {
        NewKind::Symlink(target) => assert_eq!((node.size, node.target.as_ref()), (4, Some(&target))),
        NewKind::BlockDevice(device) | NewKind::CharDevice(device) => assert_eq!(node.device, device),
        _ => assert_eq!((node.size, node.device, node.target.as_ref()), (0, Device::default(), None)),
    }
}

/// In the plan that makes it, so that nobody sees the node without them.
#[rstest]
#[case::given(SetTime::To(at(7)), 7)]
#[case::of_the_server(SetTime::Now, 2_000)]
#[case::of_nobody(SetTime::Keep, 2_000)]
fn create_takes_time_of_creation_and_attributes_of_dos(#[case] birth: SetTime, #[case] expected: i64) {
    let mut world = World::new();
    let how = CreateHow::Guarded;
    let request =
        CreateRequest { directory: ROOT, name: name("n"), kind: NewKind::File, attributes: attributes(0o644), how };
    let fresh = world.fresh();
    let context = Context { credentials: &alice(), now: at(2_000) };
    let dos = DosAttributes { attributes: 0x22, birth, ..DosAttributes::default() };
    let view = world.store.view(&create::query(&request));
    let CreateDecision::New(decision) = create::decide_with(&view, &request, &dos, &context, fresh).unwrap() else {
        panic!("something is there");
    };
    let made = decision.plan.changes.iter().find_map(|change| match change {
        Change::InsertNode(node) => Some(node),
        _ => None,
    });
    let made = made.unwrap();
    assert_eq!((made.birth, made.dos_attributes), (at(expected), 0x22));
    assert_eq!((made.mtime, made.ctime), (at(2_000), at(2_000)), "it concerns no other time");
}

#[test]
fn create_advances_times_of_the_parent_and_mkdir_counts_the_subdirectory() {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    assert_eq!((world.node(ROOT).mtime, world.node(ROOT).ctime, world.node(ROOT).links), (at(1001), at(1001), 2));
    world.mkdir(&alice(), ROOT, "d");
    assert_eq!((world.node(ROOT).mtime, world.node(ROOT).ctime, world.node(ROOT).links), (at(1002), at(1002), 3));
}

#[test]
fn create_takes_owner_of_the_caller() {
    let mut world = World::new();
    let id = world.file(&alice(), ROOT, "f");
    assert_eq!((world.node(id).uid, world.node(id).gid), (1000, 100));
}

#[rstest]
#[case::privileged_gives_away(root(), (7, 8))]
#[case::others_keep_uid_and_own_groups_only(alice(), (1000, 100))]
fn create_gives_owner_only_where_the_caller_may(#[case] who: Credentials, #[case] owner: (u32, u32)) {
    let mut world = World::new();
    let asked = InitialAttributes { uid: Some(7), gid: Some(8), ..attributes(0o644) };
    let id = world.run(&who, create_op(ROOT, "f", NewKind::File, asked, CreateHow::Guarded)).unwrap();
    assert_eq!((world.node(id).uid, world.node(id).gid), owner);
}

#[test]
fn create_gives_a_further_group_of_the_caller() {
    let mut world = World::new();
    let asked = InitialAttributes { gid: Some(100), ..attributes(0o2755) };
    let id = world.run(&carol(), create_op(ROOT, "f", NewKind::File, asked, CreateHow::Guarded)).unwrap();
    assert_eq!((world.node(id).gid, world.node(id).mode), (100, 0o2755));
}

#[test]
fn sgid_directory_gives_its_group_and_to_directories_the_bit() {
    let mut world = World::new();
    let shared = world.mkdir(&alice(), ROOT, "shared");
    world.chmod(shared, 0o2777);
    let file = world.run(&bob(), create_op(shared, "f", NewKind::File, attributes(0o2755), CreateHow::Guarded));
    let file = file.unwrap();
    assert_eq!((world.node(file).gid, world.node(file).mode), (100, 0o755), "SGID is not the caller's to give");
    let sub = world.run(&bob(), create_op(shared, "d", NewKind::Directory, attributes(0o6755), CreateHow::Guarded));
    let sub = sub.unwrap();
    assert_eq!((world.node(sub).gid, world.node(sub).mode), (100, 0o2755));
    let link = world.make(&bob(), shared, "l", symlink(b"x")).unwrap();
    assert_eq!((world.node(link).gid, world.node(link).mode), (100, 0o777));
}

#[test]
fn mkdir_keeps_the_sticky_bit_and_not_suid() {
    let mut world = World::new();
    let asked = attributes(0o7755);
    let id = world.run(&alice(), create_op(ROOT, "d", NewKind::Directory, asked, CreateHow::Guarded)).unwrap();
    assert_eq!(world.node(id).mode, 0o1755);
}

#[test]
fn create_sets_times_that_are_given() {
    let mut world = World::new();
    let asked = InitialAttributes { atime: SetTime::To(at(5)), mtime: SetTime::Now, ..attributes(0o644) };
    let id = world.run(&alice(), create_op(ROOT, "f", NewKind::File, asked, CreateHow::Guarded)).unwrap();
    assert_eq!((world.node(id).atime, world.node(id).mtime), (at(5), at(1001)));
}

#[test]
fn new_file_with_a_size_is_one_hole_in_the_same_plan() {
    let mut world = World::new();
    let asked = InitialAttributes { size: Some(PAGE_BYTES + 1), ..attributes(0o644) };
    let id = world.run(&alice(), create_op(ROOT, "f", NewKind::File, asked, CreateHow::Guarded)).unwrap();
    assert_eq!(world.node(id).size, PAGE_BYTES + 1);
    assert_eq!(world.store.rows[&(id, 0)], MapRow::Holes { version: Default::default(), pages: 2 });
    let dir = world.run(&alice(), create_op(ROOT, "d", NewKind::Directory, asked, CreateHow::Guarded)).unwrap();
    assert_eq!(world.node(dir).size, 0, "the size is a regular file's");
}

#[rstest]
#[case(Some(FILE_BYTES_MAX), Ok(()))]
#[case(Some(FILE_BYTES_MAX + 1), Err(FsError::TooLarge))]
fn new_file_has_at_most_the_greatest_size(#[case] size: Option<u64>, #[case] result: Result<(), FsError>) {
    let mut world = World::new();
    let asked = InitialAttributes { size, ..attributes(0o644) };
    let made = world.run(&alice(), create_op(ROOT, "f", NewKind::File, asked, CreateHow::Unchecked));
    assert_eq!(made.map(drop), result);
}

#[rstest]
#[case::unchecked_takes_the_file(NewKind::File, CreateHow::Unchecked, "f", Ok(Some(9)))]
#[case::unchecked_on_a_directory(NewKind::File, CreateHow::Unchecked, "d", Err(FsError::Exists))]
#[case::guarded(NewKind::File, CreateHow::Guarded, "f", Err(FsError::Exists))]
#[case::exclusive_with_the_same_verifier(NewKind::File, CreateHow::Exclusive([1; 8]), "x", Ok(None))]
#[case::exclusive_with_another_verifier(NewKind::File, CreateHow::Exclusive([2; 8]), "x", Err(FsError::Exists))]
#[case::exclusive_on_what_was_made_without(NewKind::File, CreateHow::Exclusive([1; 8]), "f", Err(FsError::Exists))]
#[case::mkdir_on_a_file(NewKind::Directory, CreateHow::Guarded, "f", Err(FsError::Exists))]
#[case::mkdir_is_never_unchecked(NewKind::Directory, CreateHow::Unchecked, "d", Err(FsError::Exists))]
#[case::symlink_on_a_file(symlink(b"t"), CreateHow::Guarded, "f", Err(FsError::Exists))]
#[case::mkfifo_on_a_file(NewKind::Fifo, CreateHow::Guarded, "f", Err(FsError::Exists))]
fn create_on_a_taken_name(
    #[case] kind: NewKind,
    #[case] how: CreateHow,
    #[case] at_name: &str,
    #[case] result: Result<Option<u64>, FsError>,
    #[values(0o777, 0o555)] directory_mode: u16,
) {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    world.mkdir(&alice(), ROOT, "d");
    let exclusive = create_op(ROOT, "x", NewKind::File, Default::default(), CreateHow::Exclusive([1; 8]));
    let made = world.run(&alice(), exclusive).unwrap();
    assert_eq!((world.node(made).create_verifier, world.node(made).mode), (Some([1; 8]), 0));
    // That the name is taken counts before the right to write, as in Linux.
    world.chmod(ROOT, directory_mode);

    let attributes = InitialAttributes { size: Some(9), ..attributes(0o600) };
    let request = CreateRequest { directory: ROOT, name: name(at_name), kind, attributes, how };
    let bob = bob();
    let context = Context { credentials: &bob, now: at(2000) };
    let view = world.store.view(&create::query(&request));
    let decided = create::decide(&view, &request, &context, world.fresh());
    let resize = decided.map(|decision| match decision {
        CreateDecision::Existing { resize, .. } => resize,
        CreateDecision::New(_) => panic!("the name is taken"),
    });
    assert_eq!(resize, result);
}

#[rstest]
#[case::search_before_exists(0o666, "f", NewKind::File, FsError::Access)]
#[case::exists_before_write(0o555, "f", NewKind::File, FsError::Exists)]
#[case::write_for_files(0o555, "n", NewKind::File, FsError::Access)]
#[case::write_for_directories(0o555, "n", NewKind::Directory, FsError::Access)]
#[case::write_before_device(0o555, "n", NewKind::CharDevice(DEVICE), FsError::Access)]
#[case::exists_before_device(0o777, "f", NewKind::CharDevice(DEVICE), FsError::Exists)]
#[case::block_devices_are_for_root(0o777, "n", NewKind::BlockDevice(DEVICE), FsError::NotPermitted)]
#[case::char_devices_are_for_root(0o777, "n", NewKind::CharDevice(DEVICE), FsError::NotPermitted)]
#[case::empty_target(0o777, "n", symlink(b""), FsError::Invalid)]
#[case::target_with_nul(0o777, "n", symlink(b"a\0b"), FsError::Invalid)]
#[case::long_target(0o777, "n", symlink(&[b'x'; 4096]), FsError::NameTooLong)]
fn create_refuses(#[case] mode: u16, #[case] at_name: &str, #[case] kind: NewKind, #[case] error: FsError) {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    world.chmod(ROOT, mode);
    let before = world.store.clone();
    assert_eq!(world.make(&bob(), ROOT, at_name, kind), Err(error));
    assert_eq!(world.store, before, "a failing call changes nothing");
}

#[test]
fn symlink_target_may_have_4095_bytes() {
    let mut world = World::new();
    let id = world.make(&alice(), ROOT, "l", symlink(&[b'x'; 4095])).unwrap();
    assert_eq!(world.node(id).size, 4095);
}

#[rstest]
#[case::greatest(4_095, 1_048_575, true)]
#[case::major_of_13_bits(4_096, 1, false)]
#[case::minor_of_21_bits(8, 1_048_576, false)]
#[case::all_bits(u32::MAX, u32::MAX, false)]
fn device_has_the_numbers_that_linux_has(#[case] major: u32, #[case] minor: u32, #[case] valid: bool) {
    for kind in [NewKind::BlockDevice, NewKind::CharDevice] {
        let mut world = World::new();
        let made = world.make(&root(), ROOT, "n", kind(Device { major, minor }));
        assert_eq!(made.as_ref().err(), (!valid).then_some(&FsError::Invalid));
    }
}

#[rstest]
#[case::file(NewKind::File)]
#[case::directory(NewKind::Directory)]
#[case::symlink(symlink(b"t"))]
#[case::fifo(NewKind::Fifo)]
#[case::device(NewKind::CharDevice(DEVICE))]
fn nothing_is_made_for_an_owner_that_is_none(#[case] kind: NewKind) {
    for who in [root(), alice()] {
        for (uid, gid) in [(Some(u32::MAX), None), (None, Some(u32::MAX)), (Some(u32::MAX), Some(100))] {
            let mut world = World::new();
            let asked = InitialAttributes { uid, gid, ..attributes(0o644) };
            let made = world.run(&who, create_op(ROOT, "n", kind.clone(), asked, CreateHow::Guarded));
            assert_eq!(made, Err(FsError::Invalid));
        }
    }
}

#[test]
fn create_in_what_is_no_directory_or_gone() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    assert_eq!(world.make(&alice(), file, "x", NewKind::File), Err(FsError::NotDirectory));
    assert_eq!(world.make(&alice(), NodeId(99), "x", NewKind::File), Err(FsError::Stale));
}

#[test]
fn unlinked_directory_takes_no_entries() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.run_busy(&alice(), remove_op(ROOT, "d", dittofs_domain::namespace::RemoveKind::Directory)).unwrap();
    assert!(world.node(dir).flags.contains(NodeFlags::UNLINKED));
    assert_eq!(world.make(&root(), dir, "x", NewKind::File), Err(FsError::Stale));
    let file = world.file(&alice(), ROOT, "f");
    assert_eq!(world.link(&root(), file, dir, "x"), Err(FsError::Stale));
    assert_eq!(world.rename(&root(), (ROOT, "f"), (dir, "x")), Err(FsError::Stale));
    assert_eq!(world.unlink(&root(), dir, "x"), Err(FsError::Stale));
}

#[test]
fn directory_with_the_greatest_number_of_links_takes_no_subdirectory() {
    let mut world = World::new();
    world.tamper(ROOT, |root| root.links = LINKS_MAX);
    assert_eq!(world.make(&root(), ROOT, "d", NewKind::Directory), Err(FsError::TooManyLinks));
}

#[test]
fn create_expects_the_absent_name_and_the_linked_directory() {
    let mut world = World::new();
    let op = create_op(ROOT, "d", NewKind::Directory, attributes(0o755), CreateHow::Guarded);
    let Op::Create(request) = &op else { unreachable!() };
    let key = create::query(request).entries[0].clone();
    let call = crate::world::Call { op: op.clone(), credentials: alice(), busy: false };
    let plan = world.call(&call).unwrap().plan;
    let expected = [
        Expectation::EntryAbsent(key),
        Expectation::Linked(ROOT),
        Expectation::PermissionVersion { node: ROOT, version: 0 },
    ];
    assert_eq!(plan.expectations.as_slice(), expected);
    assert!(!plan.changes.contains(&Change::RaiseTopology));
}

#[test]
fn a_new_file_comes_with_its_lease_where_several_instances_serve_the_share() {
    let mut world = World::new();
    let caller = root();
    let context = Context { credentials: &caller, now: at(2_000) };
    for (kind, holder, granted) in [
        (NewKind::File, Some(Epoch(7)), true),
        (NewKind::File, None, false),
        (NewKind::Directory, Some(Epoch(7)), false),
        (symlink(b"x"), Some(Epoch(7)), false),
    ] {
        let request = CreateRequest {
            directory: ROOT,
            name: name("n"),
            kind,
            attributes: InitialAttributes::default(),
            how: CreateHow::Guarded,
        };
        let view = world.store.view(&create::query(&request));
        let fresh = Fresh { holder, ..world.fresh() };
        let decided = create::decide(&view, &request, &context, fresh).unwrap();
        let CreateDecision::New(decision) = decided else { panic!("there was no such name") };
        let grants: Vec<&Change> =
            decision.plan.changes.iter().filter(|change| matches!(change, Change::GrantLease { .. })).collect();
        let expected = Change::GrantLease { node: fresh.node, holder: Epoch(7) };
        assert_eq!(grants, if granted { vec![&expected] } else { vec![] });
    }
}
