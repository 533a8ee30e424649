//! A client with a folder of its own in a share, and a copy of all its files in memory.

use std::{collections::BTreeMap, net::SocketAddr, sync::atomic::Ordering};

use dittofs_tests::model::Random;
use nfs3_types::{
    nfs3::{
        COMMIT3args, COMMIT3resfail, COMMIT3resok, CREATE3args, CREATE3resfail, CREATE3resok, GETATTR3args,
        GETATTR3resok, LOOKUP3args, LOOKUP3resfail, LOOKUP3resok, MKDIR3args, MKDIR3resfail, MKDIR3resok, NFS_PROGRAM,
        Nfs3Option, READ3args, READ3resfail, READ3resok, READDIRPLUS3args, READDIRPLUS3resfail, READDIRPLUS3resok,
        REMOVE3args, REMOVE3resfail, REMOVE3resok, RENAME3args, RENAME3resfail, RENAME3resok, SETATTR3args,
        SETATTR3resfail, SETATTR3resok, WRITE3args, WRITE3resfail, WRITE3resok, cookieverf3, createhow3, diropargs3,
        filename3, nfs_fh3, nfsstat3, sattr3, stable_how, writeverf3,
    },
    xdr_codec::{Opaque, Void},
};

use crate::caller::{Caller, Counts};

/// Files of a client at most.
const FILES: usize = 6;
/// Bytes of a file at most, and of a file of the few clients that have large ones.
const SMALL: u64 = 128 << 10;
const LARGE: u64 = 8 << 20;
const CALL: u64 = 1 << 20;

/// The folders that a client's files are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    /// One that all clients of the share use.
    Shared,
}

struct File {
    place: Place,
    name: String,
    handle: nfs_fh3,
    bytes: Vec<u8>,
}

/// The client.
pub(crate) struct Client<'c> {
    caller: Caller<'c>,
    counts: &'c Counts,
    label: String,
    own: nfs_fh3,
    shared: nfs_fh3,
    limit: u64,
    random: Random,
    names: u64,
    verifier: Option<writeverf3>,
    files: Vec<File>,
}

type Done = Result<(), nfsstat3>;

impl<'c> Client<'c> {
    /// One in a share, in which the folder `shared` is there.
    pub(crate) fn new(server: SocketAddr, share: &str, number: u32, counts: &'c Counts) -> Client<'c> {
        let (mut caller, root) = Caller::open(server, share, number, counts);
        let label = format!("c{number}");
        let own = make_folder(&mut caller, &root, &label);
        let shared = make_folder(&mut caller, &root, "shared");
        let limit = if number.is_multiple_of(10) { LARGE } else { SMALL };
        let random = Random::new(0x5eed << 32 | u64::from(number));
        let label = format!("{share} {label}");
        Client { caller, counts, label, own, shared, limit, random, names: 0, verifier: None, files: Vec::new() }
    }

    /// Works until all is over; then compares everything, and removes half of it.
    pub(crate) fn work(&mut self) {
        while !self.counts.is_over.load(Ordering::Relaxed) {
            self.one();
        }
        for _ in 0..self.files.len() {
            self.report("read", |client| client.read(0, true));
            self.files.rotate_left(1);
        }
        for _ in 0..self.files.len() / 2 {
            self.report("remove", |client| client.remove(0));
        }
        self.report("list", Client::list);
    }

    fn one(&mut self) {
        let roll = self.random.below(100);
        let file = self.random.below(self.files.len().max(1) as u64) as usize;
        match roll {
            _ if self.files.is_empty() => self.report("create", Client::create),
            0..10 if self.files.len() < FILES => self.report("create", Client::create),
            0..42 => self.report("write", |client| client.write(file)),
            42..60 => self.report("read", |client| client.read(file, false)),
            60..63 => self.report("read", |client| client.read(file, true)),
            63..70 => self.report("commit", |client| client.commit(file)),
            70..75 => self.report("truncate", |client| client.set_size(file)),
            75..80 => self.report("list", Client::list),
            80..88 => self.report("rename", |client| client.rename(file)),
            88..94 => self.report("lookup", |client| client.look_up(file)),
            _ => self.report("remove", |client| client.remove(file)),
        }
    }

    /// Counts an error, and says what it was.
    fn report(&mut self, what: &str, step: impl FnOnce(&mut Self) -> Done) {
        if let Err(status) = step(self) {
            self.counts.errors.fetch_add(1, Ordering::Relaxed);
            println!("ERROR {} {what}: {status}", self.label);
        }
    }

    /// Counts something that is not as it was written.
    fn wrong(&self, what: &str) {
        self.counts.wrong.fetch_add(1, Ordering::Relaxed);
        println!("WRONG {} {what}", self.label);
    }

    fn folder(&self, place: Place) -> nfs_fh3 {
        match place {
            Place::Own => self.own.clone(),
            Place::Shared => self.shared.clone(),
        }
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        // Names that several clients use must differ in the shared folder.
        format!("{} {}", self.label.rsplit(' ').next().unwrap_or_default(), self.names)
    }

    fn create(&mut self) -> Done {
        let name = self.new_name();
        let how = createhow3::GUARDED(sattr3::default());
        let arguments = CREATE3args { where_: named(&self.own, &name), how };
        let made: CREATE3resok =
            self.caller.call::<_, CREATE3resfail>(procedure(NFS_PROGRAM::NFSPROC3_CREATE), &arguments)?;
        let Nfs3Option::Some(handle) = made.obj else { return Err(nfsstat3::NFS3ERR_SERVERFAULT) };
        self.files.push(File { place: Place::Own, name, handle, bytes: Vec::new() });
        Ok(())
    }

    fn write(&mut self, file: usize) -> Done {
        let size = self.files[file].bytes.len() as u64;
        // A little beyond the end, too: what lies between is zeros.
        let offset = self.random.below((size + size / 8 + 1).min(self.limit));
        let longest = self.random.of(&[512, 4 << 10, 16 << 10, 64 << 10, self.limit / 8]);
        let length = (1 + self.random.below(longest)).min(self.limit - offset);
        let data = self.random.bytes(length as usize);
        let stable = self.random.of(&[
            stable_how::UNSTABLE,
            stable_how::UNSTABLE,
            stable_how::UNSTABLE,
            stable_how::DATA_SYNC,
            stable_how::FILE_SYNC,
        ]);
        let handle = self.files[file].handle.clone();
        let arguments =
            WRITE3args { file: handle, offset, count: length as u32, stable, data: Opaque::borrowed(&data) };
        let wrote: WRITE3resok =
            self.caller.call::<_, WRITE3resfail>(procedure(NFS_PROGRAM::NFSPROC3_WRITE), &arguments)?;
        if u64::from(wrote.count) != length {
            self.wrong(&format!("{} of {length} bytes written", wrote.count));
        }
        self.counts.bytes_written.fetch_add(length, Ordering::Relaxed);
        let bytes = &mut self.files[file].bytes;
        let end = (offset + length) as usize;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset as usize..end].copy_from_slice(&data);
        self.verify(wrote.verf);
        Ok(())
    }

    /// The server is not started anew, so it stays the same.
    fn verify(&mut self, verifier: writeverf3) {
        if self.verifier.replace(verifier).is_some_and(|before| before != verifier) {
            self.wrong("another write verifier");
        }
    }

    fn commit(&mut self, file: usize) -> Done {
        let arguments = COMMIT3args { file: self.files[file].handle.clone(), offset: 0, count: 0 };
        let committed: COMMIT3resok =
            self.caller.call::<_, COMMIT3resfail>(procedure(NFS_PROGRAM::NFSPROC3_COMMIT), &arguments)?;
        self.verify(committed.verf);
        Ok(())
    }

    fn read(&mut self, file: usize, all: bool) -> Done {
        let size = self.files[file].bytes.len() as u64;
        let (mut at, end) = match all {
            true => (0, size),
            false => {
                let at = self.random.below(size + 1);
                (at, (at + 1 + self.random.below(64 << 10)).min(size))
            }
        };
        while at < end {
            let count = CALL.min(end - at);
            let handle = self.files[file].handle.clone();
            let arguments = READ3args { file: handle, offset: at, count: count as u32 };
            let read: READ3resok<'_> =
                self.caller.call::<_, READ3resfail>(procedure(NFS_PROGRAM::NFSPROC3_READ), &arguments)?;
            self.counts.bytes_read.fetch_add(count, Ordering::Relaxed);
            let expected = &self.files[file].bytes[at as usize..(at + count) as usize];
            if *read.data != *expected {
                let differs = read.data.iter().zip(expected).position(|(read, expected)| read != expected);
                let name = &self.files[file].name;
                self.wrong(&format!("{name} at {at}: {} of {count} bytes, first other {differs:?}", read.data.len()));
            }
            at += count;
        }
        Ok(())
    }

    fn set_size(&mut self, file: usize) -> Done {
        let size = self.random.below(self.files[file].bytes.len() as u64 * 9 / 8 + 1).min(self.limit);
        let new_attributes = sattr3 { size: Nfs3Option::Some(size), ..sattr3::default() };
        let object = self.files[file].handle.clone();
        let arguments = SETATTR3args { object, new_attributes, guard: Nfs3Option::None };
        self.caller.call::<SETATTR3resok, SETATTR3resfail>(procedure(NFS_PROGRAM::NFSPROC3_SETATTR), &arguments)?;
        self.files[file].bytes.resize(size as usize, 0);
        Ok(())
    }

    fn rename(&mut self, file: usize) -> Done {
        let from = self.files[file].place;
        let to = if self.random.one_in(3) { Place::Shared } else { Place::Own };
        // Now and then over another file, which it replaces.
        let over = self.random.one_in(4).then(|| self.random.below(self.files.len() as u64) as usize);
        let over = over.filter(|over| *over != file);
        let (to, name) = match over {
            Some(over) => (self.files[over].place, self.files[over].name.clone()),
            None => (to, self.new_name()),
        };
        let from = named(&self.folder(from), &self.files[file].name);
        let arguments = RENAME3args { from, to: named(&self.folder(to), &name) };
        self.caller.call::<RENAME3resok, RENAME3resfail>(procedure(NFS_PROGRAM::NFSPROC3_RENAME), &arguments)?;
        self.files[file].place = to;
        self.files[file].name = name;
        if let Some(over) = over {
            self.files.swap_remove(over);
        }
        Ok(())
    }

    fn look_up(&mut self, file: usize) -> Done {
        let what = named(&self.folder(self.files[file].place), &self.files[file].name);
        let found: LOOKUP3resok =
            self.caller.call::<_, LOOKUP3resfail>(procedure(NFS_PROGRAM::NFSPROC3_LOOKUP), &LOOKUP3args { what })?;
        if found.object != self.files[file].handle {
            self.wrong(&format!("{}: another handle", self.files[file].name));
        }
        let arguments = GETATTR3args { object: found.object };
        let has: GETATTR3resok = self.caller.call::<_, Void>(procedure(NFS_PROGRAM::NFSPROC3_GETATTR), &arguments)?;
        let size = self.files[file].bytes.len() as u64;
        if has.obj_attributes.size != size {
            self.wrong(&format!("{}: {} bytes, not {size}", self.files[file].name, has.obj_attributes.size));
        }
        Ok(())
    }

    fn remove(&mut self, file: usize) -> Done {
        let object = named(&self.folder(self.files[file].place), &self.files[file].name);
        let arguments = REMOVE3args { object };
        self.caller.call::<REMOVE3resok, REMOVE3resfail>(procedure(NFS_PROGRAM::NFSPROC3_REMOVE), &arguments)?;
        self.files.swap_remove(file);
        Ok(())
    }

    /// Its own folder has its files, each with its size.
    fn list(&mut self) -> Done {
        let (mut cookie, mut cookieverf, mut seen) = (0, cookieverf3::default(), BTreeMap::new());
        loop {
            let dir = self.own.clone();
            let arguments = READDIRPLUS3args { dir, cookie, cookieverf, dircount: 8 << 10, maxcount: 64 << 10 };
            let page: READDIRPLUS3resok<'_> =
                self.caller.call::<_, READDIRPLUS3resfail>(procedure(NFS_PROGRAM::NFSPROC3_READDIRPLUS), &arguments)?;
            cookieverf = page.cookieverf;
            for entry in page.reply.entries.0 {
                cookie = entry.cookie;
                let Nfs3Option::Some(attributes) = entry.name_attributes else { continue };
                seen.insert(String::from_utf8_lossy(&entry.name.0).into_owned(), attributes.size);
            }
            if page.reply.eof {
                break;
            }
        }
        seen.retain(|name, _| name != "." && name != "..");
        let own = self.files.iter().filter(|file| file.place == Place::Own);
        let own: BTreeMap<String, u64> = own.map(|file| (file.name.clone(), file.bytes.len() as u64)).collect();
        if seen != own {
            self.wrong(&format!("a listing of {seen:?}, not {own:?}"));
        }
        Ok(())
    }
}

fn procedure(procedure: NFS_PROGRAM) -> u32 {
    procedure as u32
}

fn named<'n>(folder: &nfs_fh3, name: &str) -> diropargs3<'n> {
    diropargs3 { dir: folder.clone(), name: filename3(Opaque::owned(name.as_bytes().to_vec())) }
}

/// Makes a folder that others may have made before.
fn make_folder(caller: &mut Caller<'_>, root: &nfs_fh3, name: &str) -> nfs_fh3 {
    let arguments = MKDIR3args { where_: named(root, name), attributes: sattr3::default() };
    match caller.call::<MKDIR3resok, MKDIR3resfail>(procedure(NFS_PROGRAM::NFSPROC3_MKDIR), &arguments) {
        Ok(_) | Err(nfsstat3::NFS3ERR_EXIST) => {}
        Err(status) => panic!("{name}: {status}"),
    }
    let what = LOOKUP3args { what: named(root, name) };
    let found = caller.call::<LOOKUP3resok, LOOKUP3resfail>(procedure(NFS_PROGRAM::NFSPROC3_LOOKUP), &what);
    found.unwrap_or_else(|status| panic!("{name}: {status}")).object
}
