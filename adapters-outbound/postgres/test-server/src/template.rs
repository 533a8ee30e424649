//! The cluster that is made once, and copied for each server.

use std::{
    env,
    fs::{self, File},
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{DATABASE, PASSWORD, USER, account::Account, is_there};

/// Raised with each change of how the cluster is made.
const VERSION: u32 = 1;

/// The oldest PostgreSQL that the store serves.
const MAJOR_MIN: u32 = 14;

/// A program of the PostgreSQL whose programs are in the folder that `POSTGRES_BIN` names, else of the newest one that
/// is installed.
pub(crate) fn binary(name: &str) -> PathBuf {
    if let Some(folder) = env::var_os("POSTGRES_BIN") {
        return PathBuf::from(folder).join(name);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let major = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|version| version.path()).filter(|path| major(path) >= Some(MAJOR_MIN));
    let newest = newest.max_by_key(|path| major(path));
    let newest = newest.expect("PostgreSQL 14 or later is installed: apt-get install postgresql");
    newest.join("bin").join(name)
}

/// Copies the cluster into a folder that is not there yet.
pub(crate) fn copy(account: &Account, to: &Path) {
    let version = binary("postgres").display().to_string().replace('/', "-");
    let name = format!("dittofs-test-cluster{VERSION}-{}{version}", account.number());
    let template = env::temp_dir().join(name);
    // One makes it, and the others wait.
    let lock = File::create(template.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !is_there(&template) {
        make(account, &template);
    }
    let owner = fs::metadata(&template).unwrap().uid();
    assert_eq!(owner, account.number(), "{} is somebody else's: remove it", template.display());
    let copied = account.command("cp").arg("-a").arg(&template).arg(to).status().unwrap();
    assert!(copied.success(), "the cluster can't be copied");
}

/// Makes the cluster beside its place, so that it is there as a whole or not at all.
fn make(account: &Account, template: &Path) {
    let folder = tempfile::Builder::new().prefix("dittofs-new-cluster").tempdir().unwrap();
    account.own(folder.path());
    let (data, password) = (folder.path().join("data"), folder.path().join("password"));
    fs::write(&password, "the password of the administrator, which nobody uses").unwrap();
    account.own(&password);
    let mut initdb = account.command(binary("initdb"));
    initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username=postgres"]);
    run(initdb.arg("--pwfile").arg(&password).arg("--wal-segsize=1").arg("-D").arg(&data), "");
    let orders = format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE {DATABASE} OWNER {USER};\n");
    let mut single = account.command(binary("postgres"));
    run(single.arg("--single").arg("-D").arg(&data).arg("postgres"), &orders);
    let moved = account.command("mv").arg(&data).arg(template).status().unwrap();
    assert!(moved.success(), "the cluster can't be put in its place");
}

fn run(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("ERROR"), "{command:?}: {errors}");
}
