//! How often the way to the database is gone for a call of a client.

use dittofs_postgres_test_server::{PostgresServer, Proxy};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    postgres::home_by,
    session::{Session, with_mode},
};

/// Calls of each kind. Now and then the server asks the database for itself, and a connection learns a statement the
/// first time that it sees it: what most calls take is looked at.
const TIMES: usize = 15;

#[derive(Clone, Copy, Debug)]
enum Call {
    GetAttr,
    LookUp,
    ReadDirPlus,
    Create,
    MakeDirectory,
    SetAttr,
    Rename,
    RenameOfDirectory,
    RemoveFile,
    RemoveDirectory,
}

/// The nodes that they are of.
struct Place {
    directory: nfs_fh3,
    other: nfs_fh3,
    file: nfs_fh3,
}

impl Call {
    /// Makes the call, which succeeds. What one kind makes is there for the next.
    async fn make(self, session: &mut Session, of: &Place, time: usize) {
        let Place { directory, other, file } = of;
        let [made, renamed, folder, moved] =
            ["made", "renamed", "folder", "moved"].map(|word| format!("{word}-{time}").into_bytes());
        match self {
            Call::GetAttr => _ = session.attributes_of(file).await,
            Call::LookUp => _ = session.find(directory, b"file").await.unwrap(),
            Call::ReadDirPlus => {
                let arguments = READDIRPLUS3args {
                    dir: directory.clone(),
                    cookie: 0,
                    cookieverf: cookieverf3::default(),
                    dircount: 32 << 10,
                    maxcount: 32 << 10,
                };
                let page = session.readdirplus(&arguments).await.unwrap().unwrap();
                assert!(page.reply.entries.0.len() > 20);
            }
            Call::Create => _ = session.make_file(directory, &made, 0o644).await,
            Call::MakeDirectory => _ = session.make_directory(directory, &folder, 0o755).await,
            Call::SetAttr => _ = session.set(file, with_mode(0o600 + time as u32), None).await.unwrap(),
            Call::Rename => _ = session.move_to((directory, &made), (directory, &renamed)).await.unwrap(),
            Call::RenameOfDirectory => _ = session.move_to((directory, &folder), (other, &moved)).await.unwrap(),
            Call::RemoveFile => _ = session.remove_file(directory, &renamed).await.unwrap(),
            Call::RemoveDirectory => _ = session.remove_directory(other, &moved).await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_clients_take_one_round_trip_and_changes_two() {
    let database = PostgresServer::start();
    let proxy = Proxy::start(database.port()).await;
    let home = home_by(proxy.port(), "connect_timeout_seconds: 20");
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    let other = session.make_directory(&root, b"other", 0o755).await;
    let file = session.make_file(&directory, b"file", 0o644).await;
    for number in 0..20 {
        session.make_file(&directory, format!("listed-{number}").as_bytes(), 0o644).await;
    }
    let of = Place { directory, other, file };
    let mut wrong = Vec::new();
    for (call, expected) in [
        (Call::GetAttr, 1),
        (Call::LookUp, 1),
        // The directory and the page at the same time, over two connections.
        (Call::ReadDirPlus, 2),
        (Call::Create, 2),
        (Call::MakeDirectory, 2),
        (Call::SetAttr, 2),
        (Call::Rename, 2),
        (Call::RenameOfDirectory, 2),
        (Call::RemoveFile, 2),
        (Call::RemoveDirectory, 2),
    ] {
        let mut trips = Vec::new();
        for time in 0..TIMES {
            let before = proxy.trips();
            call.make(&mut session, &of, time).await;
            trips.push(proxy.trips() - before);
        }
        trips.sort_unstable();
        if trips[TIMES / 2] != expected {
            wrong.push(format!("{call:?}: {trips:?}, instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(server.stop().status.success());
}
