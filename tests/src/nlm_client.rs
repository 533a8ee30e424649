//! A client of NLM and NSM by a codec of its own: it locks, and takes the calls in return at an address that is its alone.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use nfs3_types::xdr_codec::{Error, Pack, Unpack};

use crate::rpc::{Credential, LAST_FRAGMENT, Outcome, RpcConnection, record};

/// The lock manager, and the version for NFSv3.
pub const NLM: (u32, u32) = (100_021, 4);
/// The status monitor.
pub const NSM: (u32, u32) = (100_024, 1);

pub const TEST: u32 = 1;
pub const LOCK: u32 = 2;
pub const CANCEL: u32 = 3;
pub const UNLOCK: u32 = 4;
pub const GRANTED_CALL: u32 = 5;
pub const SHARE: u32 = 20;
pub const UNSHARE: u32 = 21;
pub const NM_LOCK: u32 = 22;
pub const FREE_ALL: u32 = 23;
pub const NOTIFY: u32 = 6;

pub const GRANTED: u32 = 0;
pub const DENIED: u32 = 1;
pub const DENIED_NOLOCKS: u32 = 2;
pub const BLOCKED: u32 = 3;
pub const DENIED_GRACE_PERIOD: u32 = 4;

/// How long a call in return may take. Servers try again after ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// XDR as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xdr(pub Vec<u8>);

impl Xdr {
    #[must_use]
    pub fn word(mut self, word: u32) -> Xdr {
        self.0.extend(word.to_be_bytes());
        self
    }

    #[must_use]
    pub fn wide(mut self, wide: u64) -> Xdr {
        self.0.extend(wide.to_be_bytes());
        self
    }

    #[must_use]
    pub fn opaque(self, bytes: &[u8]) -> Xdr {
        let mut xdr = self.word(bytes.len() as u32);
        xdr.0.extend(bytes);
        xdr.0.resize(xdr.0.len().next_multiple_of(4), 0);
        xdr
    }

    pub fn take_word(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    pub fn take_wide(&mut self) -> u64 {
        u64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    pub fn take_opaque(&mut self) -> Vec<u8> {
        let length = self.take_word() as usize;
        let mut bytes = self.take(length.next_multiple_of(4));
        bytes.truncate(length);
        bytes
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        assert!(bytes <= self.0.len(), "XDR ends early");
        self.0.drain(..bytes).collect()
    }
}

impl Pack for Xdr {
    fn packed_size(&self) -> usize {
        self.0.len()
    }

    fn pack(&self, out: &mut impl Write) -> Result<usize, Error> {
        out.write_all(&self.0)?;
        Ok(self.0.len())
    }
}

impl Unpack for Xdr {
    fn unpack(input: &mut impl Read) -> Result<(Xdr, usize), Error> {
        let mut bytes = Vec::new();
        let length = input.read_to_end(&mut bytes)?;
        Ok((Xdr(bytes), length))
    }
}

/// A range to lock, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub offset: u64,
    /// 0: to the end.
    pub length: u64,
    pub exclusive: bool,
}

impl Range {
    pub const fn exclusive(offset: u64, length: u64) -> Range {
        Range { offset, length, exclusive: true }
    }

    pub const fn shared(offset: u64, length: u64) -> Range {
        Range { offset, length, exclusive: false }
    }
}

/// How a lock is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    pub block: bool,
    pub reclaim: bool,
}

/// A lock that TEST finds in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub range: Range,
    pub process: i32,
}

/// A call in return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    pub program: u32,
    pub procedure: u32,
    pub arguments: Xdr,
    pub from: IpAddr,
}

/// A machine with processes that lock.
pub struct NlmClient {
    rpc: RpcConnection,
    name: Vec<u8>,
    address: IpAddr,
    callbacks: Receiver<Callback>,
    answer: Arc<Mutex<u32>>,
    cookie: u32,
}

impl NlmClient {
    /// A machine of this name at an address of this host, which calls a server. Its portmapper is at `portmap`.
    pub fn connect(server: SocketAddr, address: IpAddr, portmap: u16, name: &str) -> NlmClient {
        let (sender, callbacks) = channel();
        let answer = Arc::new(Mutex::new(GRANTED));
        let programs = TcpListener::bind((address, 0)).unwrap();
        let port = programs.local_addr().unwrap().port();
        serve(programs, {
            let answer = Arc::clone(&answer);
            move |call| called(&sender, &answer, call)
        });
        let portmapper = TcpListener::bind((address, portmap)).expect("the port of this client's portmapper");
        serve(portmapper, move |_| Xdr::default().word(port.into()));
        let rpc = Self::rpc(server, address);
        NlmClient { rpc, name: name.into(), address, callbacks, answer, cookie: 0 }
    }

    /// The same machine calls a server that has started again, perhaps elsewhere.
    pub fn reconnect(&mut self, server: SocketAddr) {
        self.rpc = Self::rpc(server, self.address);
    }

    fn rpc(server: SocketAddr, address: IpAddr) -> RpcConnection {
        RpcConnection::open_from(SocketAddr::new(address, 0), server, Credential::user(0, 0), 1)
    }

    /// How it answers that a lock is granted.
    pub fn answers(&self, stat: u32) {
        *self.answer.lock().unwrap() = stat;
    }

    /// The next call in return.
    pub fn called(&self) -> Callback {
        self.callbacks.recv_timeout(PATIENCE).expect("a call in return")
    }

    /// Whether no call in return comes within a moment.
    pub fn is_left_alone(&self) -> bool {
        self.callbacks.recv_timeout(Duration::from_millis(300)).is_err()
    }

    pub fn lock(&mut self, file: &[u8], process: i32, range: Range, how: How) -> u32 {
        let arguments = self.lock_arguments(file, process, range, how);
        self.status(LOCK, &arguments)
    }

    /// The arguments of LOCK, with a new cookie.
    pub fn lock_arguments(&mut self, file: &[u8], process: i32, range: Range, how: How) -> Xdr {
        let head = self.cookie().word(how.block.into()).word(range.exclusive.into());
        self.with_lock(head, file, process, range).word(how.reclaim.into()).word(1)
    }

    pub fn cancel(&mut self, file: &[u8], process: i32, range: Range) -> u32 {
        let head = self.cookie().word(1).word(range.exclusive.into());
        let arguments = self.with_lock(head, file, process, range);
        self.status(CANCEL, &arguments)
    }

    pub fn unlock(&mut self, file: &[u8], process: i32, range: Range) -> u32 {
        let arguments = self.unlock_arguments(file, process, range);
        self.status(UNLOCK, &arguments)
    }

    /// The arguments of UNLOCK, with a new cookie.
    pub fn unlock_arguments(&mut self, file: &[u8], process: i32, range: Range) -> Xdr {
        let head = self.cookie();
        self.with_lock(head, file, process, range)
    }

    /// The lock in the way.
    pub fn test(&mut self, file: &[u8], process: i32, range: Range) -> Option<Holder> {
        let arguments = self.test_arguments(file, process, range);
        let mut result: Xdr = self.rpc.call(NLM, TEST, &arguments);
        result.take_opaque();
        holder(&mut result)
    }

    /// The arguments of TEST, with a new cookie.
    pub fn test_arguments(&mut self, file: &[u8], process: i32, range: Range) -> Xdr {
        let head = self.cookie().word(range.exclusive.into());
        self.with_lock(head, file, process, range)
    }

    /// A DOS share: the access that it denies, and the access that it is for.
    pub fn share(&mut self, procedure: u32, file: &[u8], owner: &[u8], (deny, access): (u32, u32)) -> u32 {
        let arguments = self.cookie().opaque(&self.name).opaque(file).opaque(owner).word(deny).word(access).word(0);
        let mut result: Xdr = self.rpc.call(NLM, procedure, &arguments);
        assert_eq!(result.take_opaque(), self.cookie.to_be_bytes());
        result.take_word()
    }

    /// A call that has a status only.
    pub fn status(&mut self, procedure: u32, arguments: &Xdr) -> u32 {
        let mut result: Xdr = self.rpc.call(NLM, procedure, arguments);
        assert_eq!(result.take_opaque(), self.cookie.to_be_bytes(), "the cookie of the call");
        let stat = result.take_word();
        assert!(result.0.is_empty());
        stat
    }

    /// A call whose result is nothing: one of those in `_MSG`, FREE_ALL, or the status monitor's NOTIFY.
    pub fn sends(&mut self, program: (u32, u32), procedure: u32, arguments: &Xdr) {
        let result: Xdr = self.rpc.call(program, procedure, arguments);
        assert_eq!(result, Xdr::default());
    }

    /// Any call.
    pub fn call(&mut self, program: (u32, u32), procedure: u32, arguments: &Xdr) -> Xdr {
        self.rpc.call(program, procedure, arguments)
    }

    /// Says by a datagram that it has started again, as `sm-notify` does.
    pub fn announces(&self, monitor: SocketAddr, state: u32) {
        let socket = UdpSocket::bind((self.address, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let arguments = Xdr::default().opaque(&self.name).word(state);
        let call = record(7, NSM, NOTIFY, &Credential { flavour: 0, body: Vec::new() }, &arguments);
        socket.send_to(&call[4..], monitor).unwrap();
        let mut bytes = vec![0; 512];
        let (length, _) = socket.recv_from(&mut bytes).unwrap();
        bytes.truncate(length);
        assert!(matches!(crate::rpc::RpcReply { xid: 7, bytes }.outcome(), Outcome::Success(_)));
    }

    fn cookie(&mut self) -> Xdr {
        self.cookie += 1;
        Xdr::default().opaque(&self.cookie.to_be_bytes())
    }

    fn with_lock(&self, head: Xdr, file: &[u8], process: i32, range: Range) -> Xdr {
        let owner = format!("{process}@{}", String::from_utf8_lossy(&self.name));
        let lock = head.opaque(&self.name).opaque(file).opaque(owner.as_bytes()).word(process.cast_unsigned());
        lock.wide(range.offset).wide(range.length)
    }
}

/// The result of TEST, behind its cookie.
pub fn holder(result: &mut Xdr) -> Option<Holder> {
    match result.take_word() {
        GRANTED => None,
        DENIED => {
            let exclusive = result.take_word() == 1;
            let process = result.take_word().cast_signed();
            result.take_opaque();
            let range = Range { offset: result.take_wide(), length: result.take_wide(), exclusive };
            Some(Holder { range, process })
        }
        stat => panic!("TEST: {stat}"),
    }
}

struct Received {
    program: u32,
    procedure: u32,
    arguments: Xdr,
    from: IpAddr,
}

/// Tells the test of a call, and answers it.
fn called(sender: &Sender<Callback>, answer: &Mutex<u32>, call: Received) -> Xdr {
    let Received { program, procedure, arguments, from } = call;
    let result = if (program, procedure) == (NLM.0, GRANTED_CALL) {
        Xdr::default().opaque(&arguments.clone().take_opaque()).word(*answer.lock().unwrap())
    } else {
        Xdr::default()
    };
    // The test may be over.
    let _ = sender.send(Callback { program, procedure, arguments, from });
    result
}

/// Answers calls, each over a connection of its own, as long as the process runs.
fn serve(listener: TcpListener, mut answer: impl FnMut(Received) -> Xdr + Send + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if let Some((xid, call)) = receive(&mut stream) {
                let reply = [xid, 1, 0, 0, 0, 0].into_iter().fold(Xdr::default(), Xdr::word);
                let reply = [reply.0, answer(call).0].concat();
                let mark = LAST_FRAGMENT | reply.len() as u32;
                // The caller may be gone.
                let _ = stream.write_all(&[&mark.to_be_bytes()[..], &reply].concat());
            }
        }
    });
}

fn receive(stream: &mut TcpStream) -> Option<(u32, Received)> {
    let mut mark = [0; 4];
    stream.read_exact(&mut mark).ok()?;
    let mut bytes = vec![0; (u32::from_be_bytes(mark) & !LAST_FRAGMENT) as usize];
    stream.read_exact(&mut bytes).ok()?;
    let mut xdr = Xdr(bytes);
    let (xid, kind, rpc) = (xdr.take_word(), xdr.take_word(), xdr.take_word());
    assert_eq!((kind, rpc), (0, 2), "a call of RPC version 2");
    let (program, _version, procedure) = (xdr.take_word(), xdr.take_word(), xdr.take_word());
    for _credential_and_verifier in 0..2 {
        xdr.take_word();
        xdr.take_opaque();
    }
    let from = stream.peer_addr().ok()?.ip();
    Some((xid, Received { program, procedure, arguments: xdr, from }))
}
