//! Connections that are encrypted, to a server that takes no others.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, SslMode};
use dittofs_postgres_test_server::PostgresServer;

use crate::fixture::options;

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    let output = command.output().expect("openssl is installed");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A server whose certificate names `localhost`, and the file of the one that it is signed by.
fn server(folder: &Path) -> (PostgresServer, PathBuf) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 30"));
    let names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    openssl(folder, &format!("req {key} -keyout server.key -out server.csr {names}"));
    let signed = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 30";
    openssl(folder, &format!("{signed} -copy_extensions copy"));
    let mut server = PostgresServer::start();
    server.stop();
    for name in ["server.pem", "server.key"] {
        server.put(name, &fs::read(folder.join(name)).unwrap());
    }
    server.admit("hostssl all all 127.0.0.1/32 scram-sha-256\n");
    server.set(&["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"]);
    server.start_again();
    (server, folder.join("ca.pem"))
}

#[tokio::test]
async fn a_certificate_is_checked_as_far_as_the_mode_says() {
    use SslMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
    let folder = tempfile::tempdir().unwrap();
    let (server, root) = server(folder.path());
    for (host, mode, root, is_accepted) in [
        ("localhost", VerifyFull, Some(&root), true),
        ("127.0.0.1", VerifyFull, Some(&root), false),
        ("localhost", VerifyCa, Some(&root), true),
        // The library looks at the name in this mode as well.
        ("127.0.0.1", VerifyCa, Some(&root), false),
        ("localhost", VerifyFull, None, false),
        ("localhost", VerifyCa, None, false),
        ("127.0.0.1", Require, None, true),
        ("127.0.0.1", Prefer, None, true),
        ("127.0.0.1", Disable, None, false),
    ] {
        let options = PostgresOptions {
            host: Some(host.to_owned()),
            sslmode: Some(mode),
            root_certificate: root.cloned(),
            connect_timeout_seconds: 3,
            ..options(&server)
        };
        let opened = PostgresMetadataStore::open(&options).await.map(drop);
        assert_eq!(
            opened.is_ok(),
            is_accepted,
            "{mode:?} of {host}: {:?}",
            opened.err().map(|error| error.to_string())
        );
    }
}
