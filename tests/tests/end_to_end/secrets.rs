//! No level of the log shows a secret, and no command.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use dittofs_tests::{
    fault_proxy::FaultProxy,
    s3::{S3Server, SECRET_KEY},
};
use rstest::rstest;

use crate::{
    object_store::{configuration, write_file},
    persistence::root_of,
    session::{home, pattern},
};

const MIB: usize = 1 << 20;
/// Every library that the server hands secrets to, or that speaks for it.
const LIBRARIES: [&str; 18] = [
    "opendal",
    "opendal_core",
    "opendal_layer_retry",
    "opendal_service_azblob",
    "opendal_service_azure_common",
    "opendal_service_gcs",
    "opendal_service_s3",
    "reqsign_aws_core",
    "reqsign_aws_v4",
    "reqsign_azure_storage",
    "reqsign_core",
    "reqsign_file_read_tokio",
    "reqsign_google",
    "hyper",
    "hyper_util",
    "hyper_rustls",
    "rustls",
    "log",
];

/// The level at which all of them log all.
fn everything() -> String {
    let named: Vec<String> = LIBRARIES.iter().map(|library| format!("{library}=trace")).collect();
    format!("trace,{}", named.join(","))
}

#[test]
fn every_library_that_gets_secrets_is_listened_to() {
    let packages = include_str!("../../../Cargo.lock").lines().filter_map(|line| line.strip_prefix("name = \""));
    let names = packages.map(|name| name.trim_end_matches('"').replace('-', "_"));
    let handed = names.filter(|name| name.starts_with("opendal") || name.starts_with("reqsign"));
    let missing: Vec<String> = handed.filter(|name| !LIBRARIES.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[rstest]
#[case::text("text")]
#[case::json("json")]
#[tokio::test(flavor = "multi_thread")]
async fn no_level_of_the_log_tells_a_secret(#[case] format: &str) {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let log = format!("log: {{ level: \"{}\", format: {format} }}\n", everything());
    let configuration = configuration(proxy.address(), "compression: none") + &log;
    let home = home(Some(&configuration));
    let server = home.start();
    let mut session = root_of(&server).await;
    write_file(&mut session, "file", &pattern(MIB)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.begin_outage();
    write_file(&mut session, "another", &pattern(100_000)).await;
    server.hang_up();
    for words in [&["share", "list"][..], &["share", "show", "/export"], &["config", "check"]] {
        let output = home.run(words);
        for text in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(SECRET_KEY));
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = home.log();
    assert!(log.contains("credential provider"), "the libraries are not heard");
    assert!(!log.contains(SECRET_KEY));
    proxy.end_outage();
    assert!(server.stop().status.success());
    assert!(!home.log().contains(SECRET_KEY));
}

#[test]
fn a_password_in_an_address_is_shown_by_nobody() {
    let address = TcpStream::connect("127.0.0.1:9").map_or("127.0.0.1:9".to_owned(), |_| "127.0.0.1:1".to_owned());
    let configuration = format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: s3, s3: {{ bucket: b, endpoint: \"http://someone:hunter2@{address}\", \
         credentials: {{ from: keys, access_key_id: a, secret_access_key: hunter3 }}, \
         transfer: {{ retries: 1, timeout_seconds: 2 }} }} }} }} }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c }}]\n\
         log: {{ level: \"{}\" }}\n",
        everything()
    );
    let home = home(Some(&configuration));
    for words in [&["serve", "--nfs", "127.0.0.1:0"][..], &["config", "check"], &["check"], &["share", "list"]] {
        let output = home.run(words);
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("hunter"), "{words:?}: {all}");
        if words[0] == "serve" {
            assert!(!output.status.success() && all.contains("(hidden)@"), "{all}");
        }
    }
}

/// Secrets of the other services, each as it must not be found. None of them opens anything.
const ACCOUNT_KEY: &str = "ZGl0dG9mcyB0ZXN0czogdGhpcyBrZXkgb3BlbnMgbm90aGluZyE=";
const SIGNATURE: &str = "c2lnbmF0dXJlIHRoYXQgb3BlbnMgbm90aGluZyEh";
const PRIVATE_KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDkaXR0b2Zz";
const SUBJECT_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkaXR0b2ZzIn0.bm90aGluZw";

/// The peer at the other end.
#[derive(Clone, Copy, Debug)]
enum Peer {
    /// Nobody.
    Nobody,
    /// One who refuses everything, and quotes the address that it was asked for, as many proxies do.
    Quoting,
}

/// Starts it. It ends with the test's process.
fn start(peer: Peer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    if let Peer::Quoting = peer {
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| quote(stream).unwrap_or_default()));
    }
    address
}

fn quote(stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let asked = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    let body = format!("<html>cannot do {asked}</html>");
    let (mut stream, length) = (stream, body.len());
    write!(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// A content store with a secret, and the secret.
fn store_with(service: &str, address: SocketAddr, folder: &Path) -> (String, &'static str) {
    const TRANSFER: &str = "transfer: { retries: 1, timeout_seconds: 2 }";
    let azblob = |credentials: String| {
        let place = format!("container: c, account: a, endpoint: \"http://{address}/a\"");
        format!("{{ type: azblob, azblob: {{ {place}, credentials: {{ {credentials} }}, {TRANSFER} }} }}")
    };
    let gcs = |json: serde_json::Value| {
        let file = folder.join("credentials.json");
        fs::write(&file, json.to_string()).unwrap();
        let credentials = format!("from: file, path: \"{}\"", file.display());
        let place = format!("bucket: b, endpoint: \"http://{address}\"");
        format!("{{ type: gcs, gcs: {{ {place}, credentials: {{ {credentials} }}, {TRANSFER} }} }}")
    };
    match service {
        "account key" => (azblob(format!("from: key, account_key: \"{ACCOUNT_KEY}\"")), ACCOUNT_KEY),
        "signature" => {
            let token = format!("sv=2021-12-02&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00:00:00Z&sig={SIGNATURE}%3D");
            (azblob(format!("from: sas, sas_token: \"{token}\"")), SIGNATURE)
        }
        // The key is none, so that nobody is asked to change it for a token.
        "service account" => {
            let key = format!("-----BEGIN PRIVATE KEY-----\n{PRIVATE_KEY}\n-----END PRIVATE KEY-----\n");
            let json = serde_json::json!({
                "type": "service_account", "project_id": "p", "private_key_id": "i", "private_key": key,
                "client_email": "a@p.iam.gserviceaccount.com", "token_uri": format!("http://{address}/token"),
            });
            (gcs(json), PRIVATE_KEY)
        }
        "external account" => {
            let token = folder.join("token");
            fs::write(&token, SUBJECT_TOKEN).unwrap();
            let json = serde_json::json!({
                "type": "external_account", "audience": "//iam.googleapis.com/x",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": format!("http://{address}/token"),
                "credential_source": {"file": token, "format": {"type": "text"}},
            });
            (gcs(json), SUBJECT_TOKEN)
        }
        other => panic!("{other}"),
    }
}

#[rstest]
fn no_level_of_the_log_tells_a_secret_of_another_service(
    #[values("account key", "signature", "service account", "external account")] service: &str,
    #[values(Peer::Nobody, Peer::Quoting)] peer: Peer,
) {
    let address = start(peer);
    let all = everything();
    for level in ["error", "warn", "info", "debug", "trace", all.as_str()] {
        let home = home(None);
        let (store, secret) = store_with(service, address, home.path());
        home.configure(&format!(
            "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
             content: {{ stores: {{ c: {store} }} }}\n\
             shares: [{{ name: /export, metadata_store: m, content_store: c }}]\n\
             log: {{ level: \"{level}\" }}\n"
        ));
        for words in [&["serve", "--nfs", "127.0.0.1:0"][..], &["config", "check"], &["check"], &["share", "list"]] {
            let output = home.run(words);
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(secret), "{level}: {words:?}: {text}");
            if words[0] == "serve" {
                assert!(!output.status.success() && text.contains("can't be opened"), "{text}");
                assert!(level != all || text.contains("credential provider"), "the libraries are not heard: {text}");
            }
        }
    }
}
