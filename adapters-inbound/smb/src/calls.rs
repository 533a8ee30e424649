//! The requests of a frame, one after another, and the frame that answers them (MS-SMB2, 3.3.5.2).

mod checks;
mod earlier;
mod respond;
mod room;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use dittofs_domain::opens::OpenToken;
use dittofs_smb_wire::{
    Command, Header, Message, NtStatus, OutgoingMessage, Request, Response, compound,
    dialect::Dialect,
    header::{HeaderFlags, Routing},
    identifiers::FileId,
};

use crate::{
    audit::AuditLine,
    call_log::CallLine,
    command,
    counts::Requests,
    establish::{SetUp, answer_negotiate, binding, set_up},
    failure::Failure,
    link::{Cancelled, Frame, Link, Wait},
    open::{Open, Sent},
    session::Session,
    tree::Tree,
};
use earlier::Earlier;
pub(crate) use respond::{Answer, frame_of};
use room::Room;
pub(crate) use room::answers_bytes;

/// Bytes of a frame and of its answers from which on none of its requests may wait for long: they would hold the room
/// for it as long.
const WAITING_BYTES_MAX: usize = 64 << 10;

/// The requests of one frame, and whether it was sealed.
pub(crate) struct Batch {
    pub(crate) requests: Vec<(Message, Result<Request, NtStatus>)>,
    /// The session whose keys have sealed it.
    pub(crate) sealed: Option<Arc<Session>>,
}

/// What related requests of a frame take over from the one before (3.3.5.2.7.2).
#[derive(Default)]
struct Related {
    session_id: Option<u64>,
    tree_id: Option<u32>,
    /// The file, or why there is none.
    file: Option<Result<FileId, NtStatus>>,
    /// Opens with oplocks that the answers tell of.
    new_oplocks: Vec<OpenToken>,
    /// The answers that are there, for the last request of a frame.
    earlier: Option<Arc<Earlier>>,
}

/// A request that is being answered.
pub(crate) struct Call {
    pub(crate) link: Arc<Link>,
    pub(crate) header: Header,
    pub(crate) session: Arc<Session>,
    /// Its tree, for all commands but those that need none.
    tree: Option<Arc<Tree>>,
    /// The file that it takes over from the request before.
    related_file: Option<FileId>,
    /// Whether it is the last of a frame that holds little: others can't be answered later.
    may_wait: bool,
    /// The answers in front of its own.
    earlier: Option<Arc<Earlier>>,
    /// The number under which it waits; 0 if it does not.
    async_id: AtomicU64,
    /// The tree that the answer tells of, if it is a new one.
    new_tree: AtomicU32,
    /// An open whose oplock may be broken once the client knows it.
    new_oplock: OnceLock<OpenToken>,
    is_sealed: bool,
}

/// Why a request can't be answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CantWait {
    /// Others of its frame follow, or the frame holds much.
    Frame,
    /// Too many of its connection do already.
    TooMany,
}

/// The outcome of a command.
pub(crate) struct Done {
    pub(crate) status: NtStatus,
    pub(crate) body: Response,
    /// The file that a related request goes on with.
    pub(crate) file: Option<FileId>,
}

impl From<Response> for Done {
    fn from(body: Response) -> Done {
        Done { status: NtStatus::SUCCESS, body, file: None }
    }
}

impl Call {
    /// The tree.
    ///
    /// # Errors
    /// `NETWORK_NAME_DELETED`.
    pub(crate) fn tree(&self) -> Result<&Arc<Tree>, NtStatus> {
        self.tree.as_ref().ok_or(NtStatus::NETWORK_NAME_DELETED)
    }

    /// The file that a request names, or takes over.
    ///
    /// # Errors
    /// `FILE_CLOSED`.
    pub(crate) fn open(&self, id: FileId) -> Result<Arc<Open>, NtStatus> {
        self.session.open(self.tree()?.id, self.file_id(id))
    }

    /// The id of that file.
    pub(crate) fn file_id(&self, id: FileId) -> FileId {
        self.related_file.unwrap_or(id)
    }

    /// Tells the client that the answer comes later. Returns what says that it does not wait any longer.
    ///
    /// # Errors
    /// It has to be answered now.
    pub(crate) fn wait(&self, wait: Wait) -> Result<Cancelled, CantWait> {
        if !self.may_wait || self.async_id.load(Ordering::Acquire) != 0 {
            return Err(CantWait::Frame);
        }
        // The other half is for what the client asks meanwhile: to cancel, to unlock, or to close.
        let waiting_max = self.link.server.options.limits.in_flight / 2;
        let entered = self.link.waiting.enter(self.header.message_id, wait, waiting_max);
        let (id, cancelled) = entered.ok_or(CantWait::TooMany)?;
        self.async_id.store(id, Ordering::Release);
        if let Some(earlier) = &self.earlier {
            earlier.send(&self.link, self.is_sealed.then_some(&self.session));
        }
        let header = Header {
            routing: Routing::Asynchronous { async_id: id },
            ..self.header.response(NtStatus::PENDING, self.link.window.lock().grant(self.header.credits))
        };
        let body = Response::Error(dittofs_smb_wire::error::ErrorResponse::Empty);
        // Never signed: with GMAC the answer proper would be signed with the same nonce.
        let message = OutgoingMessage::new(&header, &body);
        let answer = Answer { status: NtStatus::PENDING, message, signed_by: None };
        if let Some(frame) = frame_of(vec![answer], self.is_sealed.then_some(&self.session)) {
            // The connection may be over.
            self.link.outbox.send(frame).ok();
        }
        Ok(cancelled)
    }

    /// The answer tells of a new tree.
    pub(crate) fn answer_for_tree(&self, tree: u32) {
        self.new_tree.store(tree, Ordering::Release);
    }

    /// The answer tells of an open with an oplock.
    pub(crate) fn answers_oplock(&self, token: OpenToken) {
        // A CREATE has one open.
        self.new_oplock.set(token).ok();
    }

    /// The header of the answer.
    fn response(&self, status: NtStatus) -> Header {
        let header = self.response_as_routed(status);
        match (self.new_tree.load(Ordering::Acquire), header.routing) {
            (0, _) | (_, Routing::Asynchronous { .. }) => header,
            (tree_id, Routing::Synchronous { process_id, .. }) => {
                Header { routing: Routing::Synchronous { process_id, tree_id }, ..header }
            }
        }
    }

    fn response_as_routed(&self, status: NtStatus) -> Header {
        match self.async_id.load(Ordering::Acquire) {
            0 => self.header.response(status, self.link.window.lock().grant(self.header.credits)),
            async_id => Header { routing: Routing::Asynchronous { async_id }, ..self.header.response(status, 0) },
        }
    }

    /// Whether the client was told that the answer comes later.
    pub(crate) fn is_waiting(&self) -> bool {
        self.async_id.load(Ordering::Acquire) != 0
    }

    /// Whether the answer is signed: if the request was, or all are.
    fn is_signed(&self) -> bool {
        self.session.keys.must_be_signed || self.header.flags.contains(HeaderFlags::SIGNED)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let id = self.async_id.load(Ordering::Acquire);
        if id != 0 {
            self.link.waiting.leave(id);
        }
    }
}

/// Carries out the requests of a frame. None if nothing is to be sent, or no true answer can be given: then the
/// connection has to end.
pub(crate) async fn run(link: Arc<Link>, batch: Batch, requests: &mut Requests) -> Result<Option<Frame>, Broken> {
    let mut answers = Vec::with_capacity(batch.requests.len());
    let mut related = Related::default();
    let count = batch.requests.len();
    let received: usize = batch.requests.iter().map(|(message, _)| message.bytes.len()).sum();
    let is_small = received + answers_bytes(&batch.requests) <= WAITING_BYTES_MAX;
    let mut room = Room::of(count);
    for (index, (message, request)) in batch.requests.into_iter().enumerate() {
        if message.header.command == Command::CANCEL {
            continue;
        }
        let place = Place { is_first: index == 0, may_wait: index + 1 == count && is_small };
        let request = room.demand(request);
        if place.may_wait && !answers.is_empty() {
            related.earlier = Some(Earlier::new(std::mem::take(&mut answers), related.new_oplocks.clone()));
        }
        let answer = answer(&link, (message, request), &batch.sealed, &mut related, place).await?;
        if let Some(earlier) = related.earlier.take() {
            answers = earlier.take();
        }
        requests.answered(answer.status);
        room.take(answer.message.length());
        answers.push(answer);
    }
    if answers.is_empty() {
        return Ok(None);
    }
    if answers.len() > 1 {
        link_answers(&mut answers);
    }
    let frame = frame_of(answers, batch.sealed.as_ref()).ok_or(Broken)?;
    // Breaks of what these answers tell of go out behind them.
    for token in related.new_oplocks {
        link.server.caching.answered(token);
    }
    Ok(Some(frame))
}

/// The connection can't go on: there is no true answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Clone, Copy)]
struct Place {
    is_first: bool,
    may_wait: bool,
}

fn link_answers(answers: &mut [Answer]) {
    let mut messages: Vec<OutgoingMessage> = Vec::with_capacity(answers.len());
    for answer in answers.iter_mut() {
        let empty = OutgoingMessage::new(&Header::request(Command::ECHO, 0), &Response::Empty);
        messages.push(std::mem::replace(&mut answer.message, empty));
    }
    compound::link(&mut messages);
    for (answer, message) in answers.iter_mut().zip(messages) {
        answer.message = message;
    }
}

async fn answer(
    link: &Arc<Link>,
    (message, request): (Message, Result<Request, NtStatus>),
    sealed: &Option<Arc<Session>>,
    related: &mut Related,
    place: Place,
) -> Result<Answer, Broken> {
    let header = message.header;
    let grant = |status: NtStatus| header.response(status, link.window.lock().grant(header.credits));
    let unsigned = |failure: Failure| Answer {
        status: failure.status,
        message: OutgoingMessage::new(&grant(failure.status), &Response::Error(failure.body)),
        signed_by: None,
    };
    match &request {
        Ok(Request::Negotiate(request)) => {
            let made = answer_negotiate(link, request, &message.bytes, || grant(NtStatus::SUCCESS));
            let status = NtStatus::SUCCESS;
            return Ok(made.map_or_else(unsigned, |message| Answer { status, message, signed_by: None }));
        }
        Ok(Request::SessionSetup(request)) => {
            let with_session = |status, session_id| Header { session_id, ..grant(status) };
            // Found first: a failure can end the session.
            let signed_by = binding::signer(link, &header);
            let made = match binding::demand_trust(link, &message, sealed) {
                Ok(()) => set_up(link, &header, request, &message.bytes, with_session).await,
                Err(status) => Err(status.into()),
            };
            return Ok(match made {
                Ok(SetUp { status, message, signed_by }) => Answer { status, message, signed_by },
                Err(failure) => Answer { signed_by, ..unsigned(failure) },
            });
        }
        Ok(Request::Echo) if header.session_id == 0 => {
            let message = OutgoingMessage::new(&grant(NtStatus::SUCCESS), &Response::Empty);
            return Ok(Answer { status: NtStatus::SUCCESS, message, signed_by: None });
        }
        _ => {}
    }
    let call = match checks::call(link, &message, sealed, related, place) {
        Ok(call) => call,
        Err(failure) => {
            // What follows has nothing to go on with.
            related.forget();
            // Signed as the request was, also where the session is one of other connections.
            return Ok(Answer { signed_by: binding::signer(link, &header), ..unsigned(failure) });
        }
    };
    // Whatever it waits for, the bytes that were received are not kept for it.
    drop(message);
    let named = request.as_ref().ok().and_then(command::file_id);
    let line = CallLine::begin(&call, named);
    let record = AuditLine::begin(&call, named, request.as_ref().ok());
    let done = match (&call.related_file_failure(related), request) {
        (Some(status), _) => Err((*status).into()),
        (None, Err(status)) => Err(status.into()),
        (None, Ok(request)) => carry_out(&call, named, request).await,
    };
    related.go_on(&call, named, &done);
    let (status, body) = match done {
        Ok(done) => (done.status, done.body),
        Err(failure) if failure.is_unanswered() => return Err(Broken),
        Err(failure) => (failure.status, Response::Error(failure.body)),
    };
    line.end(&call, status);
    record.end(&call, status, &body);
    let message = OutgoingMessage::new(&call.response(status), &body);
    let signer = call.is_signed().then(|| call.session.channels.signer(link)).flatten();
    Ok(Answer { status, message, signed_by: signer })
}

/// Carries a request out, counted among those of its open (3.3.5.2.10).
async fn carry_out(call: &Call, named: Option<FileId>, request: Request) -> Result<Done, Failure> {
    let has_channels = call.link.terms().is_some_and(|terms| terms.dialect.0 >= Dialect::SMB_3_0.0);
    let open = named.filter(|_| has_channels).and_then(|id| call.open(id).ok());
    let node = open.as_ref().and_then(|open| open.node().ok());
    let sent = Sent {
        sequence: call.header.channel_sequence(),
        is_replay: call.header.flags.contains(HeaderFlags::REPLAY_OPERATION),
        changes: matches!(request, Request::Write(_) | Request::SetInfo(_) | Request::Ioctl(_)),
    };
    if let (Some(open), Some(node)) = (&open, node) {
        // Its client has seen the answer to its CREATE.
        if let Some(key) = node.made_by.lock().take() {
            call.link.server.replays.forget_open(key, open);
        }
    }
    let _counted = node.map(|node| node.channel_sequence.begin(sent)).transpose()?;
    command::carry_out(call, request).await
}

impl Call {
    /// Why a related request has no file to go on with.
    fn related_file_failure(&self, related: &Related) -> Option<NtStatus> {
        let takes_over = self.header.flags.contains(HeaderFlags::RELATED_OPERATIONS);
        related.file.as_ref().filter(|_| takes_over).and_then(|file| file.err())
    }
}

impl Related {
    /// Leaves nothing that the next request may take over.
    fn forget(&mut self) {
        let (new_oplocks, earlier) = (std::mem::take(&mut self.new_oplocks), self.earlier.take());
        *self = Related { new_oplocks, earlier, ..Related::default() };
    }

    /// Notes what the next request may take over.
    fn go_on(&mut self, call: &Call, named: Option<FileId>, done: &Result<Done, Failure>) {
        self.session_id = Some(call.session.id);
        self.new_oplocks.extend(call.new_oplock.get());
        let new_tree = Some(call.new_tree.load(Ordering::Acquire)).filter(|tree| *tree != 0);
        self.tree_id = new_tree.or(call.tree.as_ref().map(|tree| tree.id));
        match (call.header.command, done) {
            (_, Ok(Done { file: Some(file), .. })) => self.file = Some(Ok(*file)),
            (Command::CREATE, Err(failure)) => self.file = Some(Err(failure.status)),
            _ if !call.header.flags.contains(HeaderFlags::RELATED_OPERATIONS) => self.file = named.map(Ok),
            _ => {}
        }
    }
}
