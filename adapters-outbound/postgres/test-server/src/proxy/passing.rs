use std::sync::{Arc, atomic::Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::{Cut, Orders, Shared, Stop, plans::Plans};

/// One connection.
pub(super) struct Passing {
    shared: Arc<Shared>,
    number: u64,
    orders: watch::Receiver<Orders>,
    plans: Plans,
    /// Whether the next bytes of the client are a new request.
    asks: bool,
    /// Whether a plan is on its way.
    is_plan: bool,
    cut: Option<Cut>,
}

/// The fate of bytes, or of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    Ended,
    Lost,
}

impl Passing {
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Passing {
        let orders = shared.orders.subscribe();
        Passing { shared, number, orders, plans: Plans::default(), asks: true, is_plan: false, cut: None }
    }

    pub(super) async fn pass(mut self, mut client: TcpStream, mut server: TcpStream) {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        if self.shared.is_pooler {
            let start = without_settings(&mut client).await;
            server.write_all(&start).await.unwrap();
        }
        if self.exchange(&mut client, &mut server).await == Fate::Lost {
            // Until the client has had enough of it. The server hears nothing either.
            let mut lost = vec![0; 4 << 10];
            while client.read(&mut lost).await.is_ok_and(|len| len > 0) {}
        }
    }

    /// Passes bytes on until that is over, and returns how.
    async fn exchange(&mut self, client: &mut TcpStream, server: &mut TcpStream) -> Fate {
        let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            match self.fate() {
                Fate::Passed => {}
                over => return over,
            }
            tokio::select! {
                _ = self.orders.changed() => {}
                read = client.read(&mut asked) => {
                    let Ok(len @ 1..) = read else { return Fate::Ended };
                    match self.request(&asked[..len]).await {
                        Fate::Passed if server.write_all(&asked[..len]).await.is_ok() => {}
                        Fate::Lost => return Fate::Lost,
                        Fate::Passed | Fate::Ended => return Fate::Ended,
                    }
                }
                read = server.read(&mut answered) => {
                    let Ok(len @ 1..) = read else { return Fate::Ended };
                    match self.answer().await {
                        Fate::Passed if client.write_all(&answered[..len]).await.is_ok() => {}
                        Fate::Lost => return Fate::Lost,
                        Fate::Passed | Fate::Ended => return Fate::Ended,
                    }
                }
            }
        }
    }

    async fn request(&mut self, bytes: &[u8]) -> Fate {
        if std::mem::replace(&mut self.asks, false) {
            self.shared.trips.fetch_add(1, Ordering::Relaxed);
        }
        self.cut = self.cut.or_else(|| self.shared.next_cut());
        if self.cut == Some(Cut::Request) {
            return Fate::Ended;
        }
        if self.plans.are_in(bytes) {
            self.is_plan = true;
            self.wait(Stop::Request).await;
        }
        self.fate()
    }

    async fn answer(&mut self) -> Fate {
        self.asks = true;
        match self.cut {
            Some(Cut::Silence) => return Fate::Lost,
            Some(Cut::Request | Cut::Answer) => return Fate::Ended,
            None => {}
        }
        if std::mem::replace(&mut self.is_plan, false) {
            self.wait(Stop::Answer).await;
        }
        self.fate()
    }

    /// Waits as long as plans are stopped here.
    async fn wait(&mut self, at: Stop) {
        let number = self.number;
        let stopped_of = |orders: &Orders| orders.stop.filter(|(stop, _)| *stop == at && number >= orders.ended_below);
        let now = *self.orders.borrow_and_update();
        let Some((_, most)) = stopped_of(&now) else { return };
        let one_more = |stopped: usize| (stopped < most).then_some(stopped + 1);
        if self.shared.stopped.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok() {
            self.orders.wait_for(|orders| stopped_of(orders).is_none()).await.ok();
        }
    }

    fn fate(&mut self) -> Fate {
        let orders = *self.orders.borrow_and_update();
        match self.number {
            number if number < orders.ended_below => Fate::Ended,
            number if number < orders.lost_below => Fate::Lost,
            _ => Fate::Passed,
        }
    }
}

impl Shared {
    fn next_cut(&self) -> Option<Cut> {
        let left = self.cuts_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.ok().and_then(|_| *self.cut.lock())
    }
}

/// Reads the first message of a client, which is its length, the version of the protocol, and pairs of texts that each end
/// with a 0; returns it without the pair of settings.
async fn without_settings(client: &mut TcpStream) -> Vec<u8> {
    let len = client.read_u32().await.unwrap() as usize;
    let mut rest = vec![0; len - 4];
    client.read_exact(&mut rest).await.unwrap();
    let (version, pairs) = rest.split_at(4);
    let texts: Vec<&[u8]> = pairs.split(|byte| *byte == 0).collect();
    let kept = texts.chunks(2).filter(|pair| pair.len() == 2 && !pair[0].is_empty() && pair[0] != b"options");
    let mut start = version.to_vec();
    for text in kept.flatten() {
        start.extend_from_slice(text);
        start.push(0);
    }
    start.push(0);
    [&(start.len() as u32 + 4).to_be_bytes()[..], &start].concat()
}
