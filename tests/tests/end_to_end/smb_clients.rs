//! SMB by a client that is not Samba's: the crate `smb2`, beside NFS over the same files.

use nfs3_client::nfs3_types::nfs3::stable_how;
use rstest::rstest;
use smb2::{SmbClient, Tree, types::Dialect};

use crate::{
    session::pattern,
    smb::{PASSWORD, Store, World},
};

pub(crate) struct Client {
    pub(crate) smb: SmbClient,
    pub(crate) share: Tree,
}

impl Client {
    pub(crate) async fn connect(world: &World) -> Client {
        let mut smb = smb2::connect(&format!("127.0.0.1:{}", world.port), "alice", PASSWORD).await.unwrap();
        let share = smb.connect_share("export").await.unwrap();
        Client { smb, share }
    }

    async fn write(&mut self, path: &str, data: &[u8]) {
        assert_eq!(self.smb.write_file(&self.share, path, data).await.unwrap(), data.len() as u64);
    }

    async fn read(&mut self, path: &str) -> Vec<u8> {
        self.smb.read_file_pipelined(&mut self.share, path).await.unwrap()
    }

    /// The names in a directory, sorted.
    async fn names(&mut self, path: &str) -> Vec<String> {
        let entries = self.smb.list_directory(&mut self.share, path).await.unwrap();
        let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        names.retain(|name| name != "." && name != "..");
        names.sort_unstable();
        names
    }

    pub(crate) async fn can_list(&mut self, path: &str) -> bool {
        self.smb.list_directory(&mut self.share, path).await.is_ok()
    }
}

#[rstest]
#[tokio::test]
async fn another_client_uses_files_by_every_dialect_signed_and_sealed(
    #[values(Store::Memory, Store::Redb, Store::Postgres)] store: Store,
) {
    let data = pattern((3 << 20) + 77);
    for (dialect, name, encryption) in [
        (Dialect::Smb2_0_2, "2.0.2", "offered"),
        (Dialect::Smb2_1, "2.1", "offered"),
        // It does not say that it could encrypt, which dialects before 3.1.1 need.
        (Dialect::Smb3_0, "3.0", "offered"),
        (Dialect::Smb3_0_2, "3.0.2", "offered"),
        (Dialect::Smb3_1_1, "3.1.1", "offered"),
        (Dialect::Smb3_1_1, "3.1.1", "required"),
    ] {
        let world = World::over(store, &format!("    dialect_max: \"{name}\"\n    encryption: {encryption}\n"));
        world.give_root().await;
        let mut client = Client::connect(&world).await;
        let case = format!("{name} {encryption}");
        assert_eq!(client.smb.params().unwrap().dialect, dialect, "{case}");
        assert_eq!(client.smb.session().should_encrypt, encryption == "required", "{case}");
        client.smb.create_directory(&client.share, "d").await.unwrap();
        client.write("d/file", &data).await;
        assert!(client.read("d/file").await == data, "{case}: what came back differs");
        client.smb.rename(&client.share, "d/file", "d/other").await.unwrap();
        assert_eq!(client.names("d").await, ["other"], "{case}");
        let found = client.smb.stat(&mut client.share, "d/other").await.unwrap();
        assert_eq!((found.size, found.is_directory), (data.len() as u64, false), "{case}");
        client.smb.delete_file(&client.share, "d/other").await.unwrap();
        client.smb.delete_directory(&client.share, "d").await.unwrap();
        assert!(client.names("").await.is_empty(), "{case}");
    }
}

#[rstest]
#[tokio::test]
async fn names_keep_their_case_and_are_found_in_any(
    #[values(Store::Memory, Store::Redb, Store::Postgres)] store: Store,
) {
    let world = World::over(store, "");
    world.give_root().await;
    let mut client = Client::connect(&world).await;
    let names = ["Ärger ☃.TXT", "Ελλάδα", "文件", "plain"];
    for name in names {
        client.write(name, name.as_bytes()).await;
    }
    let mut sorted = names.map(str::to_owned);
    sorted.sort_unstable();
    assert_eq!(client.names("").await, sorted);
    for (other, name) in [("äRGER ☃.txt", names[0]), ("ελλάδα", names[1]), ("PLAIN", names[3])] {
        assert_eq!(client.read(other).await, name.as_bytes(), "{other}");
    }
    client.smb.rename(&client.share, "PLAIN", "Plain").await.unwrap();
    assert!(client.names("").await.contains(&"Plain".to_owned()));
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    for name in [names[0], names[1], names[2], "Plain"] {
        nfs.find(&root, name.as_bytes()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    assert!(nfs.find(&root, "ärger ☃.txt".as_bytes()).await.is_err(), "NFS ignores the case");
}

#[rstest]
#[tokio::test]
async fn what_one_protocol_writes_the_other_reads_at_once(
    #[values(Store::Memory, Store::Redb, Store::Postgres)] store: Store,
) {
    let world = World::over(store, "");
    world.give_root().await;
    let mut client = Client::connect(&world).await;
    client.write("file", b"first").await;
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    for round in 0..20u8 {
        let data = vec![round; 100 + usize::from(round)];
        client.write("FILE", &data).await;
        assert_eq!(nfs.read_at(&file, 0, 1_000).await.data.as_ref(), data, "{round}: by NFS");
        let answer = [b"seen ".as_slice(), &[round]].concat();
        nfs.write_at(&file, 0, &answer, stable_how::UNSTABLE).await.unwrap();
        assert_eq!(&client.read("file").await[..answer.len()], answer, "{round}: by SMB");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_files_of_several_clients_at_once(#[values(Store::Memory, Store::Redb, Store::Postgres)] store: Store) {
    const CLIENTS: usize = 4;
    const FILES: usize = 40;
    let world = World::over(store, "");
    world.give_root().await;
    let name = |of: usize, file: usize| format!("client {of} file {file}");
    let mut tasks = tokio::task::JoinSet::new();
    for of in 0..CLIENTS {
        let mut client = Client::connect(&world).await;
        tasks.spawn(async move {
            for file in 0..FILES {
                client.write(&name(of, file), name(of, file).as_bytes()).await;
            }
            client
        });
    }
    let mut client = tasks.join_all().await.remove(0);
    let mut all: Vec<String> = (0..CLIENTS).flat_map(|of| (0..FILES).map(move |file| name(of, file))).collect();
    all.sort_unstable();
    assert_eq!(client.names("").await, all);
    let paths: Vec<&str> = all.iter().map(String::as_str).collect();
    let found = client.smb.stat_files(&client.share, &paths).await;
    for (path, found) in paths.iter().zip(found) {
        assert_eq!(found.unwrap().size, path.len() as u64, "{path}");
    }
    for (path, deleted) in paths.iter().zip(client.smb.delete_files(&client.share, &paths).await) {
        assert!(deleted.is_ok(), "{path}: {deleted:?}");
    }
    assert!(client.names("").await.is_empty());
}
