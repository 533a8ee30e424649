//! A client with a folder of its own, which nobody else changes: so it knows what must be in it.

use std::time::Duration;

use dittofs_tests::model::Random;
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque};

use tokio::sync::watch;

use crate::{
    record::{File, Files, Loose, disagreement},
    session::{Session, place, with_mode, with_size},
};

const FILES_MAX: usize = 12;
const LENGTH_MAX: u64 = 96 << 10;
const OFFSET_MAX: u64 = 400 << 10;
const READ: u32 = 64 << 10;

/// One client.
pub(crate) struct Worker {
    folder: String,
    random: Random,
    files: Files,
    /// The files that the folder may hold instead, if the operation in flight was done.
    otherwise: Option<Files>,
    made: u64,
    pub(crate) answered: u64,
}

/// The server has gone.
struct Gone;

/// The answer, or that there will be none. An error of the protocol is a fault of the server.
/// Calls as clients do: what is answered with JUKEBOX is sent again.
macro_rules! answered {
    ($call:expr) => {
        loop {
            match $call.await {
                Ok(Nfs3Result::Err((nfsstat3::NFS3ERR_JUKEBOX, _))) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                result => break answer(result),
            }
        }
    };
}

fn answer<T, E, F>(result: Result<Nfs3Result<T, E>, F>) -> Result<T, Gone> {
    match result {
        Ok(Nfs3Result::Ok(done)) => Ok(done),
        Ok(Nfs3Result::Err((status, _))) => panic!("the server answers {status:?}"),
        Err(_) => Err(Gone),
    }
}

impl Worker {
    pub(crate) fn new(number: u64, seed: u64) -> Worker {
        let (folder, random) = (format!("client{number}"), Random::new(seed));
        Worker { folder, random, files: Files::new(), otherwise: None, made: 0, answered: 0 }
    }

    /// Compares the folder with the record, and takes what it finds for the stable state: the new server has synced it.
    pub(crate) async fn check(&mut self, session: &mut Session, round: u64) {
        let root = session.root.clone();
        if round == 0 {
            session.make_directory(&root, self.folder.as_bytes(), 0o755).await;
            return;
        }
        let folder = session.find(&root, self.folder.as_bytes()).await.unwrap();
        let found = self.read_all(session, &folder).await;
        let candidates: Vec<Files> = [Some(self.files.clone()), self.otherwise.take()].into_iter().flatten().collect();
        let faults: Vec<String> = candidates.iter().filter_map(|files| disagreement(files, &found).err()).collect();
        assert!(faults.len() < candidates.len(), "kill {round}, {}: {faults:#?}", self.folder);
        self.files = found;
    }

    async fn read_all(&self, session: &mut Session, folder: &nfs_fh3) -> Files {
        let mut files = Files::new();
        for name in names(session, folder).await {
            let node = session.find(folder, name.as_bytes()).await.unwrap();
            let attributes = session.attributes_of(&node).await;
            let mut stable = Vec::new();
            while (stable.len() as u64) < attributes.size {
                stable.extend_from_slice(&session.read_at(&node, stable.len() as u64, READ).await.data);
            }
            files.insert(name, File { stable, loose: Vec::new(), mtime: Some(attributes.mtime.seconds) });
        }
        files
    }

    /// Works until the server has gone. The client reads on for ever from a connection that has ended, so it is
    /// stopped.
    pub(crate) async fn work(&mut self, session: &mut Session, mut killed: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            _ = killed.changed() => {}
            () = self.steps(session) => {}
        }
    }

    async fn steps(&mut self, session: &mut Session) {
        let root = session.root.clone();
        let Ok(Nfs3Result::Ok(found)) =
            session.lookup(&LOOKUP3args { what: place(&root, self.folder.as_bytes()) }).await
        else {
            return;
        };
        while self.step(session, &found.object).await.is_ok() {
            self.answered += 1;
            self.otherwise = None;
        }
    }

    async fn step(&mut self, session: &mut Session, folder: &nfs_fh3) -> Result<(), Gone> {
        if self.files.is_empty() || (self.files.len() < FILES_MAX && self.random.one_in(6)) {
            return self.create(session, folder).await;
        }
        let names: Vec<String> = self.files.keys().cloned().collect();
        let name = names[self.random.below(names.len() as u64) as usize].clone();
        let what = place(folder, name.as_bytes());
        let request = LOOKUP3args { what };
        let node = answered!(session.lookup(&request))?.object;
        match self.random.below(20) {
            0 => self.remove(session, folder, &name).await,
            1 => self.rename(session, folder, &name).await,
            2..4 => self.truncate(session, &node, &name).await,
            4 => self.set_time(session, &node, &name).await,
            5..8 => self.commit(session, &node, &name).await,
            8..11 => self.write(session, &node, &name, stable_how::FILE_SYNC).await,
            11 => self.write(session, &node, &name, stable_how::DATA_SYNC).await,
            12 => self.read(session, &node, &name).await,
            _ => self.write(session, &node, &name, stable_how::UNSTABLE).await,
        }
    }

    async fn create(&mut self, session: &mut Session, folder: &nfs_fh3) -> Result<(), Gone> {
        self.made += 1;
        let name = format!("file{}", self.made);
        self.may_become(|files| drop(files.insert(name.clone(), File::default())));
        let how = createhow3::GUARDED(with_mode(0o644));
        let request = CREATE3args { where_: place(folder, name.as_bytes()), how };
        answered!(session.create(&request))?;
        self.became();
        Ok(())
    }

    async fn remove(&mut self, session: &mut Session, folder: &nfs_fh3, name: &str) -> Result<(), Gone> {
        self.may_become(|files| drop(files.remove(name)));
        let request = REMOVE3args { object: place(folder, name.as_bytes()) };
        answered!(session.remove(&request))?;
        self.became();
        Ok(())
    }

    /// Over another file, now and then.
    async fn rename(&mut self, session: &mut Session, folder: &nfs_fh3, name: &str) -> Result<(), Gone> {
        let others: Vec<String> = self.files.keys().filter(|other| *other != name).cloned().collect();
        let to = match self.random.one_in(2) && !others.is_empty() {
            true => others[self.random.below(others.len() as u64) as usize].clone(),
            false => format!("renamed{}", self.random.below(1 << 40)),
        };
        self.may_become(|files| {
            if let Some(file) = files.remove(name) {
                files.insert(to.clone(), file);
            }
        });
        let (from, to) = (place(folder, name.as_bytes()), place(folder, to.as_bytes()));
        let request = RENAME3args { from, to };
        answered!(session.rename(&request))?;
        self.became();
        Ok(())
    }

    async fn truncate(&mut self, session: &mut Session, node: &nfs_fh3, name: &str) -> Result<(), Gone> {
        let size = self.random.below(OFFSET_MAX);
        self.may_become(|files| {
            if let Some(file) = files.get_mut(name) {
                file.truncate(size as usize);
            }
        });
        self.set(session, node, with_size(size)).await?;
        self.became();
        Ok(())
    }

    async fn set_time(&mut self, session: &mut Session, node: &nfs_fh3, name: &str) -> Result<(), Gone> {
        let seconds = 1_000_000 + self.random.below(1_000_000) as u32;
        self.may_become(|files| {
            if let Some(file) = files.get_mut(name) {
                file.mtime = Some(seconds);
            }
        });
        let mtime = set_mtime::SET_TO_CLIENT_TIME(nfstime3 { seconds, nseconds: 0 });
        self.set(session, node, sattr3 { mtime, ..sattr3::default() }).await?;
        self.became();
        Ok(())
    }

    async fn set(&mut self, session: &mut Session, node: &nfs_fh3, attributes: sattr3) -> Result<(), Gone> {
        let request = SETATTR3args { object: node.clone(), new_attributes: attributes, guard: Nfs3Option::None };
        answered!(session.setattr(&request)).map(drop)
    }

    async fn write(
        &mut self,
        session: &mut Session,
        node: &nfs_fh3,
        name: &str,
        stable: stable_how,
    ) -> Result<(), Gone> {
        let length = 1 + self.random.below(LENGTH_MAX) as usize;
        let (offset, data) = (self.random.below(OFFSET_MAX) as usize, self.random.bytes(length));
        let unanswered = Loose { offset, data: data.clone(), verifier: None };
        self.may_become(|files| {
            if let Some(file) = files.get_mut(name) {
                file.loose.push(unanswered);
                file.mtime = None;
            }
        });
        let (count, opaque) = (length as u32, Opaque::borrowed(&data));
        let request = WRITE3args { file: node.clone(), offset: offset as u64, count, stable, data: opaque };
        let done = answered!(session.write(&request))?;
        assert_eq!(done.count as usize, length);
        self.otherwise = None;
        let Some(file) = self.files.get_mut(name) else { return Ok(()) };
        match done.committed {
            stable_how::UNSTABLE => {
                file.loose.push(Loose { offset, data, verifier: Some(done.verf.0) });
                file.mtime = None;
            }
            _ => file.write_stable(offset, &data),
        }
        Ok(())
    }

    async fn commit(&mut self, session: &mut Session, node: &nfs_fh3, name: &str) -> Result<(), Gone> {
        let request = COMMIT3args { file: node.clone(), offset: 0, count: 0 };
        let done = answered!(session.commit(&request))?;
        if let Some(file) = self.files.get_mut(name) {
            file.commit(done.verf.0);
        }
        Ok(())
    }

    async fn read(&mut self, session: &mut Session, node: &nfs_fh3, name: &str) -> Result<(), Gone> {
        let offset = self.random.below(OFFSET_MAX);
        let request = READ3args { file: node.clone(), offset, count: READ };
        let read = answered!(session.read(&request))?;
        let seen = self.files[name].seen(offset as usize, READ as usize);
        assert_eq!(read.data.as_ref(), seen, "{name} at {offset}");
        Ok(())
    }

    /// Notes what the files are if the operation that comes now is done.
    fn may_become(&mut self, change: impl FnOnce(&mut Files)) {
        let mut files = self.files.clone();
        change(&mut files);
        self.otherwise = Some(files);
    }

    /// It was answered.
    fn became(&mut self) {
        if let Some(files) = self.otherwise.take() {
            self.files = files;
        }
    }
}

/// The names in a directory.
pub(crate) async fn names(session: &mut Session, folder: &nfs_fh3) -> Vec<String> {
    let request = READDIR3args { dir: folder.clone(), cookie: 0, cookieverf: cookieverf3::default(), count: 32 << 10 };
    let listed = session.readdir(&request).await.unwrap().unwrap();
    assert!(listed.reply.eof);
    let names = listed.reply.entries.0.iter().map(|entry| String::from_utf8(entry.name.0.to_vec()).unwrap());
    names.filter(|name| name != "." && name != "..").collect()
}
