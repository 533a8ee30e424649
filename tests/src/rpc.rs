//! A raw RPC client: pipelined, and with its hands on every byte.

use std::{
    io::{self, BufReader, Cursor, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use nfs3_types::{
    mount, nfs3,
    rpc::{accept_stat_data, auth_stat, auth_unix, msg_body, opaque_auth, rejected_reply, reply_body, rpc_msg},
    xdr_codec::{Opaque, Pack, Unpack},
};
use socket2::{Domain, SockRef, Socket, Type};

/// NFS version 3.
pub const NFS: (u32, u32) = (nfs3::PROGRAM, nfs3::VERSION);
/// MOUNT version 3.
pub const MOUNT: (u32, u32) = (mount::PROGRAM, mount::VERSION);
/// The mark of a record that is one fragment.
pub const LAST_FRAGMENT: u32 = 1 << 31;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A credential: its flavour and its body.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The number of the flavour, known or not.
    pub flavour: u32,
    /// The body.
    pub body: Vec<u8>,
}

impl Credential {
    /// AUTH_SYS.
    pub fn user(uid: u32, gid: u32) -> Credential {
        let auth = auth_unix { machinename: Opaque::borrowed(b"suite"), uid, gid, ..auth_unix::default() };
        Credential { flavour: 1, body: opaque_auth::auth_unix(&auth).body.to_vec() }
    }
}

/// A connection. Calls are queued, sent together, and answered in any order.
pub struct RpcConnection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    credential: Credential,
    xid: u32,
    queued: Vec<u8>,
}

/// A reply.
pub struct RpcReply {
    /// Of the call.
    pub xid: u32,
    /// All bytes after the record's mark.
    pub bytes: Vec<u8>,
}

/// The outcome of a call, before its results.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted and carried out; the results begin at this byte.
    Success(usize),
    /// PROG_UNAVAIL.
    ProgramUnavailable,
    /// PROG_MISMATCH.
    ProgramMismatch(u32, u32),
    /// PROC_UNAVAIL.
    ProcedureUnavailable,
    /// GARBAGE_ARGS.
    GarbageArguments,
    /// SYSTEM_ERR.
    SystemError,
    /// RPC_MISMATCH.
    RpcMismatch(u32, u32),
    /// AUTH_ERROR.
    AuthError(auth_stat),
}

impl RpcConnection {
    /// Connects. The first xid is `xid`.
    pub fn open(address: SocketAddr, credential: Credential, xid: u32) -> RpcConnection {
        Self::over(TcpStream::connect(address).unwrap(), credential, xid)
    }

    /// The same from an address of this machine that the caller chooses; port 0 takes a free one.
    pub fn open_from(local: SocketAddr, address: SocketAddr, credential: Credential, xid: u32) -> RpcConnection {
        Self::try_open_from(local, address, credential, xid).unwrap()
    }

    /// The same, where the address may be taken or forbidden.
    pub fn try_open_from(
        local: SocketAddr,
        address: SocketAddr,
        credential: Credential,
        xid: u32,
    ) -> std::io::Result<RpcConnection> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&local.into())?;
        socket.connect_timeout(&address.into(), TIMEOUT)?;
        Ok(Self::over(socket.into(), credential, xid))
    }

    fn over(stream: TcpStream, credential: Credential, xid: u32) -> RpcConnection {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        let reader = BufReader::with_capacity(256 << 10, stream.try_clone().unwrap());
        RpcConnection { stream, reader, credential, xid, queued: Vec::new() }
    }

    /// Where it comes from.
    pub fn local(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Ends it so that another one can be made from the same port at once, as clients do that reconnect.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Queues a call, and answers its xid.
    pub fn queue(&mut self, program: (u32, u32), procedure: u32, arguments: &impl Pack) -> u32 {
        let xid = self.xid;
        self.xid = self.xid.wrapping_add(1);
        let record = record(xid, program, procedure, &self.credential, arguments);
        self.queued.extend_from_slice(&record);
        xid
    }

    /// Queues bytes as they are.
    pub fn queue_bytes(&mut self, bytes: &[u8]) {
        self.queued.extend_from_slice(bytes);
    }

    /// Sends what is queued.
    pub fn send(&mut self) -> std::io::Result<()> {
        let sent = self.stream.write_all(&self.queued);
        self.queued.clear();
        sent
    }

    /// The next reply; `None` where the server has closed the connection.
    pub fn receive(&mut self) -> Option<RpcReply> {
        match self.try_receive() {
            Ok(reply) => Some(reply),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => None,
            Err(error) => panic!("no reply: {error}"),
        }
    }

    /// The next reply, or why there is none.
    pub fn try_receive(&mut self) -> io::Result<RpcReply> {
        let mut mark = [0; 4];
        self.reader.read_exact(&mut mark)?;
        let mark = u32::from_be_bytes(mark);
        assert!(mark & LAST_FRAGMENT != 0, "a reply in several fragments");
        let mut bytes = vec![0; (mark & !LAST_FRAGMENT) as usize];
        self.reader.read_exact(&mut bytes)?;
        let xid = u32::from_be_bytes(*bytes.first_chunk().unwrap());
        Ok(RpcReply { xid, bytes })
    }

    /// A call by itself.
    pub fn call<R: Unpack>(&mut self, program: (u32, u32), procedure: u32, arguments: &impl Pack) -> R {
        let xid = self.queue(program, procedure, arguments);
        self.send().unwrap();
        let reply = self.receive().expect("the server closed the connection");
        assert_eq!(reply.xid, xid);
        reply.results()
    }

    /// The root of a share.
    pub fn mount(&mut self, share: &str) -> nfs3::nfs_fh3 {
        let path = mount::dirpath(Opaque::borrowed(share.as_bytes()));
        match self.call(MOUNT, mount::MOUNT_PROGRAM::MOUNTPROC3_MNT as u32, &path) {
            mount::mountres3::Ok(mounted) => nfs3::nfs_fh3 { data: mounted.fhandle.0 },
            mount::mountres3::Err(status) => panic!("{share}: {status}"),
        }
    }
}

impl RpcReply {
    /// Returns the outcome of the call.
    pub fn outcome(&self) -> Outcome {
        let mut cursor = Cursor::new(self.bytes.as_slice());
        let (message, length) = rpc_msg::unpack(&mut cursor).unwrap();
        let body = match message.body {
            msg_body::REPLY(body) => body,
            msg_body::CALL(_) => panic!("a call, not a reply"),
        };
        match body {
            reply_body::MSG_ACCEPTED(accepted) => match accepted.reply_data {
                accept_stat_data::SUCCESS => Outcome::Success(length),
                accept_stat_data::PROG_UNAVAIL => Outcome::ProgramUnavailable,
                accept_stat_data::PROG_MISMATCH { low, high } => Outcome::ProgramMismatch(low, high),
                accept_stat_data::PROC_UNAVAIL => Outcome::ProcedureUnavailable,
                accept_stat_data::GARBAGE_ARGS => Outcome::GarbageArguments,
                accept_stat_data::SYSTEM_ERR => Outcome::SystemError,
            },
            reply_body::MSG_DENIED(rejected_reply::RPC_MISMATCH { low, high }) => Outcome::RpcMismatch(low, high),
            reply_body::MSG_DENIED(rejected_reply::AUTH_ERROR(why)) => Outcome::AuthError(why),
        }
    }

    /// The results of a call that was carried out, to their last byte.
    pub fn results<R: Unpack>(&self) -> R {
        let outcome = self.outcome();
        let Outcome::Success(at) = outcome else { panic!("{outcome:?}") };
        let (results, length) = R::unpack(&mut &self.bytes[at..]).unwrap();
        assert_eq!(at + length, self.bytes.len(), "bytes after the results");
        results
    }
}

/// A call as it goes over the wire: one record of one fragment.
pub fn record(
    xid: u32,
    program: (u32, u32),
    procedure: u32,
    credential: &Credential,
    arguments: &impl Pack,
) -> Vec<u8> {
    let mut record = vec![0; 4];
    let head = [xid, 0, 2, program.0, program.1, procedure, credential.flavour];
    record.extend(head.iter().flat_map(|word| word.to_be_bytes()));
    Opaque::borrowed(&credential.body).pack(&mut record).unwrap();
    // A verifier of AUTH_NONE.
    record.extend([0; 8]);
    arguments.pack(&mut record).unwrap();
    let mark = LAST_FRAGMENT | (record.len() - 4) as u32;
    record[..4].copy_from_slice(&mark.to_be_bytes());
    record
}
