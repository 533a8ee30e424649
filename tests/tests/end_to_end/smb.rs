//! SMB by Samba's client (Debian's smbclient), beside NFS over the same files.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use dittofs_tests::{
    ports::own_port,
    server::{Home, Server},
};
use nfs3_client::nfs3_types::nfs3::{Nfs3Option, nfsstat3, sattr3, stable_how};

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

/// A server with a user, and what its clients need.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) home: Home,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

impl World {
    /// With these lines in the section `adapters.smb`.
    pub(crate) fn new(options: &str) -> World {
        let port = own_port();
        let home = home(Some(&format!(
            "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
             content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
             journal: {{ path: journal, size: 256MiB }}\n\
             shares: [{{ name: /export, metadata_store: m, content_store: c, clients: [127.0.0.0/8], squash: none, \
             secure_ports: false }}]\n\
             adapters:\n  smb:\n    listen: 127.0.0.1:{port}\n{options}"
        )));
        let added = home
            .run_with(&["user", "add", "alice", "--uid", &UID.to_string(), "--gid", "1000"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{added:?}");
        let server = home.start();
        World { server, home, port, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn client(&self, commands: &str, more: &[&str]) -> Output {
        self.client_as("alice", PASSWORD, commands, more)
    }

    pub(crate) fn client_as(&self, name: &str, password: &str, commands: &str, more: &[&str]) -> Output {
        let mut client = Command::new("smbclient");
        client.args(["-p", &self.port.to_string(), "-U", &format!("{name}%{password}"), "--configfile=/dev/null"]);
        client.args(["//127.0.0.1/export", "-c", commands]).args(more).output().unwrap()
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

#[tokio::test]
async fn files_go_there_and_back_by_every_dialect_signed_and_sealed() {
    if !is_installed() {
        return;
    }
    let world = World::new("    signing: optional\n");
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

#[tokio::test]
async fn what_one_protocol_writes_the_other_reads_and_a_restart_keeps_it() {
    if !is_installed() {
        return;
    }
    let world = World::new("");
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

    let World { server, home, port, folder: files } = world;
    assert!(server.stop().status.success());
    let world = World { server: home.start(), home, port, folder: files };
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
