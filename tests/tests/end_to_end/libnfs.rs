//! The programs of libnfs (Debian's libnfs-utils).

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use dittofs_tests::server::{ONE_SHARE, Server};

use crate::session::{pattern, serve};

/// Whether the programs are there. Where CI runs they have to be.
fn is_installed() -> bool {
    let found = Command::new("sh").args(["-c", "command -v nfs-ls nfs-cp nfs-cat"]).output().unwrap().status.success();
    assert!(found || env::var_os("CI").is_none(), "libnfs-utils is not installed");
    if !found {
        eprintln!("skipped: libnfs-utils is not installed");
    }
    found
}

fn url(server: &Server, path: &str) -> String {
    let port = server.address().port();
    format!("nfs://127.0.0.1{path}?version=3&nfsport={port}&mountport={port}&uid=0&gid=0")
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}: {error}", output.status);
    output
}

#[test]
fn a_file_goes_there_and_back() {
    if !is_installed() {
        return;
    }
    let server = serve(ONE_SHARE);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let data = pattern((10 << 20) + 4_321);
    fs::write(path("there"), &data).unwrap();
    run("nfs-cp", &[&path("there"), &url(&server, "/export/big file")]);
    run("nfs-cp", &[&url(&server, "/export/big file"), &path("back")]);
    assert!(fs::read(Path::new(&path("back"))).unwrap() == data, "what came back differs");
    assert!(run("nfs-cat", &[&url(&server, "/export/big file")]).stdout == data, "what nfs-cat prints differs");

    let listed = run("nfs-ls", &["-R", &url(&server, "/export")]).stdout;
    let listed = String::from_utf8(listed).unwrap();
    let line = listed.lines().find(|line| line.ends_with("big file")).unwrap_or_else(|| panic!("{listed}"));
    assert!(line.contains(&data.len().to_string()), "{line}");
}
