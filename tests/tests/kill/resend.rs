//! A client that sends every call until it has its reply: the same bytes from the same port, as clients of a hard mount
//! do. Nobody else works in its folder, so every reply is a success, however often the server is killed in between.

use std::{
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use dittofs_tests::{
    ports::own_place,
    rpc::{Credential, NFS, RpcConnection, RpcReply},
};
use nfs3_client::nfs3_types::nfs3::*;

use crate::steps::{File, STEPS, call, outcome};

/// Calls in flight: each slot has one, on names of its own.
const SLOTS: usize = 12;
/// How long a client waits before it connects again.
const PAUSE: Duration = Duration::from_millis(5);

/// Where the server is, while there is one.
#[derive(Default)]
pub(crate) struct Place {
    state: Mutex<(Option<SocketAddr>, bool)>,
    moved: Condvar,
}

impl Place {
    pub(crate) fn set(&self, address: Option<SocketAddr>) {
        self.state.lock().unwrap().0 = address;
        self.moved.notify_all();
    }

    /// Clients take what is on its way to its end, and begin nothing more.
    pub(crate) fn finish(&self) {
        self.state.lock().unwrap().1 = true;
    }

    fn is_finishing(&self) -> bool {
        self.state.lock().unwrap().1
    }

    fn address(&self) -> SocketAddr {
        let state = self.state.lock().unwrap();
        self.moved.wait_while(state, |state| state.0.is_none()).unwrap().0.unwrap()
    }
}

/// The counts of what a client has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answered: u64,
    /// Calls that were sent more than once.
    pub(crate) resent: u64,
    /// Those that the server had carried out before: it does not know any more what was before them.
    pub(crate) repeated: u64,
    /// Replies that say that a call failed.
    pub(crate) wrong: Vec<String>,
}

/// Names of one slot, and its call in flight.
struct Slot {
    number: usize,
    at: usize,
    xid: u32,
    call: Vec<u8>,
    sent: u64,
    file: File,
}

pub(crate) struct Resender {
    place: Arc<Place>,
    local: SocketAddr,
    credential: Credential,
    folder: nfs_fh3,
    xid: u32,
    slots: Vec<Slot>,
    seen: Seen,
}

impl Resender {
    /// A client with a folder of its own. The server must be there.
    pub(crate) fn new(number: u32, place: &Arc<Place>) -> Resender {
        let credential = Credential::user(0, 0);
        let mut connection = RpcConnection::open_from(own_place(), place.address(), credential.clone(), 1);
        let root = connection.mount("/export");
        let name = format!("resender{number}");
        let arguments =
            MKDIR3args { where_: crate::session::place(&root, name.as_bytes()), attributes: sattr3::default() };
        let made: MKDIR3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_MKDIR as u32, &arguments);
        let Nfs3Option::Some(folder) = made.unwrap().obj else { panic!("no handle") };
        let local = connection.local();
        connection.reset();
        let slot = |number| Slot { number, at: 0, xid: 0, call: Vec::new(), sent: 0, file: File::default() };
        Resender {
            place: Arc::clone(place),
            local,
            credential,
            folder,
            xid: number << 24 | 1,
            slots: (0..SLOTS).map(slot).collect(),
            seen: Seen::default(),
        }
    }

    /// Works until it is to finish; answers what it has seen.
    pub(crate) fn work(mut self) -> Seen {
        for slot in 0..SLOTS {
            self.prepare(slot);
        }
        let mut left = SLOTS;
        while left > 0 {
            let address = self.place.address();
            // The new server may be gone already, or the port not free yet.
            match RpcConnection::try_open_from(self.local, address, self.credential.clone(), 0) {
                Ok(mut connection) => self.talk(&mut connection, &mut left),
                Err(_) => thread::sleep(PAUSE),
            }
        }
        self.seen
    }

    /// Sends all that has no reply yet, and goes on until the connection ends, or everything is done.
    fn talk(&mut self, connection: &mut RpcConnection, left: &mut usize) {
        for slot in self.slots.iter_mut().filter(|slot| !slot.call.is_empty()) {
            connection.queue_bytes(&slot.call);
            slot.sent += 1;
            self.seen.resent += u64::from(slot.sent == 2);
        }
        let mut sent = connection.send();
        while *left > 0 && sent.is_ok() {
            let Ok(reply) = connection.try_receive() else { return };
            let Some(slot) = self.slots.iter().position(|slot| slot.xid == reply.xid && !slot.call.is_empty()) else {
                self.seen.wrong.push(format!("a reply to {:x}, which nobody waits for", reply.xid));
                continue;
            };
            self.take(slot, &reply);
            if self.slots[slot].call.is_empty() {
                *left -= 1;
            } else {
                connection.queue_bytes(&self.slots[slot].call);
                self.slots[slot].sent = 1;
                sent = connection.send();
            }
        }
    }

    /// Takes a reply, and prepares the slot's next call, if there is to be one.
    fn take(&mut self, number: usize, reply: &RpcReply) {
        let slot = &mut self.slots[number];
        let (step, sent) = (STEPS[slot.at], slot.sent);
        match outcome(step, reply, &mut slot.file) {
            Ok(known_before) => {
                self.seen.answered += 1;
                self.seen.repeated += u64::from(sent > 1 && !known_before);
                slot.at = (slot.at + 1) % STEPS.len();
            }
            // It has not been done, and is sent as another call.
            Err(nfsstat3::NFS3ERR_JUKEBOX) => thread::sleep(PAUSE),
            Err(status) => {
                self.seen.wrong.push(format!("{step:?} in slot {number}, sent {sent} times: {status:?}"));
                slot.at = (slot.at + 1) % STEPS.len();
            }
        }
        if self.place.is_finishing() && self.slots[number].at == 0 {
            self.slots[number].call = Vec::new();
        } else {
            self.prepare(number);
        }
    }

    fn prepare(&mut self, number: usize) {
        self.xid += 1;
        let (xid, credential) = (self.xid, &self.credential);
        let slot = &mut self.slots[number];
        slot.xid = xid;
        slot.sent = 0;
        slot.call = call(STEPS[slot.at], (&self.folder, slot.number, &slot.file), xid, credential);
    }
}
