//! After a failure the database is closed, checked and opened again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Durable, Failure, OpenError, Received, Reply, Request, Writer, fail_all, give_ballast_up_if_low};

/// 10 ms, 20 ms and so on up to the greatest: a disk that failed once mostly works again at once, and one that is away
/// is not to be asked all the time.
const WAIT_FIRST: Duration = Duration::from_millis(10);
const WAIT_MAX: Duration = Duration::from_secs(5);

impl Writer {
    /// Answers who waits, and comes back with an open database, or when nobody can ask any more.
    ///
    /// A full disk is reported as such where the database, opened again, shows that the transaction is not in it.
    pub(super) fn recover(&mut self, requests: VecDeque<Request>, replies: Vec<Reply>, mut failure: Failure) {
        tracing::error!(failure = %failure.message, "the metadata database failed; it is opened again");
        self.cache.stop();
        *self.newest.write() = Err(failure.message.as_str().into());
        drop(self.durable.take());
        if failure.is_full {
            self.opener.give_ballast_up();
        }
        let before = self.transactions;
        let mut opened = self.open_again();
        failure.is_full &= opened.is_ok() && self.transactions == before;
        fail_all(requests, replies, &failure);
        let mut wait = WAIT_FIRST;
        while let Err(error) = opened {
            let message = &error.message;
            tracing::error!(error = %message, wait_ms = wait.as_millis() as u64, "the metadata database can't be opened again yet");
            *self.newest.write() = Err(message.as_str().into());
            if !self.refuse_for(wait, &error) {
                return;
            }
            wait = (wait * 2).min(WAIT_MAX);
            opened = self.open_again();
        }
        tracing::info!("the metadata database is open again");
    }

    /// Where there is no room for that, changes are refused as such: nothing is begun before it is open.
    fn open_again(&mut self) -> Result<(), Failure> {
        give_ballast_up_if_low(&*self.opener);
        let not_opened = |error: OpenError| Failure { is_full: error.is_full(), ..Failure::new(error.to_string()) };
        let durable = Durable::open(&*self.opener, true).map_err(not_opened)?;
        let tables = durable.snapshot()?;
        self.remembered.load(&tables)?;
        self.transactions = durable.transactions();
        self.opening += 1;
        self.durable = Some(durable);
        self.publish_all(tables);
        Ok(())
    }

    /// Refuses what is asked for a while; answers false once nobody can ask any more.
    fn refuse_for(&mut self, wait: Duration, failure: &Failure) -> bool {
        let until = Instant::now() + wait;
        loop {
            match self.requests.receive(Some(until.saturating_duration_since(Instant::now()))) {
                Received::Request(request) => request.fail(failure),
                Received::Nothing => return true,
                Received::Closed => return false,
            }
        }
    }
}
