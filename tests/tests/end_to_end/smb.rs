//! SMB by Samba's client (Debian's smbclient), beside NFS over the same files.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use dittofs_postgres_test_server::{DATABASE, PASSWORD as DATABASE_PASSWORD, PostgresServer, USER};
use dittofs_tests::{
    ports::own_port,
    server::{Home, Server},
};
use nfs3_client::nfs3_types::nfs3::{Nfs3Option, nfsstat3, sattr3, stable_how};
use rstest::rstest;

use crate::session::{Session, home, pattern, user};

pub(crate) const PASSWORD: &str = "correct horse";
const UID: u32 = 1_000;

/// Whether the client is there. Where CI runs it has to be.
pub(crate) fn is_installed() -> bool {
    let found = Command::new("sh").args(["-c", "command -v smbclient"]).output().unwrap().status.success();
    assert!(found || env::var_os("CI").is_none(), "smbclient is not installed");
    if !found {
        eprintln!("skipped: smbclient is not installed");
    }
    found
}

/// Samba's client for a share, as a user.
pub(crate) fn smbclient(port: u16, share: &str, (name, password): (&str, &str)) -> Command {
    let mut client = Command::new("smbclient");
    client.args(["-p", &port.to_string(), "-U", &format!("{name}%{password}"), "--configfile=/dev/null"]);
    client.arg(format!("//127.0.0.1/{share}"));
    client
}

/// A server with a user, and what its clients need.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) home: Home,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    /// Where the metadata are, if not on this machine's disk. It goes last.
    _database: Option<PostgresServer>,
}

/// Where the metadata of a share are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// With the content. The users outlive the server all the same.
    Memory,
    Redb,
    Postgres,
}

impl Store {
    /// The stores, and what the share says of them.
    fn configuration(self, home: &Home, database: Option<&PostgresServer>) -> String {
        let on_disk = "m: { type: redb, redb: { path: metadata } }";
        let folder = "c: { type: fs, fs: { path: content } }";
        let (metadata, content, share) = match self {
            Store::Memory => (format!("{on_disk}, s: {{ type: memory }}"), "c: { type: memory }", "metadata_store: s"),
            Store::Redb => (on_disk.to_owned(), folder, "metadata_store: m"),
            Store::Postgres => {
                let password = home.path().join("password");
                fs::write(&password, DATABASE_PASSWORD).unwrap();
                let port = database.map(PostgresServer::port).unwrap();
                let store = format!(
                    "m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {port}, user: {USER}, \
                     database: {DATABASE}, password_file: {} }} }}",
                    password.display()
                );
                (store, folder, "metadata_store: m")
            }
        };
        format!(
            "metadata: {{ stores: {{ {metadata} }} }}\n\
             content: {{ stores: {{ {content} }} }}\n\
             journal: {{ size: 256MiB }}\n\
             shares: [{{ name: /export, {share}, content_store: c, clients: [127.0.0.0/8], squash: none, \
             secure_ports: false }}]\n"
        )
    }
}

impl World {
    /// With these lines in the section `adapters.smb`.
    pub(crate) fn new(options: &str) -> World {
        World::over(Store::Redb, options)
    }

    /// The same with the metadata in this store.
    pub(crate) fn over(store: Store, options: &str) -> World {
        let port = own_port();
        let home = home(None);
        let database = (store == Store::Postgres).then(PostgresServer::start);
        let stores = store.configuration(&home, database.as_ref());
        home.configure(&format!("{stores}adapters:\n  smb:\n    listen: 127.0.0.1:{port}\n{options}"));
        let added = home
            .run_with(&["user", "add", "alice", "--uid", &UID.to_string(), "--gid", "1000"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{added:?}");
        let server = home.start();
        World { server, home, port, folder: tempfile::tempdir().unwrap(), _database: database }
    }

    pub(crate) fn client(&self, commands: &str, more: &[&str]) -> Output {
        self.client_as("alice", PASSWORD, commands, more)
    }

    pub(crate) fn client_as(&self, name: &str, password: &str, commands: &str, more: &[&str]) -> Output {
        smbclient(self.port, "export", (name, password)).args(["-c", commands]).args(more).output().unwrap()
    }

    /// What a client prints that does these commands without an error.
    pub(crate) fn done(&self, commands: &str, more: &[&str]) -> String {
        let output = self.client(commands, more);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && !text.contains("NT_STATUS"), "{commands}: {text}");
        text
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) async fn nfs(&self) -> Session {
        Session::open(self.server.address(), "/export", &user(0, 0, &[])).await
    }

    /// Gives the share's root to the user.
    pub(crate) async fn give_root(&self) {
        let mut nfs = self.nfs().await;
        let root = nfs.root.clone();
        nfs.set(&root, sattr3 { mode: Nfs3Option::Some(0o777), ..sattr3::default() }, None).await;
    }
}

#[rstest]
#[tokio::test]
async fn files_go_there_and_back_by_every_dialect_signed_and_sealed(
    #[values(Store::Memory, Store::Redb, Store::Postgres)] store: Store,
) {
    if !is_installed() {
        return;
    }
    let world = World::over(store, "    signing: optional\n");
    world.give_root().await;
    let data = pattern((9 << 20) + 4_321);
    fs::write(world.path("there"), &data).unwrap();
    let protection: [&[&str]; 3] = [&[], &["--client-protection=sign"], &["--client-protection=encrypt"]];
    for dialect in ["SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"] {
        for protected in protection {
            if dialect.starts_with("SMB2") && protected == protection[2] {
                continue;
            }
            let (there, back) = (world.path("there"), world.path("back"));
            let commands = format!(
                "mkdir d; put {there} d\\big; get d\\big {back}; rename d\\big d\\other; ls d\\*; del d\\other; rmdir d"
            );
            let options = [format!("--option=client min protocol={dialect}"), format!("-m{dialect}")];
            let options: Vec<&str> = options.iter().map(String::as_str).chain(protected.iter().copied()).collect();
            let listed = world.done(&commands, &options);
            assert!(listed.contains(&data.len().to_string()), "{dialect} {protected:?}: {listed}");
            assert!(fs::read(Path::new(&back)).unwrap() == data, "{dialect} {protected:?}: what came back differs");
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_one_protocol_writes_the_other_reads_and_a_restart_keeps_it(
    #[values(Store::Redb, Store::Postgres)] store: Store,
) {
    if !is_installed() {
        return;
    }
    let world = World::over(store, "");
    world.give_root().await;
    fs::write(world.path("there"), b"from smb").unwrap();
    world.done(&format!("put {} file; mkdir folder", world.path("there")), &[]);
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    assert_eq!(nfs.read_at(&file, 0, 100).await.data.as_ref(), b"from smb");
    assert_eq!(nfs.attributes_of(&file).await.uid, UID);
    nfs.write_at(&file, 0, b"from nfs", stable_how::FILE_SYNC).await;
    world.done(&format!("get file {}", world.path("back")), &[]);
    assert_eq!(fs::read(world.path("back")).unwrap(), b"from nfs");
    let folder = nfs.find(&root, b"folder").await.unwrap();
    drop(nfs);

    let World { server, home, port, folder: files, _database } = world;
    assert!(server.stop().status.success());
    let world = World { server: home.start(), home, port, folder: files, _database };
    let mut nfs = world.nfs().await;
    assert_eq!(nfs.read_at(&file, 0, 100).await.data.as_ref(), b"from nfs");
    world.done("rmdir folder; del file", &[]);
    assert_eq!(nfs.find(&root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);
    assert_eq!(nfs.state_of(&folder).await, nfsstat3::NFS3ERR_STALE);
}

#[tokio::test]
async fn who_proves_no_password_gets_nowhere() {
    if !is_installed() {
        return;
    }
    let world = World::new("");
    for (name, password) in [("alice", "wrong"), ("bob", PASSWORD), ("", "")] {
        let output = world.client_as(name, password, "ls", &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let is_refused = text.contains("NT_STATUS_LOGON_FAILURE") || text.contains("NT_STATUS_ACCESS_DENIED");
        assert!(!output.status.success() && is_refused, "{name}: {text}");
    }
    assert!(world.home.log().contains("logon refused"), "{}", world.home.log());
    assert!(!world.home.log().contains(PASSWORD));
}

/// Whoever watches the log sees each way in which somebody tries.
#[test]
fn each_kind_of_refused_logon_is_in_the_log_with_its_reason() {
    if !is_installed() {
        return;
    }
    let world = World::new("");
    let refused = |name: &str, password: &str, options: &[&str]| {
        assert!(!world.client_as(name, password, "ls", options).status.success(), "{name} {options:?}");
    };
    refused("alice", "wrong", &[]);
    refused("", "", &[]);
    refused("alice", PASSWORD, &["--option=client ntlmv2 auth=no"]);
    let disabled = world.home.run(&["user", "change", "alice", "--disable"]);
    assert!(disabled.status.success(), "{disabled:?}");
    refused("alice", PASSWORD, &[]);
    let log = world.home.log();
    for (reason, user) in [
        ("the user is unknown or the password is wrong", "user=alice"),
        ("the client is anonymous", "peer=127.0.0.1"),
        ("the client answers with NTLM version 1 or LAN Manager", "peer=127.0.0.1"),
        ("the user is disabled", "user=alice"),
    ] {
        let is_told = |line: &&str| line.contains("logon refused") && line.contains(reason) && line.contains(user);
        assert_eq!(log.lines().filter(is_told).count(), 1, "{reason}: {log}");
    }
    assert!(!log.contains(PASSWORD) && !log.contains("wrong "), "{log}");
}

#[tokio::test]
async fn who_tries_passwords_without_end_is_told_to_the_log_as_such() {
    let world = World::new("");
    let address = format!("127.0.0.1:{}", world.port);
    for _ in 0..60 {
        smb2::connect(&address, "alice", "wrong").await.map(drop).unwrap_err();
    }
    let refused = smb2::connect(&address, "alice", PASSWORD).await.map(drop);
    assert!(refused.is_err(), "who has failed so often gets in");
    let log = world.home.log();
    let is_told = |line: &str| line.contains("logon refused") && line.contains("too many failures lately");
    assert!(log.lines().any(is_told), "{log}");
    let lines = log.lines().filter(|line| line.contains("logon refused")).count();
    assert!(lines <= 6, "{lines} lines: {log}");
}

#[test]
fn the_shares_are_listed() {
    if !is_installed() {
        return;
    }
    let world = World::new("");
    let mut client = Command::new("smbclient");
    client.args(["-p", &world.port.to_string(), "-U", &format!("alice%{PASSWORD}"), "--configfile=/dev/null"]);
    let output = client.args(["-L", "//127.0.0.1"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("export") && text.contains("IPC$"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
