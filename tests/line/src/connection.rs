use std::{
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::ClientId;
use dittofs_ports::Presented;
use dittofs_transport::{Account, ClientNetwork, Control, Seat, Services, Serving, Wish};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use crate::{
    command::Command,
    counts::Counts,
    files::{REPLY_BYTES_MAX, carry_out},
};

/// The longest line.
const LINE_BYTES_MAX: usize = 64 << 10;
/// How long a client may take over its line, or over the reply.
const STALL: Duration = Duration::from_secs(60);

/// A connection that has a place among those of all protocols.
pub(crate) struct Connection {
    services: Services,
    who: Presented,
    idle: Duration,
    seat: Seat,
    account: Account,
    control: Arc<Control>,
    wish: watch::Receiver<Wish>,
    counts: Arc<Counts>,
}

impl Connection {
    /// Takes a place; none where there is none.
    pub(crate) fn seat(
        peer: SocketAddr,
        serving: &Serving,
        counts: &Arc<Counts>,
        wish: watch::Receiver<Wish>,
    ) -> Option<Connection> {
        let (network, control) = (ClientNetwork::of(peer.ip()), Arc::new(Control::default()));
        let Ok(seat) = serving.bounds.connections.take(network, Arc::clone(&control), Instant::now()) else {
            counts.refused.count();
            return None;
        };
        counts.accepted.count();
        let address = peer.ip().to_canonical();
        let client = match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        };
        Some(Connection {
            services: serving.services.clone(),
            who: Presented { identity: None, address, port: peer.port(), client: ClientId::Other(client) },
            idle: serving.idle,
            seat,
            account: serving.bounds.memory.account(network),
            control,
            wish,
            counts: Arc::clone(counts),
        })
    }

    /// Answers line by line, until the client or the server has enough.
    pub(crate) async fn run(mut self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(line) = self.next(&mut stream).await {
            self.seat.busy();
            let reply = self.answer(&line).await;
            self.counts.bytes_sent.add(reply.len() as u64);
            if !matches!(timeout(STALL, stream.get_mut().write_all(&reply)).await, Ok(Ok(()))) {
                return;
            }
            self.seat.idle_since(Instant::now());
        }
    }

    /// The next line; none where there is no more, it is too long, or the server wants the connection to end.
    async fn next(&mut self, stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
        let control = &self.control;
        let displaced = poll_fn(|context| match control.wish(context.waker()) {
            Wish::Run => Poll::Pending,
            Wish::Drain | Wish::Cut => Poll::Ready(()),
        });
        let idle = self.idle;
        let line = async {
            let mut line = Vec::new();
            timeout(idle, stream.fill_buf()).await.ok()?.ok()?;
            let mut stream = stream.take(LINE_BYTES_MAX as u64 + 1);
            timeout(STALL, stream.read_until(b'\n', &mut line)).await.ok()?.ok()?;
            Some(line)
        };
        let mut line = tokio::select! {
            line = line => line?,
            () = displaced => return None,
            _ = self.wish.wait_for(|wish| *wish != Wish::Run) => return None,
        };
        self.counts.bytes_received.add(line.len() as u64);
        (line.pop() == Some(b'\n')).then_some(line)
    }

    async fn answer(&mut self, line: &[u8]) -> Bytes {
        // In line with all that other connections hold, whatever their protocol.
        let _charge = poll_fn(|context| self.account.poll_charge(line.len() + REPLY_BYTES_MAX, context)).await;
        let Some(command) = Command::parse(line) else {
            self.counts.unread.count();
            return Bytes::from_static(b"error write list PATH, read PATH or write PATH TEXT\n");
        };
        let began = Instant::now();
        let done = carry_out(&*self.services.entry, &self.who, command).await;
        self.counts.note(command.number(), done.is_ok(), began.elapsed());
        match done {
            Ok((number, rest)) => {
                self.seat.admit();
                [format!("ok {number}\n").as_bytes(), &rest].concat().into()
            }
            Err(error) => format!("error {error}\n").into(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counts.ended.count();
    }
}
