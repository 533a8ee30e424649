use std::{net::SocketAddr, time::Duration};

use dittofs_domain::{ShareId, counters::Latencies};
use dittofs_ports::{
    mocks::{MockBlockCache, MockStatisticsService},
    statistics::{
        Ailing, ConnectionCounts, Measure, MeasureKind, OperationCounts, ProtocolCounts, ShareCounts, StorePart,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

struct OneProtocol;

impl ProtocolStatistics for OneProtocol {
    fn protocol(&self) -> ProtocolCounts {
        let latencies = Latencies::default();
        latencies.note(Duration::from_micros(3));
        let operation = OperationCounts {
            protocol: "nfs3",
            procedure: "GETATTR",
            results: vec![("OK", 0), ("NOENT", 1), ("STALE", 0)],
            latencies: latencies.read(),
        };
        let connections = ConnectionCounts { open: 2, ..ConnectionCounts::default() };
        let own = Measure {
            name: "replies_total",
            help: "Replies.",
            kind: MeasureKind::Counter,
            label: Some("result"),
            samples: vec![("replayed", 6), ("dropped", 0)],
        };
        ProtocolCounts { adapter: "nfs", operations: vec![operation], connections, own: vec![own] }
    }
}

/// One with a metric that the other has too, and one without a label.
struct AnotherProtocol;

impl ProtocolStatistics for AnotherProtocol {
    fn protocol(&self) -> ProtocolCounts {
        let measure = |name, kind, label| Measure { name, help: "Replies.", kind, label, samples: vec![("kept", 8)] };
        let own = vec![
            measure("replies_total", MeasureKind::Counter, Some("result")),
            measure("replies", MeasureKind::Gauge, None),
        ];
        ProtocolCounts { adapter: "line", operations: Vec::new(), connections: ConnectionCounts::default(), own }
    }
}

/// Statistics whose stores answer once a gate is closed.
struct Held {
    inner: MockStatisticsService,
    asked: Arc<tokio::sync::Notify>,
    gate: Arc<tokio::sync::Semaphore>,
}

#[async_trait::async_trait]
impl StatisticsService for Held {
    fn counts(&self) -> Vec<ShareCounts> {
        self.inner.counts()
    }

    async fn ailing(&self, _: ShareId, _: Duration) -> Option<Vec<Ailing>> {
        self.asked.notify_one();
        // It is only ever closed.
        let _ = self.gate.acquire().await;
        Some(Vec::new())
    }
}

fn share(name: &str, id: u64) -> ShareCounts {
    ShareCounts {
        id: ShareId(id),
        name: name.to_owned(),
        unflushed: dittofs_ports::JournalUsage { used: 5, limit: 10 },
        unflushed_files: 1,
        unflushed_age: Duration::from_millis(1_500),
        content_outage: Duration::from_millis(2_500),
        writes_delayed: 0,
        writes_refused: 0,
        flushed_objects: 0,
        flushed_bytes: 0,
        flush_failures: 0,
        garbage_candidates: 0,
        pending_deletes: 0,
        objects_unreferenced: 0,
        objects_deleted: 0,
        repacked_bytes: 0,
        damaged_reads: 3,
        keyless_reads: 4,
        lost_reads: 0,
        recovered_records: 0,
        stored_bytes: 0,
        stored_bytes_max: 0,
    }
}

fn sources(ailing: impl Fn(ShareId) -> Vec<Ailing> + Send + 'static) -> Sources {
    let mut statistics = MockStatisticsService::new();
    statistics.expect_counts().returning(|| vec![share("/one", 1), share("/two", 2)]);
    statistics.expect_ailing().returning(move |share, _| Some(ailing(share)));
    let mut cache = MockBlockCache::new();
    cache.expect_usage().returning(Default::default);
    Sources {
        statistics: Arc::new(statistics),
        protocols: vec![Arc::new(OneProtocol), Arc::new(AnotherProtocol)],
        bounds: Bounds::default(),
        cache: Arc::new(cache),
        disk: None,
    }
}

fn watch(threads: Vec<WatchedThread>) -> Arc<Watch> {
    Watch::new(threads, vec!["/one".to_owned(), "/two".to_owned()])
}

async fn started(watch: &Arc<Watch>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_watch(listener, Arc::clone(watch)));
    address
}

/// Sends a request; the status, and the reply's body.
async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_server_that_starts_says_which_shares_it_waits_for() {
    let watch = watch(Vec::new());
    let address = started(&watch).await;
    let (status, body) = ask(address, "GET", "/readyz").await;
    let expected = "/one: is being opened and recovered\n/two: is being opened and recovered\n";
    assert_eq!((status, body.as_str()), (503, expected));
    watch.share_is_open("/one");
    assert_eq!(ask(address, "GET", "/readyz").await.1, "/two: is being opened and recovered\n");
    let metrics = ask(address, "GET", "/metrics").await.1;
    assert!(metrics.contains("dittofs_share_ready{share=\"/one\"} 1\n"), "{metrics}");
    assert!(metrics.contains("dittofs_share_ready{share=\"/two\"} 0\n"), "{metrics}");
    watch.share_is_open("/two");
    assert_eq!(ask(address, "GET", "/readyz").await, (503, "the server is starting\n".to_owned()));
    assert_eq!(ask(address, "GET", "/healthz").await, (200, "ok\n".to_owned()), "it lives all the while");
    watch.serves(sources(|_| Vec::new()));
    assert_eq!(ask(address, "GET", "/readyz").await, (200, "ok\n".to_owned()));
    watch.stops();
    assert_eq!(ask(address, "GET", "/readyz").await, (503, "the server is stopping\n".to_owned()));
}

#[tokio::test]
async fn a_store_that_does_not_answer_makes_its_share_unready() {
    let watch = watch(Vec::new());
    let address = started(&watch).await;
    watch.serves(sources(|share| match share {
        ShareId(2) => vec![Ailing { part: StorePart::Content, reason: "gone\nfor good".into() }],
        _ => Vec::new(),
    }));
    assert_eq!(ask(address, "GET", "/readyz").await, (503, "/two: content store: gonefor good\n".to_owned()));
    let metrics = ask(address, "GET", "/metrics").await.1;
    assert!(metrics.contains("dittofs_share_ready{share=\"/one\"} 1\n"), "{metrics}");
    assert!(metrics.contains("dittofs_share_ready{share=\"/two\"} 0\n"), "{metrics}");
}

#[tokio::test]
async fn stores_are_asked_once_however_many_want_to_know() {
    let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let watch = watch(Vec::new());
    watch.serves(sources(move |_| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Vec::new()
    }));
    let address = started(&watch).await;
    let questions = (0..10).map(|_| tokio::spawn(ask(address, "GET", "/readyz")));
    for question in questions.collect::<Vec<_>>() {
        assert_eq!(question.await.unwrap().0, 200);
    }
    assert!(asked.load(std::sync::atomic::Ordering::Relaxed) <= 4, "two shares, at most twice");
}

#[tokio::test]
async fn a_thread_that_hangs_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let front = WatchedThread { name: "front-7".into(), runtime: runtime.handle().clone() };
    let this = WatchedThread { name: "back".into(), runtime: Handle::current() };
    let watch = watch(vec![this, front]);
    let address = started(&watch).await;
    let (status, body) = ask(address, "GET", "/healthz").await;
    assert_eq!((status, body.as_str()), (503, "the thread front-7 does not respond\n"));
    // Nobody drives that runtime: it must not be dropped where blocking is forbidden.
    runtime.shutdown_background();
}

/// Whether the peer closes a connection over which nothing was asked, within so long.
async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    matches!(tokio::time::timeout(within, stream.read(&mut [0; 1])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn requests_that_nobody_finishes_keep_nobody_out() {
    let address = started(&watch(Vec::new())).await;
    let mut unfinished = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
        unfinished.push(stream);
    }
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(ask(address, "GET", "/healthz").await.0, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // The oldest made room, and the newest have little time.
    assert!(is_closed(&mut unfinished[0], Duration::from_millis(500)).await);
    assert!(is_closed(&mut unfinished[199], Duration::from_secs(4)).await);
}

#[tokio::test]
async fn slow_answers_of_one_kind_do_not_delay_another_kind() {
    let mut statistics = MockStatisticsService::new();
    statistics.expect_counts().returning(|| vec![share("/one", 1)]);
    let (asked, gate) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
    let (counted, held) = (Arc::clone(&asked), Arc::clone(&gate));
    let watch = watch(Vec::new());
    watch.serves(Sources {
        statistics: Arc::new(Held { inner: statistics, asked: counted, gate: held }),
        ..sources(|_| vec![])
    });
    let address = started(&watch).await;
    let slow: Vec<_> = (0..24).map(|_| tokio::spawn(ask(address, "GET", "/readyz"))).collect();
    asked.notified().await;
    assert_eq!(ask(address, "GET", "/healthz").await.0, 200);
    gate.close();
    let mut statuses = Vec::new();
    for question in slow {
        statuses.push(question.await.unwrap().0);
    }
    assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn only_what_there_is_can_be_read_and_nothing_written() {
    let watch = watch(Vec::new());
    let address = started(&watch).await;
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ask(address, method, "/metrics").await.0, 405, "{method}");
    }
    for path in ["/", "/v1/flush", "/metrics/"] {
        assert_eq!(ask(address, "GET", path).await.0, 404, "{path}");
    }
    assert_eq!(ask(address, "HEAD", "/healthz").await, (200, String::new()));
    let long = format!("/{}", "x".repeat(40 << 10));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {long} HTTP/1.1\r\n\r\n");
    // The server may close before it has read all of it.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    let said = String::from_utf8_lossy(&reply);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
}

#[tokio::test]
async fn results_that_never_came_are_left_out_but_for_success() {
    let watch = watch(Vec::new());
    watch.serves(sources(|_| Vec::new()));
    let address = started(&watch).await;
    let (status, metrics) = ask(address, "GET", "/metrics").await;
    assert_eq!(status, 200);
    let lines: Vec<&str> = metrics.lines().filter(|line| line.starts_with("dittofs_operations_total{")).collect();
    let expected = [
        "dittofs_operations_total{protocol=\"nfs3\",procedure=\"GETATTR\",result=\"OK\"} 0",
        "dittofs_operations_total{protocol=\"nfs3\",procedure=\"GETATTR\",result=\"NOENT\"} 1",
    ];
    assert_eq!(lines, expected);
    for line in [
        "dittofs_operation_duration_seconds_count{protocol=\"nfs3\",procedure=\"GETATTR\"} 1",
        "dittofs_connections{adapter=\"nfs\"} 2",
        "dittofs_request_memory_waiting 0",
        "dittofs_damaged_reads_total{share=\"/one\"} 3",
        "dittofs_keyless_reads_total{share=\"/one\"} 4",
        "dittofs_unflushed_oldest_age_seconds{share=\"/two\"} 1.5",
        "dittofs_content_outage_seconds{share=\"/two\"} 2.5",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is missing: {metrics}");
    }
}

#[tokio::test]
async fn what_only_some_protocols_have_is_shown_once_a_metric() {
    let watch = watch(Vec::new());
    watch.serves(sources(|_| Vec::new()));
    let metrics = ask(started(&watch).await, "GET", "/metrics").await.1;
    let family = "# HELP dittofs_replies_total Replies.\n# TYPE dittofs_replies_total counter\n\
                  dittofs_replies_total{adapter=\"nfs\",result=\"replayed\"} 6\n\
                  dittofs_replies_total{adapter=\"nfs\",result=\"dropped\"} 0\n\
                  dittofs_replies_total{adapter=\"line\",result=\"kept\"} 8\n\
                  # HELP dittofs_replies Replies.\n# TYPE dittofs_replies gauge\n\
                  dittofs_replies{adapter=\"line\"} 8\n";
    assert!(metrics.contains(family), "{metrics}");
}
