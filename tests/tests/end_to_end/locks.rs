//! Locks of NFSv3's clients, by NLM and NSM, beside those of SMB's.

use std::{
    net::{IpAddr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use dittofs_smb_wire::{
    NtStatus, Request,
    access::ShareAccess,
    close::{CloseFlags, CloseRequest},
    create::OplockLevel,
    identifiers::{FileId, Guid},
    lock::{LockElement, LockFlags, LockRequest},
    read::Channel,
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::{
    nlm_client::{
        BLOCKED, Callback, DENIED, DENIED_GRACE_PERIOD, FREE_ALL, GRANTED, GRANTED_CALL, Holder, How, LOCK, NLM,
        NM_LOCK, NOTIFY, NSM, NlmClient, Range, SHARE, TEST, UNLOCK, UNSHARE, Xdr, holder,
    },
    ports::{own_place, own_port},
    rpc::{Credential, RpcConnection},
    server::{Home, Server},
    smb_client::{Opening, SmbClient, create},
};

use crate::{
    session::{Session, home, user},
    smb::PASSWORD,
};

const NOW: How = How { block: false, reclaim: false };
const WAIT: How = How { block: true, reclaim: false };
const AGAIN: How = How { block: false, reclaim: true };
const ALL: Range = Range::exclusive(0, 0);
/// A procedure in `_MSG` has the number of its answer's less this.
const RES: u32 = 5;
/// Time for a start, a logon and the first calls on a busy machine.
const GRACE: Duration = Duration::from_secs(12);

/// A server with a share on disk, its portmapper, and the ports of its clients' portmappers.
struct World {
    home: Home,
    server: Server,
    portmap: SocketAddr,
    client_portmap: u16,
    smb: u16,
    file: Vec<u8>,
}

impl World {
    async fn new() -> World {
        let (portmap, client_portmap, smb) = (own_port(), own_port(), own_port());
        let home = home(Some(&format!(
            "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
             content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
             journal: {{ path: journal, size: 64MiB }}\n\
             locks: {{ grace_seconds: {} }}\n\
             shares: [{{ name: /export, metadata_store: m, content_store: c, clients: [127.0.0.0/8], squash: none, \
             secure_ports: false }}]\n\
             adapters:\n  nfs: {{ portmap: \"127.0.0.1:{portmap}\", client_portmap: {client_portmap} }}\n  \
             smb: {{ listen: \"127.0.0.1:{smb}\", signing: optional }}\n",
            GRACE.as_secs()
        )));
        let added = home.run_with(&["user", "add", "alice", "--uid", "0", "--gid", "0"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{added:?}");
        let server = home.start();
        let mut nfs = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
        let root = nfs.root.clone();
        let file = nfs.make_file(&root, b"file", 0o666).await.data.as_ref().to_vec();
        let portmap = SocketAddr::from(([127, 0, 0, 1], portmap));
        World { home, server, portmap, client_portmap, smb, file }
    }

    /// A machine at an address of its own, the same for the same number.
    fn client(&self, number: u8, name: &str) -> NlmClient {
        NlmClient::connect(self.server.address(), address(number), self.client_portmap, name)
    }

    async fn smb(&self) -> (SmbClient, FileId) {
        let mut smb = SmbClient::connect(self.smb, "export", Guid([9; 16]), ("alice", PASSWORD)).await;
        let opened = smb.open(opening()).await;
        (smb, opened.file_id)
    }

    /// Kills the server, and starts it again.
    fn restart(self) -> World {
        let World { home, server, portmap, client_portmap, smb, file } = self;
        server.kill();
        World { server: home.start(), home, portmap, client_portmap, smb, file }
    }

    /// Where clients announce by datagrams that they have started again.
    fn monitor(&self) -> SocketAddr {
        let nobody = Credential { flavour: 0, body: Vec::new() };
        let mut portmapper = RpcConnection::open(self.portmap, nobody, 1);
        let wanted = [NSM.0, NSM.1, 17, 0].into_iter().fold(Xdr::default(), Xdr::word);
        let mut port: Xdr = portmapper.call((100_000, 2), 3, &wanted);
        SocketAddr::from(([127, 0, 0, 1], u16::try_from(port.take_word()).unwrap()))
    }
}

fn address(number: u8) -> IpAddr {
    let IpAddr::V4(place) = own_place().ip() else { unreachable!() };
    let [net, high, middle, low] = place.octets();
    IpAddr::from([net, high, middle ^ (number << 3), low])
}

/// Of the file, while others may do anything.
fn opening() -> Opening {
    let share = ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE;
    Opening { name: "file", oplock: OplockLevel::NONE, contexts: Vec::new(), share }
}

fn lock_elements(offset: u64, length: u64, flags: LockFlags) -> Vec<LockElement> {
    vec![LockElement { offset, length, flags }]
}

fn smb_lock(file_id: FileId, locks: Vec<LockElement>) -> Request {
    Request::Lock(LockRequest { lock_sequence: 0, file_id, locks })
}

#[tokio::test]
async fn locks_of_two_machines_conflict_and_those_of_one_process_merge_and_split() {
    let world = World::new().await;
    let (mut a, mut b) = (world.client(1, "a"), world.client(2, "b"));
    let file = &world.file[..];
    assert_eq!(a.lock(file, 7, Range::exclusive(0, 100), NOW), GRANTED);
    assert_eq!(a.lock(file, 7, Range::exclusive(100, 100), NOW), GRANTED);
    let whole = Some(Holder { range: Range::exclusive(0, 200), process: 7 });
    assert_eq!(b.test(file, 7, ALL), whole);
    assert_eq!(a.test(file, 8, Range::shared(199, 1)), whole, "another process of the same machine");
    assert_eq!(a.test(file, 7, ALL), None, "its own");
    assert_eq!(b.lock(file, 7, Range::shared(150, 1), NOW), DENIED);
    assert_eq!(b.lock(file, 7, Range::shared(200, 1), NOW), GRANTED);
    assert_eq!(a.unlock(file, 7, Range::exclusive(50, 100)), GRANTED);
    assert_eq!(b.lock(file, 7, Range::exclusive(50, 100), NOW), GRANTED);
    assert_eq!(b.test(file, 7, ALL), Some(Holder { range: Range::exclusive(0, 50), process: 7 }));
    // A downgrade lets others share.
    assert_eq!(a.lock(file, 7, Range::shared(0, 50), NOW), GRANTED);
    assert_eq!(b.lock(file, 7, Range::shared(0, 50), NOW), GRANTED);
    assert_eq!(a.lock(file, 7, Range::exclusive(0, 50), NOW), DENIED);
    // Unlocking is no error, whatever is locked.
    assert_eq!(a.unlock(file, 99, ALL), GRANTED);
    assert_eq!(b.unlock(file, 7, ALL), GRANTED);
    assert_eq!(a.lock(file, 7, Range::exclusive(0, u64::MAX), NOW), GRANTED);
    assert_eq!(b.test(file, 1, Range::exclusive(1 << 63, 1)).map(|held| held.range), Some(Range::exclusive(0, 0)));
}

#[tokio::test]
async fn who_waits_is_told_at_its_address_and_says_whether_it_wants_the_lock_still() {
    let world = World::new().await;
    let (mut a, mut b, mut c) = (world.client(1, "a"), world.client(2, "b"), world.client(3, "c"));
    let file = &world.file[..];
    assert_eq!(a.lock(file, 1, ALL, NOW), GRANTED);
    assert_eq!(b.lock(file, 2, ALL, WAIT), BLOCKED);
    assert!(b.is_left_alone());
    assert_eq!(a.unlock(file, 1, ALL), GRANTED);
    let Callback { program, procedure, mut arguments, from } = b.called();
    assert_eq!((program, procedure), (NLM.0, GRANTED_CALL));
    assert_eq!(from, world.server.address().ip(), "the client knows the server by this address");
    arguments.take_opaque();
    assert_eq!(arguments.take_word(), 1, "exclusive");
    assert_eq!((arguments.take_opaque(), arguments.take_opaque()), (b"b".to_vec(), file.to_vec()));
    assert_eq!(c.test(file, 3, ALL), Some(Holder { range: ALL, process: 2 }));

    // One that has given up meanwhile does not keep the lock from the next.
    assert_eq!(a.lock(file, 1, ALL, WAIT), BLOCKED);
    assert_eq!(c.lock(file, 3, ALL, WAIT), BLOCKED);
    a.answers(DENIED);
    assert_eq!(b.unlock(file, 2, ALL), GRANTED);
    assert_eq!(a.called().procedure, GRANTED_CALL);
    assert_eq!(c.called().procedure, GRANTED_CALL);
    assert_eq!(b.test(file, 2, ALL), Some(Holder { range: ALL, process: 3 }));

    // One that cancels is not told; one that asks again waits once.
    assert_eq!(b.lock(file, 2, ALL, WAIT), BLOCKED);
    assert_eq!(b.cancel(file, 2, ALL), GRANTED);
    assert_eq!(b.cancel(file, 2, ALL), DENIED, "nothing waits");
    a.answers(GRANTED);
    assert_eq!((a.lock(file, 1, ALL, WAIT), a.lock(file, 1, ALL, WAIT)), (BLOCKED, BLOCKED));
    assert_eq!(c.unlock(file, 3, ALL), GRANTED);
    assert_eq!(a.called().procedure, GRANTED_CALL);
    assert!(a.is_left_alone() && b.is_left_alone());
    // A client that can't be called back asks again, and has it.
    assert_eq!(a.lock(file, 1, ALL, WAIT), GRANTED);
}

#[tokio::test]
async fn requests_in_msg_are_answered_by_a_call() {
    let world = World::new().await;
    let (mut a, mut b) = (world.client(1, "a"), world.client(2, "b"));
    let file = world.file.clone();
    let answered = |client: &NlmClient, procedure: u32| {
        let Callback { program, procedure: answer, mut arguments, .. } = client.called();
        assert_eq!((program, answer), (NLM.0, procedure + 2 * RES));
        arguments.take_opaque();
        arguments
    };
    let lock = a.lock_arguments(&file, 1, ALL, NOW);
    a.sends(NLM, LOCK + RES, &lock);
    assert_eq!(answered(&a, LOCK), Xdr::default().word(GRANTED));
    let lock = b.lock_arguments(&file, 2, ALL, WAIT);
    b.sends(NLM, LOCK + RES, &lock);
    assert_eq!(answered(&b, LOCK), Xdr::default().word(BLOCKED));
    let test = b.test_arguments(&file, 2, ALL);
    b.sends(NLM, TEST + RES, &test);
    assert_eq!(holder(&mut answered(&b, TEST)), Some(Holder { range: ALL, process: 1 }));
    let unlock = a.unlock_arguments(&file, 1, ALL);
    a.sends(NLM, UNLOCK + RES, &unlock);
    assert_eq!(answered(&a, UNLOCK), Xdr::default().word(GRANTED));
    assert_eq!(b.called().procedure, GRANTED_CALL);
}

#[tokio::test]
async fn one_table_for_both_protocols() {
    let world = World::new().await;
    let (mut a, mut b) = (world.client(1, "a"), world.client(2, "b"));
    let file = &world.file[..];
    let (mut smb, id) = world.smb().await;
    let at_once = LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY;
    assert_eq!(a.lock(file, 1, Range::exclusive(0, 10), NOW), GRANTED);
    assert_eq!(smb.fails(smb_lock(id, lock_elements(5, 10, at_once))).await, NtStatus::LOCK_NOT_GRANTED);
    // Also for opens that come later, and after others were closed.
    for _ in 0..2 {
        let fresh = smb.open(opening()).await.file_id;
        assert_eq!(smb.fails(smb_lock(fresh, lock_elements(0, 5, at_once))).await, NtStatus::LOCK_NOT_GRANTED);
        smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id: fresh })).await;
    }
    let write = |offset| {
        let data = bytes::Bytes::from_static(b"from smb");
        let (channel, flags) = (Channel::NONE, WriteFlags::empty());
        Request::Write(WriteRequest { offset, file_id: id, channel, remaining_bytes: 0, flags, data })
    };
    assert_eq!(smb.fails(write(0)).await, NtStatus::FILE_LOCK_CONFLICT);
    smb.done(write(10)).await;
    smb.done(smb_lock(id, lock_elements(10, 10, at_once))).await;
    assert_eq!(a.test(file, 1, ALL), Some(Holder { range: Range::exclusive(10, 10), process: 0 }));
    assert_eq!(a.lock(file, 1, ALL, NOW), DENIED);
    assert_eq!(a.lock(file, 1, ALL, WAIT), BLOCKED);
    smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id: id })).await;
    assert_eq!(a.called().procedure, GRANTED_CALL);

    // A DOS share keeps others out as an open of SMB does.
    assert_eq!(a.unlock(file, 1, ALL), GRANTED);
    let (read_write, deny_write) = (3, 2);
    assert_eq!(a.share(SHARE, file, b"owner", (deny_write, read_write)), GRANTED);
    assert_eq!(b.share(SHARE, file, b"owner", (deny_write, read_write)), DENIED);
    let refused = smb.fails(create(opening())).await;
    assert_eq!(refused, NtStatus::SHARING_VIOLATION);
    assert_eq!(a.share(SHARE, file, b"owner", (0, read_write)), GRANTED, "another mode for the same owner");
    assert_eq!(b.share(SHARE, file, b"owner", (0, read_write)), GRANTED);
    assert_eq!(a.share(UNSHARE, file, b"owner", (0, read_write)), GRANTED);
    assert_eq!(a.share(UNSHARE, file, b"owner", (0, read_write)), GRANTED, "nothing is left to give up");
    assert_eq!(b.share(UNSHARE, file, b"owner", (0, read_write)), GRANTED);
    assert_eq!(a.share(SHARE, file, b"owner", (3, read_write)), GRANTED);
}

#[tokio::test]
async fn a_machine_that_starts_again_loses_its_locks_and_nobody_else_does() {
    let world = World::new().await;
    let monitor = world.monitor();
    let (mut a, mut other) = (world.client(1, "a.example.org"), world.client(2, "other"));
    let file = &world.file[..];
    let part = |number: u64| Range::exclusive(number * 10, 10);
    assert_eq!(a.lock(file, 1, part(0), NOW), GRANTED);
    assert_eq!(a.share(SHARE, file, b"owner", (0, 3)), GRANTED);
    assert_eq!(other.lock(file, 1, part(1), NOW), GRANTED);
    a.announces(monitor, 5);
    assert_eq!(other.test(file, 9, part(0)), None);
    assert_eq!(a.test(file, 9, part(1)), Some(Holder { range: part(1), process: 1 }));
    // The same announcement may come again, late: what has been locked since stays.
    assert_eq!(a.lock(file, 2, part(2), NOW), GRANTED);
    a.announces(monitor, 5);
    assert_eq!(other.test(file, 9, part(2)), Some(Holder { range: part(2), process: 2 }));
    // By the name and the address of a machine: whoever else says so is not believed.
    other.sends(NSM, NOTIFY, &Xdr::default().opaque(b"a.example.org").word(9));
    assert_eq!(other.test(file, 9, part(2)), Some(Holder { range: part(2), process: 2 }));
    assert_eq!(other.lock(file, 3, part(3), NOW), GRANTED);
    let arguments = a.lock_arguments(file, 4, part(4), NOW);
    assert_eq!(a.status(NM_LOCK, &arguments), GRANTED);
    a.sends(NLM, FREE_ALL, &Xdr::default().opaque(b"A").word(0));
    assert_eq!(other.test(file, 9, part(2)), None);
    assert_eq!(other.test(file, 9, part(4)), None);
}

#[tokio::test]
async fn after_a_restart_clients_take_their_locks_again_before_others_get_any() {
    let world = World::new().await;
    let (mut a, mut b) = (world.client(1, "a"), world.client(2, "b"));
    let file = world.file.clone();
    // Nobody has had a lock: nobody is waited for.
    let world = world.restart();
    b.reconnect(world.server.address());
    a.reconnect(world.server.address());
    assert_eq!(b.lock(&file, 2, Range::exclusive(50, 1), NOW), GRANTED);
    assert_eq!(b.unlock(&file, 2, ALL), GRANTED);
    assert_eq!(a.lock(&file, 1, ALL, NOW), GRANTED);
    let before = state(&mut a);

    let world = world.restart();
    let begun = Instant::now();
    b.reconnect(world.server.address());
    assert_eq!(b.lock(&file, 2, ALL, NOW), DENIED_GRACE_PERIOD);
    let (mut smb, id) = world.smb().await;
    let at_once = LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY;
    assert_eq!(smb.fails(smb_lock(id, lock_elements(0, 1, at_once))).await, NtStatus::LOCK_NOT_GRANTED);
    let Callback { program, procedure, mut arguments, from } = a.called();
    assert_eq!((program, procedure, from), (NSM.0, NOTIFY, world.server.address().ip()));
    assert_eq!(arguments.take_opaque(), b"127.0.0.1", "the address by which the client knows the server");
    let told = arguments.take_word();
    a.reconnect(world.server.address());
    assert_eq!((told, told % 2), (state(&mut a), 1));
    assert!(told > before);
    assert_eq!(a.lock(&file, 1, ALL, AGAIN), GRANTED);
    assert_eq!(b.lock(&file, 2, ALL, NOW), DENIED_GRACE_PERIOD);
    thread::sleep((GRACE + Duration::from_millis(200)).saturating_sub(begun.elapsed()));
    assert_eq!(b.lock(&file, 2, ALL, NOW), DENIED, "it is held");
    assert_eq!(b.lock(&file, 2, ALL, AGAIN), DENIED_GRACE_PERIOD, "too late");
    assert_eq!(a.unlock(&file, 1, ALL), GRANTED);
    assert_eq!(b.lock(&file, 2, ALL, NOW), GRANTED);
}

/// The number of the server's life.
fn state(client: &mut NlmClient) -> u32 {
    let mut result = client.call(NSM, 1, &Xdr::default().opaque(b"anybody"));
    assert_eq!(result.take_word(), 0, "STAT_SUCC");
    result.take_word()
}
