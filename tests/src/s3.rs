//! An S3 server in this process, on a folder, over HTTP on the loopback; or the one whose address `S3_SERVER` says, which
//! has the bucket and the key of this module, as tests/garage/run.sh starts it.

mod unconditional;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use dittofs_object_store::{S3Credentials, S3Options, Secret, TransferOptions};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::{Mutex, oneshot},
};

use crate::bucket;
use unconditional::Unconditional;

/// The id of the key that it knows.
pub const ACCESS_KEY: &str = "GKd177f0fa1b2c3d4e5f607182";
/// That key.
pub const SECRET_KEY: &str = "c0ffee0f5d177f0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778ab";
/// The bucket that it has.
pub const BUCKET: &str = "files";

/// A running server, which ends with this value; its folder goes with the last copy of it.
pub struct S3Server {
    address: SocketAddr,
    /// None: it is not ours.
    folder: Option<Arc<TempDir>>,
    /// Whether it looks at the conditions of puts.
    is_conditional: bool,
    puts: Puts,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl S3Server {
    /// One with an empty bucket.
    pub fn start() -> S3Server {
        if let Some(address) = external() {
            let puts = Puts::default();
            return S3Server { address, folder: None, is_conditional: true, puts, stop: None, thread: None };
        }
        S3Server::in_process(true)
    }

    /// One in this process that does not look at the conditions of puts, with an empty bucket.
    pub fn without_conditions() -> S3Server {
        S3Server::in_process(false)
    }

    fn in_process(is_conditional: bool) -> S3Server {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        S3Server::on(Arc::new(folder), SocketAddr::from(([127, 0, 0, 1], 0)), is_conditional)
    }

    /// Ends it, and starts another one on the same folder and address.
    pub fn restart(mut self) -> S3Server {
        self.end();
        S3Server::on(Arc::clone(self.folder()), self.address, self.is_conditional)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its objects, as files.
    pub fn bucket(&self) -> PathBuf {
        self.folder().path().join(BUCKET)
    }

    /// Returns the puts by requests that make an object, or begin an upload of one in parts: `METHOD /PATH?QUERY`, with
    /// the type of the content that they gave.
    pub fn puts(&self) -> Vec<(String, Option<String>)> {
        // Without the server in this process nothing is seen.
        let _ours = self.folder();
        self.puts.lock().unwrap().clone()
    }

    fn folder(&self) -> &Arc<TempDir> {
        self.folder.as_ref().expect("this test needs the server in its process: leave S3_SERVER out")
    }

    /// The files of its bucket that hold objects of shares, with their lengths.
    pub fn objects(&self) -> Vec<(PathBuf, u64)> {
        let mut found = Vec::new();
        collect(&self.bucket(), &mut found);
        found.retain(|(path, _)| path.file_name().is_some_and(|name| name.len() == 32));
        found.sort();
        found
    }

    fn on(folder: Arc<TempDir>, address: SocketAddr, is_conditional: bool) -> S3Server {
        let (stop, stopped) = oneshot::channel();
        let (listening, address_of) = std::sync::mpsc::channel();
        let (root, puts) = (folder.path().to_owned(), Puts::default());
        let seen = Arc::clone(&puts);
        // A runtime of its own: the tests' may have its time paused.
        let thread = thread::spawn(move || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = listen(address).await;
                listening.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! { () = serve(&root, listener, is_conditional, &seen) => {}, _ = stopped => {} }
            });
            runtime.shutdown_background();
        });
        let address = address_of.recv().unwrap();
        S3Server { address, folder: Some(folder), is_conditional, puts, stop: Some(stop), thread: Some(thread) }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The puts that came, each by what it asked for, with the type of its content.
type Puts = Arc<std::sync::Mutex<Vec<(String, Option<String>)>>>;

/// The server that is to be used instead of one in this process.
fn external() -> Option<SocketAddr> {
    bucket::external().map(|(_, address)| address)
}

/// A prefix which a server for all tests keeps apart from those of other processes.
pub(crate) fn prefix(prefix: &str) -> String {
    let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    static RUN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    match external() {
        None => prefix.to_owned(),
        Some(_) => format!("{}/{prefix}", RUN.get_or_init(|| format!("{}-{started}", std::process::id()))),
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

async fn serve(root: &Path, listener: TcpListener, is_conditional: bool, puts: &Puts) {
    let files = FileSystem::new(root).unwrap();
    let mut service = match is_conditional {
        true => S3ServiceBuilder::new(files),
        false => S3ServiceBuilder::new(Unconditional(files)),
    };
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let one_by_one = Arc::new(Mutex::new(()));
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (service, one_by_one, root) = (service.clone(), Arc::clone(&one_by_one), root.to_owned());
        let puts = Arc::clone(puts);
        let answer = service_fn(move |request: Request<Incoming>| {
            note_put(&request, &puts);
            let (service, one_by_one) = (service.clone(), Arc::clone(&one_by_one));
            let bucket = request.uri().path().split('/').nth(1).unwrap_or_default();
            let is_there = root.join(bucket).is_dir();
            async move {
                // It would make a bucket that something is put into.
                if !is_there {
                    return Ok(no_such_bucket());
                }
                // A folder can't look and write in one step, as S3 does.
                let is_condition = |name| request.headers().contains_key(name);
                let is_conditional = is_condition(header::IF_NONE_MATCH) || is_condition(header::IF_MATCH);
                let _only_one = if is_conditional { Some(one_by_one.lock().await) } else { None };
                service.call(request.map(s3s::Body::from)).await
            }
        });
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            // A client may leave in the middle of something.
            let _ = connection.serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

/// Notes what makes an object; parts of one have no type of their own.
fn note_put(request: &Request<Incoming>, puts: &Puts) {
    let query = request.uri().query().unwrap_or_default();
    let makes_one = match *request.method() {
        Method::PUT => !query.contains("partNumber="),
        Method::POST => query.split('&').any(|part| part.trim_end_matches('=') == "uploads"),
        _ => false,
    };
    if makes_one {
        let named = request.headers().get(header::CONTENT_TYPE);
        let named = named.map(|named| named.to_str().unwrap_or_default().to_owned());
        puts.lock().unwrap().push((format!("{} {}", request.method(), request.uri()), named));
    }
}

fn no_such_bucket() -> Response<s3s::Body> {
    let body = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>none</Message></Error>";
    let mut answer = Response::new(s3s::Body::from(body.to_owned()));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), found);
        } else {
            found.push((entry.path(), entry.metadata().unwrap().len()));
        }
    }
}

/// The options of a content store there, or at a proxy before it, as the configuration takes them.
pub fn options(address: SocketAddr, under: &str) -> String {
    let prefix = prefix(under);
    format!(
        "{{ bucket: {BUCKET}, endpoint: \"http://{address}\", prefix: {prefix}, \
         credentials: {{ from: keys, access_key_id: {ACCESS_KEY}, secret_access_key: {SECRET_KEY} }}, \
         transfer: {{ timeout_seconds: 3, retries: 3, retry_delay_seconds_max: 1 }} }}"
    )
}

/// The same as the adapter takes them.
pub fn store_options(address: SocketAddr) -> S3Options {
    S3Options {
        bucket: BUCKET.into(),
        region: "us-east-1".into(),
        endpoint: Some(format!("http://{address}")),
        prefix: prefix("a/prefix"),
        addressing: None,
        credentials: S3Credentials::Keys {
            access_key_id: ACCESS_KEY.into(),
            secret_access_key: Secret::new(SECRET_KEY),
        },
        checksum: Default::default(),
        transfer: TransferOptions::default(),
    }
}
