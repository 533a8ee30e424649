//! Nodes with an access control list.

use std::sync::Arc;

use dittofs_domain::{
    Acl, Credentials, FsError, Node, NodeId, NodeKind,
    access::{AccessMask, NodeSecurity, granted},
    acl::{Ace, AceFlags, AclFlags, Who},
    namespace::{
        Context, CreateDecision, CreateHow, CreateRequest, DosAttributes, InitialAccess, InitialAttributes, NewKind,
        SetAttributes, SetTime, create,
    },
    plan::{Change, Expectation, Plan},
};
use rstest::rstest;

use crate::world::{Call, ROOT, World, alice, at, bob, carol, create_op, decide, name, remove_op, root};

const READ: AccessMask = AccessMask::READ_DATA;
const WRITE: AccessMask = AccessMask::WRITE_DATA.union(AccessMask::APPEND_DATA);

fn list(entries: Vec<Ace>) -> Arc<Acl> {
    Arc::new(Acl::new(entries, AclFlags::empty()).unwrap())
}

fn setting(acl: &Arc<Acl>) -> SetAttributes {
    SetAttributes { acl: Some(Some(Arc::clone(acl))), ..Default::default() }
}

fn mode(mode: u16) -> SetAttributes {
    SetAttributes { mode: Some(mode), ..Default::default() }
}

fn chown(uid: u32) -> SetAttributes {
    SetAttributes { uid: Some(uid), ..Default::default() }
}

fn bob_may(mask: AccessMask) -> Ace {
    Ace::allow(Who::User(bob().uid), mask)
}

fn rights(world: &World, node: NodeId, who: &Credentials) -> AccessMask {
    granted(&NodeSecurity::from(world.node(node)), who)
}

/// A world with a file of Alice's that has this list.
fn world(acl: &Arc<Acl>) -> (World, NodeId) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.set(&alice(), file, setting(acl)).unwrap();
    (world, file)
}

fn counted(plan: &Plan) -> i64 {
    dittofs_domain::quota::counted(&plan.changes).bytes
}

#[rstest]
#[case::owner(alice(), Ok(()))]
#[case::root(root(), Ok(()))]
#[case::group_member(carol(), Err(FsError::NotPermitted))]
#[case::other(bob(), Err(FsError::NotPermitted))]
fn lists_are_set_by_who_may_change_the_mode(#[case] who: Credentials, #[case] result: Result<(), FsError>) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let acl = list(vec![Ace::allow(Who::Owner, READ | WRITE), bob_may(READ)]);
    let done = world.set(&who, file, setting(&acl)).map(drop);
    assert_eq!(done, result);
    let node = world.node(file);
    match result {
        Ok(()) => assert_eq!((node.acl.as_ref(), node.mode, node.permission_version), (Some(&acl), 0o600, 1)),
        Err(_) => assert_eq!((node.acl.as_ref(), node.mode, node.permission_version), (None, 0o755, 0)),
    }
    assert_eq!(node.ctime, at(if result.is_ok() { 1_002 } else { 1_001 }));
}

#[test]
fn a_list_decides_in_place_of_the_mode() {
    let (mut world, file) = world(&list(vec![bob_may(READ | WRITE), Ace::deny(Who::Everyone, READ)]));
    assert!(rights(&world, file, &bob()).contains(READ | WRITE));
    assert!(!rights(&world, file, &alice()).intersects(READ | WRITE), "not even the owner");
    assert_eq!(world.node(file).mode, 0);
    // What others may, they may do: bob truncates, and sets the server's time.
    world.set(&bob(), file, SetAttributes::size(0)).unwrap();
    assert_eq!(world.set(&carol(), file, SetAttributes::size(0)), Err(FsError::Access));
}

#[test]
fn who_is_granted_the_right_changes_the_list_and_takes_the_file() {
    let mask = AccessMask::WRITE_ACL | AccessMask::WRITE_OWNER;
    let (mut world, file) = world(&list(vec![bob_may(mask)]));
    assert_eq!(world.set(&carol(), file, chown(carol().uid)), Err(FsError::NotPermitted));
    assert_eq!(world.set(&bob(), file, chown(carol().uid)), Err(FsError::NotPermitted), "to somebody else");
    world.set(&bob(), file, chown(bob().uid)).unwrap();
    assert_eq!(world.node(file).uid, bob().uid);
    world.set(&bob(), file, setting(&list(vec![]))).unwrap();
    assert_eq!(world.set(&alice(), file, setting(&list(vec![]))), Err(FsError::NotPermitted), "no longer hers");
}

#[test]
fn what_an_open_holds_is_granted_whatever_the_list_says_now() {
    let (mut world, file) = world(&list(vec![]));
    let held = SetAttributes { held: AccessMask::WRITE_ACL, ..setting(&list(vec![bob_may(READ)])) };
    world.set(&bob(), file, held).unwrap();
    assert!(rights(&world, file, &bob()).contains(READ));
    let owner = SetAttributes { held: AccessMask::WRITE_ACL, ..chown(bob().uid) };
    assert_eq!(world.set(&bob(), file, owner), Err(FsError::NotPermitted), "another right");
    let before = world.store.clone();
    let nothing = SetAttributes { held: AccessMask::all(), ..Default::default() };
    world.set(&bob(), file, nothing).unwrap();
    assert_eq!(world.store, before);
}

#[test]
fn the_mode_shows_the_owner_that_there_is() {
    let (mut world, file) = world(&list(vec![Ace::allow(Who::User(alice().uid), READ), bob_may(READ | WRITE)]));
    assert_eq!(world.node(file).mode, 0o400);
    let version = world.node(file).permission_version;
    world.set(&root(), file, chown(bob().uid)).unwrap();
    assert_eq!(world.node(file).mode, 0o600);
    assert_eq!(world.node(file).permission_version, version + 1);
    world.set(&root(), file, chown(7)).unwrap();
    assert_eq!(world.node(file).mode, 0);
}

#[test]
fn chmod_takes_from_others_and_a_mode_comes_before_a_list() {
    let (mut world, file) = world(&list(vec![bob_may(READ | WRITE | AccessMask::EXECUTE)]));
    world.set(&alice(), file, mode(0o4_740)).unwrap();
    assert_eq!(world.node(file).mode, 0o4_740);
    assert_eq!(rights(&world, file, &bob()) & (READ | WRITE | AccessMask::EXECUTE), READ);
    assert!(rights(&world, file, &alice()).contains(READ | WRITE | AccessMask::EXECUTE));
    assert!(rights(&world, file, &carol()).contains(READ), "of the group");
    world.set(&alice(), file, mode(0o700)).unwrap();
    assert_eq!(world.node(file).acl, None, "the mode says it all");
    // RFC 8881, 6.4.1.3: of the mode stay the three bits that no list has.
    let acl = list(vec![bob_may(READ)]);
    world.set(&alice(), file, SetAttributes { mode: Some(0o1_777), ..setting(&acl) }).unwrap();
    assert_eq!((world.node(file).mode, world.node(file).acl.as_ref()), (0o1_000, Some(&acl)));
    world.set(&alice(), file, SetAttributes { acl: Some(None), ..mode(0o644) }).unwrap();
    assert_eq!((world.node(file).mode, world.node(file).acl.as_ref()), (0o644, None));
}

#[test]
fn a_symlink_has_no_list() {
    let mut world = World::new();
    let link = world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    let before = world.store.clone();
    world.set(&alice(), link, setting(&list(vec![]))).unwrap();
    assert_eq!(world.store, before);
}

#[test]
fn lists_are_counted() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let mut set = |node, request| {
        let op = crate::world::Op::Set(node, request);
        counted(&world.call(&Call { op, credentials: root(), busy: false }).unwrap().plan)
    };
    let acl = list(vec![bob_may(READ)]);
    assert_eq!(set(file, setting(&acl)), 13);
    assert_eq!(set(file, setting(&acl)), 0);
    assert_eq!(set(file, setting(&list(vec![bob_may(READ); 2]))), 11);
    assert_eq!(set(file, mode(0o600)), -24, "nothing is left");
    assert_eq!(set(ROOT, setting(&acl)), 0, "nothing of the root is");
}

/// A directory that only root may change, with a file of Alice's on which Bob has this right.
#[rstest]
#[case::by_the_file(0o755, bob_may(AccessMask::DELETE), Ok(()))]
#[case::by_none(0o755, bob_may(READ), Err(FsError::Access))]
#[case::by_the_directory(0o777, bob_may(READ), Ok(()))]
#[case::sticky(0o1777, bob_may(READ), Err(FsError::NotPermitted))]
#[case::sticky_but_by_the_file(0o1777, bob_may(AccessMask::DELETE), Ok(()))]
fn files_are_removed_by_a_right_to_them_or_to_the_directory(
    #[case] directory_mode: u16,
    #[case] entry: Ace,
    #[case] result: Result<(), FsError>,
) {
    let mut world = World::new();
    let directory = world.mkdir(&root(), ROOT, "d");
    world.chmod(directory, 0o777);
    let file = world.file(&alice(), directory, "f");
    world.set(&alice(), file, setting(&list(vec![entry]))).unwrap();
    world.chmod(directory, directory_mode);
    let op = remove_op(directory, "f", dittofs_domain::namespace::RemoveKind::NotDirectory);
    let fresh = world.fresh();
    let call = Call { op, credentials: bob(), busy: false };
    let decided = decide(&world.store, &call, at(5_000), fresh);
    assert_eq!(decided.as_ref().map(drop).map_err(|error| *error), result);
    if let Ok(decision) = decided {
        let version = world.node(file).permission_version;
        let expected = Expectation::PermissionVersion { node: file, version };
        let by_directory = directory_mode == 0o777;
        assert_eq!(decision.plan.expectations.contains(&expected), !by_directory, "what it rested on is expected");
    }
}

#[test]
fn a_right_to_the_directory_may_be_by_its_list() {
    let mut world = World::new();
    let directory = world.mkdir(&root(), ROOT, "d");
    let search = AccessMask::EXECUTE;
    let acl = list(vec![bob_may(search | AccessMask::ADD_FILE | AccessMask::DELETE_CHILD)]);
    world.set(&root(), directory, setting(&acl)).unwrap();
    world.file(&bob(), directory, "f");
    let denied = world.make(&bob(), directory, "e", NewKind::Directory);
    assert_eq!(denied, Err(FsError::Access), "that is another right");
    assert_eq!(world.make(&alice(), directory, "g", NewKind::File), Err(FsError::Access));
    assert_eq!(world.unlink(&alice(), directory, "f"), Err(FsError::Access));
    world.unlink(&bob(), directory, "f").unwrap();
}

/// A directory of Alice's that passes rights on.
fn passing_on() -> (World, NodeId) {
    let mut world = World::new();
    let directory = world.mkdir(&alice(), ROOT, "d");
    let below = AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY;
    let all = AccessMask::all();
    let acl = list(vec![
        Ace::allow(Who::Everyone, all),
        bob_may(READ | WRITE).with_flags(below),
        Ace::allow(Who::CreatorOwner, READ).with_flags(below),
    ]);
    world.set(&alice(), directory, setting(&acl)).unwrap();
    (world, directory)
}

/// Makes something as SMB does.
fn create(world: &mut World, directory: NodeId, kind: NewKind, access: InitialAccess) -> Node {
    let attributes = InitialAttributes { mode: Some(0o644), ..Default::default() };
    let request = CreateRequest { directory, name: name("n"), kind, attributes, how: CreateHow::Guarded };
    let (fresh, alice) = (world.fresh(), alice());
    let context = Context { credentials: &alice, now: at(2_000) };
    let dos = DosAttributes { access, ..Default::default() };
    let view = world.store.view(&create::query(&request));
    let CreateDecision::New(decision) = create::decide_with(&view, &request, &dos, &context, fresh).unwrap() else {
        panic!("something is there");
    };
    let made = decision.plan.changes.iter().find_map(|change| match change {
        Change::InsertNode(node) => Some(Node::clone(node)),
        _ => None,
    });
    let made = made.unwrap();
    assert_eq!(counted(&decision.plan) as u64, dittofs_domain::quota::metadata_bytes(&made));
    made
}

#[test]
fn without_a_mode_a_node_has_what_it_inherits() {
    let (mut world, directory) = passing_on();
    let file = create(&mut world, directory, NewKind::File, InitialAccess::Inherited);
    let expected = list(vec![bob_may(READ | WRITE), Ace::allow(Who::User(alice().uid), READ)]);
    assert_eq!((file.acl, file.mode), (Some(expected), 0o400));
    let below = create(&mut world, directory, NewKind::Directory, InitialAccess::Inherited);
    assert_eq!(below.acl.unwrap().entries().len(), 3);
    let given = list(vec![Ace::allow(Who::Everyone, READ)]);
    let file = create(&mut world, directory, NewKind::File, InitialAccess::List(given.clone()));
    assert_eq!((file.acl, file.mode), (Some(given), 0o444), "it inherits nothing");
    let elsewhere = create(&mut world, ROOT, NewKind::File, InitialAccess::Inherited);
    assert_eq!((elsewhere.acl, elsewhere.mode), (None, 0o644));
}

#[test]
fn a_mode_limits_what_is_inherited() {
    let (mut world, directory) = passing_on();
    let file = create(&mut world, directory, NewKind::File, InitialAccess::Mode);
    let security = NodeSecurity::from(&file);
    assert_eq!(file.mode, 0o644);
    assert_eq!(granted(&security, &bob()) & (READ | WRITE), READ);
    assert!(granted(&security, &alice()).contains(READ | WRITE));
    let link = create(&mut world, directory, NewKind::Symlink((*b"t").into()), InitialAccess::Inherited);
    assert_eq!((link.kind, link.acl, link.mode), (NodeKind::Symlink, None, 0o777));
}

/// RFC 8881, 6.4.3: the client sets a mode afterwards, and has what it would have with the mode at once.
#[test]
fn an_exclusive_create_inherits_and_grants_nothing_before_the_mode() {
    let (mut world, directory) = passing_on();
    let below = AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY;
    let acl = list(vec![
        Ace::allow(Who::Everyone, AccessMask::all()),
        Ace::deny(Who::User(carol().uid), READ).with_flags(below),
        Ace::allow(Who::OwnerRights, READ).with_flags(below),
        bob_may(READ | WRITE).with_flags(below),
        Ace::allow(Who::Everyone, READ).with_flags(below),
    ]);
    world.set(&alice(), directory, setting(&acl)).unwrap();
    let op = create_op(directory, "x", NewKind::File, InitialAttributes::default(), CreateHow::Exclusive([7; 8]));
    let file = world.run(&alice(), op).unwrap();
    assert_eq!(world.node(file).mode, 0);
    for other in [bob(), carol()] {
        assert_eq!(rights(&world, file, &other), AccessMask::READ_ATTRIBUTES);
    }
    assert!(!rights(&world, file, &alice()).intersects(READ | WRITE));
    // So does Linux.
    let times = SetAttributes { atime: SetTime::Now, mtime: SetTime::Now, gid: Some(alice().gid), ..mode(0o644) };
    world.set(&alice(), file, times).unwrap();
    let at_once = create(&mut world, directory, NewKind::File, InitialAccess::Mode);
    assert_eq!((world.node(file).mode, &world.node(file).acl), (at_once.mode, &at_once.acl));
    assert_eq!(rights(&world, file, &bob()) & (READ | WRITE), READ);
    assert!(!rights(&world, file, &carol()).contains(READ), "what is denied below the directory");
}

/// By a list, others may set the mode. Carol is of the group, and may still not let it, or the owner, run programs.
#[test]
fn who_is_no_owner_lets_nobody_run_programs_as_the_owner() {
    let acl = list(vec![Ace::allow(Who::User(carol().uid), AccessMask::WRITE_ACL)]);
    let (mut world, file) = world(&acl);
    world.set(&carol(), file, mode(0o7_777)).unwrap();
    assert_eq!(world.node(file).mode, 0o1_777);
    world.set(&alice(), file, mode(0o6_000)).unwrap();
    world.set(&alice(), file, setting(&acl)).unwrap();
    assert_eq!(world.node(file).mode, 0o6_000, "the owner may");
    world.set(&carol(), file, mode(0o6_700)).unwrap();
    assert_eq!(world.node(file).mode, 0o6_700, "they stay");
    world.set(&alice(), file, setting(&acl)).unwrap();
    world.set(&carol(), file, mode(0o700)).unwrap();
    assert_eq!(world.node(file).mode, 0o700, "to take them away harms nobody");
}
