use super::*;

fn options() -> NfsOptions {
    NfsOptions { listen: ([127, 0, 0, 1], 0).into(), ..NfsOptions::default() }
}

#[tokio::test]
async fn a_port_that_is_taken_is_reported_with_its_option() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let refused = |options: NfsOptions| async move { Nfs::bind(&options).await.err().unwrap().to_string() };
    let said = refused(NfsOptions { listen: address, ..options() }).await;
    assert!(said.contains(&address.to_string()) && said.contains("adapters.nfs.listen or --nfs"), "{said}");
    let said = refused(NfsOptions { portmap: Some(address), ..options() }).await;
    assert!(said.contains("adapters.nfs.portmap"), "{said}");
}

#[tokio::test]
async fn the_time_to_drain_changes_at_once_and_all_else_needs_a_restart() {
    let nfs = Nfs::bind(&options()).await.unwrap();
    let mut newer = options();
    assert!(nfs.reload(&newer).is_empty());
    newer.limits.drain = Duration::from_secs(3);
    assert!(nfs.reload(&newer).is_empty());
    assert_eq!(*nfs.drain.lock(), Duration::from_secs(3));
    newer.portmap = Some(newer.listen);
    newer.limits.in_flight += 1;
    newer.limits.stall *= 2;
    assert_eq!(nfs.reload(&newer), ["portmap", "limits.in_flight", "limits.stall_seconds"]);
}
