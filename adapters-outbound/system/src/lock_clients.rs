//! The clients with locks, in a file: the first line is the number of the server's life, each other one a client.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use dittofs_domain::LockClient;
use dittofs_ports::{LockClients, LockClientsError};
use tokio::sync::Mutex;

/// The word with which the file begins, and its version.
const HEAD: &str = "dittofs-lock-clients 1 ";
/// The word with which it ends: a file that was cut off is known by that.
const END: &str = "end";
/// A file of more bytes is not ours.
const BYTES_MAX: u64 = 64 << 20;

/// A file in the folder of a server that has locked it.
#[derive(Debug)]
pub struct LockClientFile {
    path: Arc<Path>,
    /// Held while the file is written. None until it has been read.
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    life: i32,
    clients: BTreeSet<LockClient>,
}

impl LockClientFile {
    /// The file at a path; it need not be there yet.
    pub fn new(path: PathBuf) -> LockClientFile {
        LockClientFile { path: path.into(), kept: Mutex::default() }
    }

    /// Keeps the list as `change` leaves it, in the file first. One that could not be read yet is read now, so that
    /// nobody is forgotten by it.
    async fn change(&self, change: impl FnOnce(&mut Kept)) -> Result<(), LockClientsError> {
        let mut kept = self.kept.lock().await;
        let before = match kept.take() {
            Some(before) => before,
            None => self.read().await?.unwrap_or_else(Kept::after_damage),
        };
        let mut changed = before.clone();
        change(&mut changed);
        if changed == before {
            *kept = Some(before);
            return Ok(());
        }
        let (path, text) = (Arc::clone(&self.path), changed.text());
        let written = blocking(move || replace(&path, &text)).await;
        *kept = Some(if written.is_ok() { changed } else { before });
        written
    }

    /// The list in the file; none where that is not one.
    async fn read(&self) -> Result<Option<Kept>, LockClientsError> {
        let path = Arc::clone(&self.path);
        let text = blocking(move || read(&path)).await?;
        Ok(text.map_or_else(|| Some(Kept::default()), |text| Kept::parse(&text)))
    }
}

#[async_trait]
impl LockClients for LockClientFile {
    async fn begin(&self) -> Result<(i32, Vec<LockClient>), LockClientsError> {
        let Some(found) = self.read().await? else {
            let path = self.path.display();
            return Err(LockClientsError::Corrupt(format!("{path} is not what a server has written").into()));
        };
        let clients = found.clients.iter().cloned().collect();
        // The highest number is odd.
        let life = if found.life == 0 || found.life == i32::MAX { 1 } else { found.life + 2 };
        self.change(|kept| *kept = Kept { life, clients: found.clients }).await?;
        Ok((life, clients))
    }

    async fn keep(&self, client: &LockClient) -> Result<(), LockClientsError> {
        self.change(|kept| {
            kept.clients.insert(client.clone());
        })
        .await
    }

    async fn forget(&self, clients: &[LockClient]) -> Result<(), LockClientsError> {
        self.change(|kept| kept.clients.retain(|client| !clients.contains(client))).await
    }
}

impl Kept {
    /// Nobody, and a number that no earlier life has reached by counting.
    fn after_damage() -> Kept {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Kept { life: i32::try_from(seconds).unwrap_or(i32::MAX) | 1, clients: BTreeSet::new() }
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}{}\n", self.life.max(1));
        for LockClient { address, name, server } in &self.clients {
            // Writing to a string can't fail. A name has no space and no line end then.
            let _ = writeln!(text, "{address} {server} {}", Hex(name));
        }
        text.push_str(END);
        text.push('\n');
        text
    }

    fn parse(text: &str) -> Option<Kept> {
        let mut lines = text.lines();
        let life: i32 = lines.next()?.strip_prefix(HEAD)?.parse().ok()?;
        let mut kept = Kept { life, clients: BTreeSet::new() };
        for line in lines.by_ref().take_while(|line| *line != END) {
            let mut words = line.split(' ');
            let (address, server): (IpAddr, IpAddr) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            let name = unhex(words.next()?)?;
            kept.clients.insert(LockClient { address, name, server });
        }
        let is_whole = text.ends_with("end\n") && life > 0 && life % 2 == 1;
        is_whole.then_some(kept)
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An empty name is a word, too.
        f.write_str("x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn unhex(word: &str) -> Option<Box<[u8]>> {
    let digits = word.strip_prefix('x')?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.len() > BYTES_MAX => return Ok(Some(String::new())),
        found => found?,
    };
    // Bytes that are no text are no list.
    Ok(Some(String::from_utf8(fs::read(path)?).unwrap_or_default()))
}

/// Puts a text in the place of a file: after a crash there is one or the other.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let newer = path.with_extension("new");
    let mut file = File::create(&newer)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&newer, path)?;
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    File::open(folder)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, LockClientsError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| LockClientsError::Unavailable(error.into()))?;
    done.map_err(|error| LockClientsError::Unavailable(error.into()))
}

#[cfg(test)]
mod tests;
