//! Everyday work on a server of SMB by the crate `smb`: `second-client HOST:PORT SHARE USER PASSWORD`, by every dialect,
//! signed and encrypted. It panics at the first thing that is not as it should be.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use smb::{
    Client, ClientConfig, ConnectionConfig, CreateOptions, Dialect, DirAccessMask, Directory, File, FileAccessMask,
    FileAttributes, FileCreateArgs, FileDispositionInformation, FileFullDirectoryInformation, FileRenameInformation,
    FileStandardInformation, UncPath, connection::EncryptionMode,
};
use tokio::time::timeout;

type Failure = Box<dyn std::error::Error>;

/// Bytes that are written and read at once: more than that takes more than SMB 2.0.2 has.
const BLOCK: usize = 64 << 10;
const FILES: usize = 20;
/// Once in thirty runs the client did not wake up for an answer that it had got.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [server, share, user, password] = &words[..] else {
        panic!("second-client HOST:PORT SHARE USER PASSWORD");
    };
    let dialects = [Dialect::Smb0202, Dialect::Smb021, Dialect::Smb030, Dialect::Smb0302, Dialect::Smb0311];
    for dialect in dialects {
        for encryption_mode in [EncryptionMode::Allowed, EncryptionMode::Required] {
            let encrypts = encryption_mode.is_required();
            // Encryption is there from 3.0 on.
            if encrypts && dialect < Dialect::Smb030 {
                continue;
            }
            let connection = ConnectionConfig {
                min_dialect: Some(dialect),
                max_dialect: Some(dialect),
                encryption_mode,
                timeout: Some(Duration::from_secs(20)),
                ..ConnectionConfig::default()
            };
            let client = Client::new(ClientConfig { connection, ..ClientConfig::default() });
            let root = UncPath::new(server).and_then(|path| path.with_share(share)).expect("the share's name");
            client.share_connect(&root, user, password.clone()).await.expect("a session and the share");
            let done = timeout(PATIENCE, work(&client, &root)).await.expect("no answer is waited for so long");
            done.unwrap_or_else(|error| panic!("{dialect:?}, encrypted {encrypts}: {error}"));
            client.close().await.expect("the end");
            println!("{dialect:?}, {}: ok", if encrypts { "encrypted" } else { "signed" });
        }
    }
}

/// Makes a directory with files, reads them back, renames one, and removes all.
async fn work(client: &Client, root: &UncPath) -> Result<(), Failure> {
    let directory = FileCreateArgs::make_create_new(
        FileAttributes::new().with_directory(true),
        CreateOptions::new().with_directory_file(true),
    );
    client.create_file(&root.clone().with_path("second"), &directory).await?.unwrap_dir().close().await?;
    for number in 0..FILES {
        let file = create(client, &root.clone().with_path(&format!("second\\file {number}"))).await?;
        let written = content(number);
        let mut at = 0;
        while at < written.len() {
            at += file.write_block(&written[at..written.len().min(at + BLOCK)], at as u64, None).await?;
        }
        file.flush().await?;
        file.close().await?;
    }
    for number in 0..FILES {
        let file = open(client, &root.clone().with_path(&format!("second\\FILE {number}"))).await?;
        let size = file.query_info::<FileStandardInformation>().await?.end_of_file;
        let mut read = vec![0; content(number).len()];
        assert_eq!(size, read.len() as u64, "the size of file {number}");
        let mut at = 0;
        while at < read.len() {
            let end = read.len().min(at + BLOCK);
            let count = file.read_block(&mut read[at..end], at as u64, None, false).await?;
            assert!(count > 0, "file {number} ends at {at}");
            at += count;
        }
        assert!(read == content(number), "file {number} has other bytes");
        file.close().await?;
    }
    let moved = open(client, &root.clone().with_path("second\\file 0")).await?;
    let to =
        FileRenameInformation { replace_if_exists: false.into(), root_directory: 0, file_name: "second\\moved".into() };
    moved.set_info(to).await?;
    moved.close().await?;
    let mut names = list(client, &root.clone().with_path("second")).await?;
    names.sort();
    let mut wanted: Vec<String> = (1..FILES).map(|number| format!("file {number}")).chain(["moved".into()]).collect();
    wanted.sort();
    assert_eq!(names, wanted, "the listing");
    for name in names {
        remove(client, &root.clone().with_path(&format!("second\\{name}"))).await?;
    }
    remove(client, &root.clone().with_path("second")).await
}

fn content(number: usize) -> Vec<u8> {
    (0..BLOCK + number).map(|at| (at * 31 + number) as u8).collect()
}

async fn create(client: &Client, path: &UncPath) -> Result<File, Failure> {
    let args = FileCreateArgs::make_create_new(FileAttributes::new(), CreateOptions::new());
    Ok(client.create_file(path, &args).await?.unwrap_file())
}

async fn open(client: &Client, path: &UncPath) -> Result<File, Failure> {
    let access = FileAccessMask::new().with_generic_read(true).with_delete(true);
    Ok(client.create_file(path, &FileCreateArgs::make_open_existing(access)).await?.unwrap_file())
}

async fn list(client: &Client, path: &UncPath) -> Result<Vec<String>, Failure> {
    let access = DirAccessMask::new().with_list_directory(true).with_synchronize(true);
    let opened = client.create_file(path, &FileCreateArgs::make_open_existing(access.into())).await?;
    let directory = Arc::new(opened.unwrap_dir());
    let mut names = Vec::new();
    {
        // A small buffer, so that the listing takes many requests.
        let mut entries = Directory::query_with_options::<FileFullDirectoryInformation>(&directory, "*", 0x300).await?;
        while let Some(entry) = entries.next().await {
            names.push(entry?.file_name.to_string());
        }
    }
    directory.close().await?;
    names.retain(|name| name != "." && name != "..");
    Ok(names)
}

async fn remove(client: &Client, path: &UncPath) -> Result<(), Failure> {
    let access = FileAccessMask::new().with_delete(true);
    let resource = client.create_file(path, &FileCreateArgs::make_open_existing(access)).await?;
    let goes = FileDispositionInformation::default();
    match resource {
        smb::Resource::File(file) => {
            file.set_info(goes).await?;
            file.close().await?;
        }
        smb::Resource::Directory(directory) => {
            directory.set_info(goes).await?;
            directory.close().await?;
        }
        smb::Resource::Pipe(_) => panic!("{path} is a pipe"),
    }
    Ok(())
}
