//! A client of SMB with a folder of its own, which nobody else changes: so it knows what must be in it.

use dittofs_tests::model::Random;
use smb2::{msg::create::CreateDisposition as Disposition, types::FileId};
use tokio::sync::watch;

use super::client::{Client, DELETE_ON_CLOSE, Gone, WRITE_THROUGH};
use crate::{
    record::{File, Files, Loose, disagreement},
    session::Session,
    worker::names,
};

const FILES_MAX: usize = 4;
const LENGTH_MAX: u64 = 160 << 10;
/// Small files end here.
const SMALL_MAX: u64 = 400 << 10;
/// The unit of flushing, which writes go across.
const REGION: u64 = 4 << 20;
const REGIONS: u64 = 2;
const READ: u32 = 1 << 20;
/// Of all answered writes: one server answers them, as it has no verifiers.
const VERIFIER: Option<[u8; 8]> = Some([0; 8]);

/// A client.
pub(super) struct Worker {
    folder: String,
    random: Random,
    files: Files,
    /// The request that is on its way, if it changes something.
    asked: Option<Change>,
    made: u64,
    pub(super) is_sealed: bool,
    pub(super) counts: Counts,
}

/// How many requests were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) answered: u64,
    pub(super) flushes: u64,
    pub(super) durable_writes: u64,
    pub(super) names: u64,
    pub(super) across: u64,
}

/// A change of the files of a folder.
#[derive(Clone, Debug)]
enum Change {
    Make(String),
    Remove(String),
    Rename(String, String),
    Resize(String, usize),
    Write { name: String, offset: usize, data: Vec<u8>, is_durable: bool },
}

impl Change {
    /// An answered one is durable, except for a write that is not said to be.
    fn apply(self, files: &mut Files, is_answered: bool) {
        match self {
            Change::Make(name) => drop(files.insert(name, File::default())),
            Change::Remove(name) => drop(files.remove(&name)),
            Change::Rename(from, to) => {
                let file = files.remove(&from).unwrap();
                files.insert(to, file);
            }
            Change::Resize(name, length) => files.get_mut(&name).unwrap().truncate(length),
            Change::Write { name, offset, data, is_durable } => {
                let file = files.get_mut(&name).unwrap();
                match is_durable && is_answered {
                    true => file.write_stable(offset, &data),
                    false => file.loose.push(Loose { offset, data, verifier: VERIFIER }),
                }
            }
        }
    }
}

impl Worker {
    pub(super) fn new(number: u64, seed: u64) -> Worker {
        let (folder, random, files) = (format!("client{number}"), Random::new(seed), Files::new());
        let (is_sealed, counts) = (number.is_multiple_of(2), Counts::default());
        Worker { folder, random, files, asked: None, made: 0, is_sealed, counts }
    }

    /// Compares the folder, as both protocols show it, with the record, and takes what it finds for the stable state:
    /// the new server has synced it.
    pub(super) async fn check(&mut self, client: &mut Client, nfs: &mut Session, round: u64) {
        let root = nfs.root.clone();
        if round == 0 {
            nfs.make_directory(&root, self.folder.as_bytes(), 0o777).await;
            return;
        }
        let found = self.read_all(client, nfs).await;
        let mut candidates = vec![self.files.clone()];
        if let Some(asked) = self.asked.take() {
            let mut files = self.files.clone();
            asked.apply(&mut files, false);
            candidates.push(files);
        }
        let faults: Vec<String> = candidates.iter().filter_map(|files| disagreement(files, &found).err()).collect();
        assert!(faults.len() < candidates.len(), "kill {round}, {}: {faults:#?}", self.folder);
        self.files = found;
    }

    async fn read_all(&self, client: &mut Client, nfs: &mut Session) -> Files {
        let mut files = Files::new();
        let root = nfs.root.clone();
        let folder = nfs.find(&root, self.folder.as_bytes()).await.unwrap();
        for name in names(nfs, &folder).await {
            let node = nfs.find(&folder, name.as_bytes()).await.unwrap();
            let size = nfs.attributes_of(&node).await.size;
            let mut stable = Vec::new();
            while (stable.len() as u64) < size {
                stable.extend_from_slice(&nfs.read_at(&node, stable.len() as u64, READ).await.data);
            }
            let path = self.path(&name);
            assert!(client.read_all(&path).await == stable, "{path}: SMB shows other bytes than NFS");
            files.insert(name, File { stable, ..File::default() });
        }
        let listed: Vec<String> = files.keys().cloned().collect();
        assert_eq!(client.names(&self.folder).await, listed, "{}: SMB lists other names than NFS", self.folder);
        files
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Works until the server has gone.
    pub(super) async fn work(&mut self, client: &Client, mut killed: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            _ = killed.changed() => {}
            () = async { while self.step(client).await.is_ok() {} } => {}
        }
    }

    async fn step(&mut self, client: &Client) -> Result<(), Gone> {
        let names: Vec<String> = self.files.keys().cloned().collect();
        if names.is_empty() || (names.len() < FILES_MAX && self.random.one_in(5)) {
            return self.create(client).await;
        }
        let name = names[self.random.below(names.len() as u64) as usize].clone();
        match self.random.below(10) {
            0 => self.remove(client, &name).await,
            1 => self.rename(client, &name, &names).await,
            2 => self.overwrite(client, &name).await,
            _ => self.change(client, &name).await,
        }
    }

    /// One of the files is large.
    async fn create(&mut self, client: &Client) -> Result<(), Gone> {
        self.made += 1;
        let kind = if self.files.keys().any(|name| name.starts_with("large")) { "small" } else { "large" };
        let name = format!("{kind}{}", self.made);
        self.asks(Change::Make(name.clone()));
        let file = client.open(&self.path(&name), Disposition::FileCreate, 0).await?;
        self.is_done();
        self.counts.names += 1;
        client.close(file).await
    }

    /// By an option of the open or by a request; the file goes when it is closed.
    async fn remove(&mut self, client: &Client, name: &str) -> Result<(), Gone> {
        let is_option = self.random.one_in(2);
        let options = if is_option { DELETE_ON_CLOSE } else { 0 };
        let file = client.open(&self.path(name), Disposition::FileOpen, options).await?;
        if !is_option {
            client.set_deletion(file).await?;
        }
        self.asks(Change::Remove(name.to_owned()));
        client.close(file).await?;
        self.is_done();
        self.counts.names += 1;
        Ok(())
    }

    /// Over another file, now and then.
    async fn rename(&mut self, client: &Client, name: &str, names: &[String]) -> Result<(), Gone> {
        let others: Vec<&String> = names.iter().filter(|other| *other != name).collect();
        let to = match self.random.one_in(2) && !others.is_empty() {
            true => others[self.random.below(others.len() as u64) as usize].clone(),
            false => {
                self.made += 1;
                format!("{}{}", name.trim_end_matches(|letter: char| letter.is_ascii_digit()), self.made)
            }
        };
        let file = client.open(&self.path(name), Disposition::FileOpen, 0).await?;
        self.asks(Change::Rename(name.to_owned(), to.clone()));
        client.rename(file, &self.path(&to)).await?;
        self.is_done();
        self.counts.names += 1;
        client.close(file).await
    }

    /// An open that discards the content.
    async fn overwrite(&mut self, client: &Client, name: &str) -> Result<(), Gone> {
        self.asks(Change::Resize(name.to_owned(), 0));
        let file = client.open(&self.path(name), Disposition::FileOverwrite, 0).await?;
        self.is_done();
        client.close(file).await
    }

    /// Some requests through one open.
    async fn change(&mut self, client: &Client, name: &str) -> Result<(), Gone> {
        let is_through = self.random.one_in(5);
        let options = if is_through { WRITE_THROUGH } else { 0 };
        let file = client.open(&self.path(name), Disposition::FileOpen, options).await?;
        for _ in 0..=self.random.below(6) {
            match self.random.below(10) {
                0 => self.set_length(client, file, name).await?,
                1 => self.read(client, file, name).await?,
                2..5 => self.flush(client, file, name).await?,
                _ => self.write(client, file, name, is_through).await?,
            }
        }
        client.close(file).await
    }

    async fn set_length(&mut self, client: &Client, file: FileId, name: &str) -> Result<(), Gone> {
        let length =
            self.random.below(if name.starts_with("large") { REGIONS * REGION + LENGTH_MAX } else { SMALL_MAX });
        self.asks(Change::Resize(name.to_owned(), length as usize));
        client.set_length(file, length).await?;
        self.is_done();
        Ok(())
    }

    async fn write(&mut self, client: &Client, file: FileId, name: &str, is_through: bool) -> Result<(), Gone> {
        let length = 1 + self.random.below(LENGTH_MAX);
        let is_across = name.starts_with("large") && self.random.one_in(2);
        let offset = match is_across {
            true => REGION * (1 + self.random.below(REGIONS)) - self.random.below(length),
            false => self.random.below(SMALL_MAX),
        };
        let data = self.random.bytes(length as usize);
        let is_flagged = self.random.one_in(5);
        let is_durable = is_through || is_flagged;
        self.asks(Change::Write { name: name.to_owned(), offset: offset as usize, data: data.clone(), is_durable });
        client.write(file, offset, &data, is_flagged).await?;
        self.is_done();
        self.counts.durable_writes += u64::from(is_durable);
        self.counts.across += u64::from(is_across);
        Ok(())
    }

    async fn flush(&mut self, client: &Client, file: FileId, name: &str) -> Result<(), Gone> {
        client.flush(file).await?;
        self.files.get_mut(name).unwrap().commit([0; 8]);
        self.counts.answered += 1;
        self.counts.flushes += 1;
        Ok(())
    }

    async fn read(&mut self, client: &Client, file: FileId, name: &str) -> Result<(), Gone> {
        let (offset, length) = (self.random.below(SMALL_MAX), 64 << 10);
        let read = client.read(file, offset, length).await?;
        let seen = self.files[name].seen(offset as usize, length);
        assert!(read == seen, "{name}: {} bytes at {offset} are not those written", read.len());
        Ok(())
    }

    /// Notes a change that is asked for now.
    fn asks(&mut self, change: Change) {
        self.asked = Some(change);
    }

    /// It was answered.
    fn is_done(&mut self) {
        if let Some(change) = self.asked.take() {
            change.apply(&mut self.files, true);
            self.counts.answered += 1;
        }
    }
}
