//! Access control lists that SMB sets, and what NFS beside it sees and does of them.

mod requests;

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::AccessMask,
    control::{Chunk, CopyChunk, ResumeKey, code},
    create::{CreateDisposition, CreateOptions, CreateRequest, RequestContext},
    identifiers::Guid,
    ioctl::{IoctlFlags, IoctlRequest},
    query_info::{InfoType, SecurityInformation},
    read::Channel,
    security::{Ace, AceBody, AceFlags, Control, SecurityDescriptor, Sid},
    set_info::SetInfoRequest,
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::smb_client::SmbClient;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    session::{Session, status, user, with_mode},
    smb::{PASSWORD, World},
};
use requests::*;

#[tokio::test]
async fn what_smb_denies_nfs_is_denied_at_once_and_after_a_restart() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let file_id = open_to_change(&mut smb, "file").await;
    let mut root = world.nfs().await;
    let directory = root.root.clone();
    let file = root.find(&directory, b"file").await.unwrap();
    let mut bob = nfs(&world, BOB).await;
    assert_eq!(read_by(&mut bob, &file).await, nfsstat3::NFS3_OK, "by the mode");

    // Who may execute may read: a client reads what it executes.
    let read = AccessMask::FILE_READ_DATA | AccessMask::FILE_EXECUTE;
    let denied = Ace::denied(Sid::unix_user(BOB), read, AceFlags::empty());
    let list = vec![denied, allow(Sid::EVERYONE, ALL)];
    set(&mut smb, file_id, list.clone()).await;
    assert_eq!(read_by(&mut bob, &file).await, nfsstat3::NFS3ERR_ACCES);
    assert_eq!(rights(&mut bob, &file).await, ACCESS3_MODIFY | ACCESS3_EXTEND);
    let mut carol = nfs(&world, 1_002).await;
    assert_eq!(read_by(&mut carol, &file).await, nfsstat3::NFS3_OK);
    let shown = carol.attributes_of(&file).await;
    assert_eq!((shown.mode & 0o777, shown.uid), (0o777, ALICE), "what the list says of everyone");
    assert_eq!(aces(&mut smb, file_id).await, list);
    drop((smb, root, bob, carol));

    let World { server, home, port, .. } = world;
    assert!(server.stop().status.success());
    let server = home.start();
    let mut bob = Session::open(server.address(), "/export", &user(BOB, BOB, &[])).await;
    assert_eq!(read_by(&mut bob, &file).await, nfsstat3::NFS3ERR_ACCES);
    let mut smb = SmbClient::connect(port, "export", Guid([0x2a; 16]), ("alice", PASSWORD)).await;
    let file_id = open_to_change(&mut smb, "file").await;
    assert_eq!(aces(&mut smb, file_id).await, list);
}

#[tokio::test]
async fn chmod_over_nfs_changes_what_smb_shows() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let file_id = open_to_change(&mut smb, "file").await;
    let mut owner = nfs(&world, ALICE).await;
    let root = owner.root.clone();
    let file = owner.find(&root, b"file").await.unwrap();
    let mode_only = aces(&mut smb, file_id).await;
    assert_eq!(mode_only.len(), 3, "what the mode says");

    let bobs = allow(Sid::unix_user(BOB), bobs_mask());
    set(&mut smb, file_id, vec![bobs, allow(Sid::unix_user(ALICE), ALL)]).await;
    assert_eq!(owner.attributes_of(&file).await.mode & 0o777, 0o700);
    let before = owner.attributes_of(&file).await;
    owner.set(&file, with_mode(0o640), None).await.unwrap();
    let after = owner.attributes_of(&file).await;
    assert_eq!(after.mode & 0o777, 0o640);
    assert!((after.ctime.seconds, after.ctime.nseconds) > (before.ctime.seconds, before.ctime.nseconds));
    let shown = aces(&mut smb, file_id).await;
    let masked = allow(Sid::unix_user(BOB), READ);
    assert_eq!(shown.first(), Some(&masked), "no more than the group has by the mode");
    assert_eq!(shown.len(), 4, "and the owner, the group and everyone by the mode");
    let mut bob = nfs(&world, BOB).await;
    assert_eq!(rights(&mut bob, &file).await, ACCESS3_READ);

    // What a mode has taken does not come back with the next one.
    owner.set(&file, with_mode(0o600), None).await.unwrap();
    owner.set(&file, with_mode(0o660), None).await.unwrap();
    assert_eq!(rights(&mut bob, &file).await, 0);
    let data = AccessMask::FILE_READ_DATA | AccessMask::FILE_READ_EA;
    assert_eq!(aces(&mut smb, file_id).await.first(), Some(&allow(Sid::unix_user(BOB), READ - data)));

    // It is written back as it was read.
    let shown = query(&mut smb, file_id).await;
    let before = owner.attributes_of(&file).await;
    smb.done(setting(file_id, SecurityInformation::DACL, &shown)).await;
    assert_eq!(owner.attributes_of(&file).await.ctime, before.ctime, "nothing has changed");
}

fn bobs_mask() -> AccessMask {
    AccessMask::FILE_GENERIC_READ | AccessMask::FILE_GENERIC_WRITE
}

#[tokio::test]
async fn what_was_read_can_be_written_back_and_the_mode_stays() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let mut owner = nfs(&world, ALICE).await;
    let root = owner.root.clone();
    for mode in [0o640, 0o777, 0o604] {
        let name = format!("{mode:o}");
        let file = owner.make_file(&root, name.as_bytes(), mode).await;
        let file_id = open_to_change(&mut smb, &name).await;
        let shown = query(&mut smb, file_id).await;
        let parts = SecurityInformation::OWNER | SecurityInformation::GROUP | SecurityInformation::DACL;
        let before = owner.attributes_of(&file).await;
        smb.done(setting(file_id, parts, &shown)).await;
        assert_eq!(owner.attributes_of(&file).await.ctime, before.ctime, "{name}: nothing has changed");
        set(&mut smb, file_id, vec![allow(Sid::EVERYONE, READ)]).await;
        assert_eq!(owner.attributes_of(&file).await.mode & 0o777, 0o444);
        smb.done(setting(file_id, parts, &shown)).await;
        assert_eq!(owner.attributes_of(&file).await.mode & 0o777, mode);
        assert_eq!(query(&mut smb, file_id).await, shown);
    }
}

#[tokio::test]
async fn what_is_made_inherits_by_either_protocol() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let directory = open(&mut smb, opening("d", CHANGE, CreateOptions::DIRECTORY_FILE)).await.file_id;
    let below = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
    let bobs = bobs_mask();
    let list = vec![
        Ace::allowed(Sid::unix_user(BOB), bobs, below),
        Ace::allowed(Sid::CREATOR_OWNER, ALL, below | AceFlags::INHERIT_ONLY),
        allow(Sid::EVERYONE, ALL),
    ];
    set(&mut smb, directory, list).await;

    let file = open_to_change(&mut smb, "d\\file").await;
    let inherited = vec![allow(Sid::unix_user(BOB), bobs), allow(Sid::unix_user(ALICE), ALL)];
    assert_eq!(aces(&mut smb, file).await, inherited);
    let folder = open(&mut smb, opening("d\\folder", CHANGE, CreateOptions::DIRECTORY_FILE)).await.file_id;
    assert_eq!(
        aces(&mut smb, folder).await,
        [
            Ace::allowed(Sid::unix_user(BOB), bobs, below),
            allow(Sid::unix_user(ALICE), ALL),
            Ace::allowed(Sid::CREATOR_OWNER, ALL, below | AceFlags::INHERIT_ONLY),
        ]
    );
    let own = descriptor(vec![allow(Sid::EVERYONE, READ)]);
    let context = RequestContext::SecurityDescriptor(own.encode().unwrap());
    let request = opening("d\\own", CHANGE, CreateOptions::empty());
    let request = CreateRequest { contexts: [context.encode()].into_iter().collect(), ..request };
    let with_own = open(&mut smb, request).await.file_id;
    assert_eq!(aces(&mut smb, with_own).await, own.dacl.unwrap().aces, "it inherits nothing");

    // NFS says a mode with what it makes, and nobody gets more than that.
    let mut owner = nfs(&world, ALICE).await;
    let root = owner.root.clone();
    let directory = owner.find(&root, b"d").await.unwrap();
    let made = owner.make_file(&directory, b"made", 0o644).await;
    assert_eq!(owner.attributes_of(&made).await.mode & 0o777, 0o644);
    let mut bob = nfs(&world, BOB).await;
    assert_eq!(rights(&mut bob, &made).await, ACCESS3_READ);
    let shared = owner.make_file(&directory, b"shared", 0o664).await;
    assert_eq!(rights(&mut bob, &shared).await, ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND);
}

#[tokio::test]
async fn rights_are_asked_for_when_something_is_opened() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let file_id = open_to_change(&mut smb, "file").await;
    set(&mut smb, file_id, vec![allow(Sid::unix_user(ALICE), READ)]).await;
    let write = opening("file", AccessMask::FILE_WRITE_DATA, CreateOptions::empty());
    assert_eq!(smb.fails(Request::Create(write)).await, NtStatus::ACCESS_DENIED);
    let most = opening("file", AccessMask::MAXIMUM_ALLOWED, CreateOptions::empty());
    let context = RequestContext::QueryMaximalAccess(None).encode();
    let most = open(&mut smb, CreateRequest { contexts: [context].into_iter().collect(), ..most }).await;
    let maximal =
        most.contexts.iter().find_map(|context| match dittofs_smb_wire::create::ResponseContext::decode(context) {
            Ok(dittofs_smb_wire::create::ResponseContext::MaximalAccess { maximal_access, .. }) => Some(maximal_access),
            _ => None,
        });
    // The directory lets everybody delete.
    assert_eq!(maximal, Some(READ | AccessMask::WRITE_DAC | AccessMask::DELETE));
    close(&mut smb, most.file_id).await;

    // An open keeps its rights: the list is set back through it, though nobody could open for that any more.
    set(&mut smb, file_id, vec![Ace::denied(Sid::OWNER_RIGHTS, ALL, AceFlags::empty())]).await;
    let again = opening("file", AccessMask::WRITE_DAC, CreateOptions::empty());
    assert_eq!(smb.fails(Request::Create(again.clone())).await, NtStatus::ACCESS_DENIED);
    set(&mut smb, file_id, vec![allow(Sid::EVERYONE, ALL)]).await;
    let open_again = open(&mut smb, again).await.file_id;
    let owner = |sid| SecurityDescriptor { owner: Some(sid), ..descriptor(vec![]) };
    for (file_id, sid, expected) in [
        (open_again, Sid::unix_user(ALICE), NtStatus::ACCESS_DENIED),
        (file_id, Sid::unix_user(BOB), NtStatus::INVALID_OWNER),
        (file_id, Sid::ADMINISTRATORS, NtStatus::INVALID_OWNER),
    ] {
        assert_eq!(smb.fails(setting(file_id, SecurityInformation::OWNER, &owner(sid))).await, expected, "{sid}");
    }
    let audit = setting(file_id, SecurityInformation::SACL, &descriptor(vec![]));
    assert_eq!(smb.fails(audit).await, NtStatus::ACCESS_DENIED);
    let Request::SetInfo(garbage) = setting(file_id, SecurityInformation::DACL, &descriptor(vec![])) else { panic!() };
    let garbage = SetInfoRequest { input: garbage.input.slice(..19), ..garbage };
    assert_eq!(smb.fails(Request::SetInfo(garbage)).await, NtStatus::INVALID_SECURITY_DESCR);
    let long = descriptor(vec![allow(Sid::unix_user(7), READ); 400]);
    let refused = smb.fails(setting(file_id, SecurityInformation::DACL, &long)).await;
    assert_eq!(refused, NtStatus::INSUFFICIENT_RESOURCES);
    assert_eq!(aces(&mut smb, file_id).await, [allow(Sid::EVERYONE, ALL)], "nothing of all that has changed it");
}

/// All that a user may have can be asked for where the sticky bit keeps files of others.
#[tokio::test]
async fn all_rights_are_those_that_can_be_had() {
    let world = world().await;
    let mut root = world.nfs().await;
    let top = root.root.clone();
    let directory = root.make_directory(&top, b"d", 0o1777).await;
    root.make_file(&directory, b"file", 0o644).await;
    let mut smb = alice(&world).await;
    let most = opening("d\\file", AccessMask::MAXIMUM_ALLOWED, CreateOptions::empty());
    let file_id = open(&mut smb, CreateRequest { create_disposition: CreateDisposition::OPEN, ..most }).await.file_id;
    let doomed = SetInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: 13,
        additional_information: 0,
        file_id,
        input: vec![1].into(),
    };
    assert_eq!(smb.fails(Request::SetInfo(doomed)).await, NtStatus::ACCESS_DENIED);
    let doomed = opening("d\\file", AccessMask::MAXIMUM_ALLOWED, CreateOptions::DELETE_ON_CLOSE);
    let doomed = CreateRequest { create_disposition: CreateDisposition::OPEN, ..doomed };
    assert_eq!(smb.fails(Request::Create(doomed)).await, NtStatus::ACCESS_DENIED);
    close(&mut smb, file_id).await;
    root.find(&directory, b"file").await.unwrap();
}

/// Without a list everybody may do all, whether the descriptor says that there is none or not; there is always an owner.
#[tokio::test]
async fn a_descriptor_without_a_part_that_is_set() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let file_id = open_to_change(&mut smb, "file").await;
    let list = vec![allow(Sid::EVERYONE, READ)];
    let nothing = SecurityDescriptor { control: Control::SELF_RELATIVE, ..SecurityDescriptor::default() };
    let no_list = SecurityDescriptor { control: Control::DACL_PRESENT, ..nothing.clone() };
    for none in [&nothing, &no_list] {
        set(&mut smb, file_id, list.clone()).await;
        assert_eq!(aces(&mut smb, file_id).await, list);
        smb.done(setting(file_id, SecurityInformation::DACL, none)).await;
        assert_eq!(query(&mut smb, file_id).await.dacl, None);
    }
    for (part, expected) in [
        (SecurityInformation::OWNER, NtStatus::INVALID_OWNER),
        (SecurityInformation::GROUP, NtStatus::INVALID_PRIMARY_GROUP),
    ] {
        assert_eq!(smb.fails(setting(file_id, part, &nothing)).await, expected);
    }
}

/// A descriptor that can't be kept matters only where something is made.
#[tokio::test]
async fn the_descriptor_of_a_create_is_for_what_it_makes() {
    let world = world().await;
    let mut smb = alice(&world).await;
    let file_id = open_to_change(&mut smb, "file").await;
    close(&mut smb, file_id).await;
    let conditional = Ace { ace_type: 0x09, flags: AceFlags::empty(), body: AceBody::Opaque(vec![0; 8].into()) };
    let context = RequestContext::SecurityDescriptor(descriptor(vec![conditional]).encode().unwrap());
    let with = |name: &str, create_disposition| {
        let contexts = [context.encode()].into_iter().collect();
        let request = opening(name, CHANGE, CreateOptions::empty());
        Request::Create(CreateRequest { create_disposition, contexts, ..request })
    };
    for disposition in [CreateDisposition::OPEN, CreateDisposition::OPEN_IF] {
        smb.done(with("file", disposition)).await;
    }
    assert_eq!(smb.fails(with("new", CreateDisposition::OPEN_IF)).await, NtStatus::NOT_SUPPORTED);
    assert_eq!(smb.fails(with("new", CreateDisposition::OPEN)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
}

/// Who may append does not write over what is there, by a write or by a copy.
#[tokio::test]
async fn the_right_to_append_is_not_the_right_to_write() {
    let world = world().await;
    let mut nfs = nfs(&world, ALICE).await;
    let root = nfs.root.clone();
    let source = nfs.make_file(&root, b"source", 0o644).await;
    nfs.write_at(&source, 0, b"abcdef", stable_how::FILE_SYNC).await.unwrap();
    let log = nfs.make_file(&root, b"log", 0o644).await;
    let mut smb = alice(&world).await;
    let append = AccessMask::FILE_APPEND_DATA | AccessMask::SYNCHRONIZE;
    let file_id = open(&mut smb, opening("log", append, CreateOptions::empty())).await.file_id;
    let write = |offset, data: &'static [u8]| {
        let (channel, remaining_bytes, flags) = (Channel::NONE, 0, WriteFlags::empty());
        Request::Write(WriteRequest { offset, file_id, channel, remaining_bytes, flags, data: data.into() })
    };
    smb.done(write(0, b"123")).await;
    for offset in [0, 2] {
        assert_eq!(smb.fails(write(offset, b"xyz")).await, NtStatus::ACCESS_DENIED);
    }
    smb.done(write(3, b"456")).await;

    let control = |file_id, ctl_code, input| {
        let (max_input_response, output, flags) = (0, Default::default(), IoctlFlags::IS_FSCTL);
        let max_output_response = 64;
        Request::Ioctl(IoctlRequest {
            ctl_code,
            file_id,
            input,
            max_input_response,
            output,
            max_output_response,
            flags,
        })
    };
    let source = open(&mut smb, opening("source", READ, CreateOptions::empty())).await.file_id;
    let key = match smb.done(control(source, code::FSCTL_SRV_REQUEST_RESUME_KEY, Default::default())).await {
        Response::Ioctl(response) => ResumeKey::decode(&response.output).unwrap(),
        other => panic!("{other:?}"),
    };
    let copy = |target_offset| {
        let chunks = vec![Chunk { source_offset: 0, target_offset, length: 3 }];
        let input = CopyChunk { source: key, chunks }.encode();
        control(file_id, code::FSCTL_SRV_COPYCHUNK_WRITE, input)
    };
    assert_eq!(smb.fails(copy(5)).await, NtStatus::ACCESS_DENIED);
    smb.done(copy(6)).await;
    close(&mut smb, file_id).await;
    assert_eq!(nfs.read_at(&log, 0, 100).await.data.as_ref(), b"123456abc");
}

#[tokio::test]
async fn a_right_to_the_file_removes_it_from_a_directory_of_others() {
    let world = world().await;
    let mut root = world.nfs().await;
    let top = root.root.clone();
    let directory = root.make_directory(&top, b"d", 0o755).await;
    let file = root.make_file(&directory, b"file", 0o600).await;
    let owned = sattr3 { uid: Nfs3Option::Some(ALICE), ..sattr3::default() };
    root.set(&file, owned, None).await.unwrap();
    let mut smb = alice(&world).await;
    let delete = opening("d\\file", AccessMask::DELETE, CreateOptions::empty());
    let delete = CreateRequest { create_disposition: CreateDisposition::OPEN, ..delete };
    assert_eq!(smb.fails(Request::Create(delete.clone())).await, NtStatus::ACCESS_DENIED, "the directory is root's");
    let change = opening("d\\file", AccessMask::WRITE_DAC, CreateOptions::empty());
    let file_id = open(&mut smb, CreateRequest { create_disposition: CreateDisposition::OPEN, ..change }).await.file_id;
    set(&mut smb, file_id, vec![allow(Sid::unix_user(ALICE), ALL), allow(Sid::unix_user(BOB), AccessMask::DELETE)])
        .await;
    close(&mut smb, file_id).await;
    let doomed = CreateRequest { create_options: CreateOptions::DELETE_ON_CLOSE, ..delete };
    let file_id = open(&mut smb, doomed).await.file_id;
    close(&mut smb, file_id).await;
    assert_eq!(root.find(&directory, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);

    // The same by NFS.
    let other = root.make_file(&directory, b"other", 0o600).await;
    root.set(&other, sattr3 { uid: Nfs3Option::Some(ALICE), ..sattr3::default() }, None).await.unwrap();
    let mut bob = nfs(&world, BOB).await;
    assert_eq!(status(&bob.remove_file(&directory, b"other").await), nfsstat3::NFS3ERR_ACCES);
    let change = opening("d\\other", AccessMask::WRITE_DAC, CreateOptions::empty());
    let file_id = open(&mut smb, CreateRequest { create_disposition: CreateDisposition::OPEN, ..change }).await.file_id;
    set(&mut smb, file_id, vec![allow(Sid::unix_user(BOB), AccessMask::DELETE)]).await;
    bob.remove_file(&directory, b"other").await.unwrap();
}
