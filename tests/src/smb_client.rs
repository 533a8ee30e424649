//! A client of SMB by the server's own codec: it sees the breaks that others cause, costs little, and can have many
//! requests on their way.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use dittofs_smb_security::{
    ntlm::client::Client as Ntlm,
    spnego::{Mechanism, initiator::Initiator},
};
use dittofs_smb_wire::{
    Command, Header, Message, NtStatus, OutgoingMessage, Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    create::{
        CreateContexts, CreateDisposition, CreateOptions, CreateRequest, CreateResponse, ImpersonationLevel, Lease,
        LeaseFlags, LeaseState, LeaseVersion2, OplockLevel, RequestContext,
    },
    dialect::Dialect,
    frame,
    header::Routing,
    identifiers::{Guid, LeaseKey},
    negotiate::{Capabilities, NegotiateRequest, SecurityMode},
    session_setup::{SessionSecurityMode, SessionSetupFlags, SessionSetupRequest},
    text::Utf16Text,
    tree_connect::{TreeConnectFlags, TreeConnectRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A session of SMB 3.0.2 with a share, not signed.
pub struct SmbClient {
    stream: TcpStream,
    /// Requests that were not sent yet.
    queued: Vec<u8>,
    received: BytesMut,
    message_id: u64,
    session_id: u64,
    /// The share that requests are for.
    pub tree_id: u32,
    /// Messages that came while another one was waited for.
    others: VecDeque<(Header, Response)>,
}

/// A file to open, and how to cache it.
pub struct Opening {
    pub name: &'static str,
    pub oplock: OplockLevel,
    pub contexts: Vec<RequestContext>,
    pub share: ShareAccess,
}

/// Opens or makes a file which others may use meanwhile.
pub fn opening(name: &str, access: AccessMask, disposition: CreateDisposition) -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: access,
        file_attributes: FileAttributes::empty(),
        share_access: ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE,
        create_disposition: disposition,
        create_options: CreateOptions::empty(),
        name: Utf16Text::from(name),
        contexts: CreateContexts::default(),
    }
}

impl SmbClient {
    /// Connects to a share on a port of 127.0.0.1.
    pub async fn connect(port: u16, share: &str, guid: Guid, user: (&str, &str)) -> SmbClient {
        let mut client = SmbClient::log_on(port, (guid, Capabilities::LEASING), user).await;
        let (header, _) = client.enter(share).await;
        assert_eq!(header.status, NtStatus::SUCCESS);
        client
    }

    /// Connects to a port of 127.0.0.1 as a client that can do this, and logs on.
    pub async fn log_on(port: u16, (guid, capabilities): (Guid, Capabilities), user: (&str, &str)) -> SmbClient {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (received, others) = (BytesMut::new(), VecDeque::new());
        let queued = Vec::new();
        let mut client = SmbClient { stream, queued, received, message_id: 0, session_id: 0, tree_id: 0, others };
        let negotiate = NegotiateRequest {
            security_mode: SecurityMode::SIGNING_ENABLED,
            capabilities,
            client_guid: guid,
            dialects: vec![Dialect::SMB_3_0_2],
            contexts: Vec::new(),
        };
        client.done(Request::Negotiate(negotiate)).await;
        client.prove(user).await;
        client
    }

    /// Proves who the user is, for the first time or once more.
    pub async fn prove(&mut self, (user, password): (&str, &str)) {
        let mut initiator = Initiator::new(Ntlm::new(user, "", password), &[Mechanism::Ntlm]);
        let (header, challenge) = self.set_up(initiator.first(None)).await;
        assert_eq!(header.status, NtStatus::MORE_PROCESSING_REQUIRED);
        self.session_id = header.session_id;
        let (header, _) = self.set_up(initiator.next(&challenge, [1; 8], [2; 16]).unwrap()).await;
        assert_eq!(header.status, NtStatus::SUCCESS);
    }

    /// Asks for a share. What is asked from then on is for that, if it may be had.
    pub async fn enter(&mut self, share: &str) -> (Header, Response) {
        let path = Utf16Text::from(format!("\\\\127.0.0.1\\{share}").as_str());
        let connect = TreeConnectRequest { flags: TreeConnectFlags::empty(), path };
        let (header, response) = self.ask(Request::TreeConnect(connect)).await;
        if header.status == NtStatus::SUCCESS {
            let Routing::Synchronous { tree_id, .. } = header.routing else { panic!("{header:?}") };
            self.tree_id = tree_id;
        }
        (header, response)
    }

    async fn set_up(&mut self, token: Vec<u8>) -> (Header, Bytes) {
        let request = SessionSetupRequest {
            flags: SessionSetupFlags::empty(),
            security_mode: SessionSecurityMode::SIGNING_ENABLED,
            capabilities: Capabilities::empty(),
            previous_session_id: 0,
            security_buffer: token.into(),
        };
        match self.ask(Request::SessionSetup(request)).await {
            (header, Response::SessionSetup(response)) => (header, response.security_buffer),
            other => panic!("{other:?}"),
        }
    }

    /// Opens, and makes what is not there.
    pub async fn open(&mut self, opening: Opening) -> CreateResponse {
        match self.ask(create(opening)).await {
            (_, Response::Create(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The status of a request that fails.
    pub async fn fails(&mut self, request: Request) -> NtStatus {
        self.ask(request).await.0.status
    }

    /// Sends a request, and takes its answer.
    pub async fn ask(&mut self, request: Request) -> (Header, Response) {
        let id = self.send(request).await;
        self.answer(id).await
    }

    pub async fn done(&mut self, request: Request) -> Response {
        let (header, response) = self.ask(request).await;
        assert_eq!(header.status, NtStatus::SUCCESS, "{response:?}");
        response
    }

    /// Sends a request. Returns its id.
    pub async fn send(&mut self, request: Request) -> u64 {
        let id = self.queue(&request);
        self.send_queued().await;
        id
    }

    /// Queues a request. Returns its id.
    pub fn queue(&mut self, request: &Request) -> u64 {
        let id = self.message_id;
        self.message_id += 1;
        let routing = Routing::Synchronous { process_id: 0, tree_id: self.tree_id };
        let header = Header {
            routing,
            credits: 64,
            credit_charge: 1,
            session_id: self.session_id,
            ..Header::request(request.command(), id)
        };
        self.put(&header, request);
        id
    }

    /// Sends what is queued.
    pub async fn send_queued(&mut self) {
        self.stream.write_all(&self.queued).await.unwrap();
        self.queued.clear();
    }

    /// Cancels a request that waits.
    pub async fn cancel(&mut self, interim: &Header) {
        let header = Header { status: NtStatus::SUCCESS, credits: 0, ..*interim };
        self.put(&Header { command: Command::CANCEL, ..header }, &Request::Cancel);
        self.send_queued().await;
    }

    fn put(&mut self, header: &Header, request: &Request) {
        let message = OutgoingMessage::new(header, request).into_contiguous();
        self.queued.extend_from_slice(&frame::header(message.len()).unwrap());
        self.queued.extend_from_slice(&message);
    }

    /// The answer to a request, interim ones left out.
    pub async fn answer(&mut self, id: u64) -> (Header, Response) {
        loop {
            let answer = self.next_of(id).await;
            if answer.0.status != NtStatus::PENDING {
                return answer;
            }
        }
    }

    /// The next message with this id.
    pub async fn next_of(&mut self, id: u64) -> (Header, Response) {
        if let Some(at) = self.others.iter().position(|(header, _)| header.message_id == id) {
            return self.others.remove(at).unwrap();
        }
        loop {
            let next = self.receive().await;
            if next.0.message_id == id {
                return next;
            }
            self.others.push_back(next);
        }
    }

    /// The next break.
    pub async fn broken(&mut self) -> Response {
        self.next_of(Header::UNSOLICITED_MESSAGE_ID).await.1
    }

    /// Whether a break has come.
    pub fn is_broken(&self) -> bool {
        self.others.iter().any(|(header, _)| header.message_id == Header::UNSOLICITED_MESSAGE_ID)
    }

    /// Whether another whole message has come.
    pub fn has_received(&self) -> bool {
        frame::is_whole(&self.received)
    }

    /// The next message.
    pub async fn receive(&mut self) -> (Header, Response) {
        loop {
            if let frame::Progress::Message(message) = frame::decode(&mut self.received, 1 << 24).unwrap() {
                let mut messages = dittofs_smb_wire::Compound::decode(message.freeze(), 1).unwrap();
                let Message { header, bytes } = messages.next().unwrap();
                return (header, Response::decode(&header, &bytes).unwrap());
            }
            assert_ne!(self.stream.read_buf(&mut self.received).await.unwrap(), 0, "the connection was closed");
        }
    }
}

/// A CREATE for everything but removal.
pub fn create(opening: Opening) -> Request {
    Request::Create(CreateRequest {
        requested_oplock_level: opening.oplock,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::from_bits_retain(0x0012_019F),
        file_attributes: FileAttributes::empty(),
        share_access: opening.share,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::empty(),
        name: Utf16Text::from(opening.name),
        contexts: opening.contexts.iter().map(RequestContext::encode).collect::<CreateContexts>(),
    })
}

/// A lease of version 2 for all rights.
pub fn lease(key: u8) -> Lease {
    Lease {
        key: LeaseKey([key; 16]),
        state: LeaseState::READ_CACHING | LeaseState::HANDLE_CACHING | LeaseState::WRITE_CACHING,
        flags: LeaseFlags::empty(),
        version_2: Some(LeaseVersion2 { parent_key: LeaseKey::default(), epoch: 0x10 }),
    }
}
