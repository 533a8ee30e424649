use bytes::Bytes;

use super::*;
use crate::nlm4::program::tests::manager;

fn host(last: u8, name: &'static str) -> Host {
    Host { address: [192, 0, 2, last].into(), name: Bytes::from_static(name.as_bytes()) }
}

#[test]
fn an_announcement_is_known_again_under_either_name_for_a_while() {
    let (monitor, now) = (Nsm1::new(manager()), Instant::now());
    assert!(monitor.is_news(&host(1, "pc.example.org"), 5, now));
    monitor.note(host(1, "pc.example.org"), 5, now);
    for name in ["pc.example.org", "pc", "PC"] {
        assert!(!monitor.is_news(&host(1, name), 5, now), "{name}");
        assert!(monitor.is_news(&host(1, name), 7, now), "{name}: another life");
    }
    assert!(monitor.is_news(&host(2, "pc"), 5, now) && monitor.is_news(&host(1, "other"), 5, now));
    // A client without a disk counts its lives anew.
    assert!(monitor.is_news(&host(1, "pc"), 5, now + ANNOUNCED_FOR));
}

#[test]
fn one_network_does_not_push_out_what_others_have_announced() {
    let (monitor, now) = (Nsm1::new(manager()), Instant::now());
    monitor.note(host(1, "pc"), 5, now);
    for state in 0..100 {
        monitor.note(host(2, "noisy"), state, now);
    }
    assert!(!monitor.is_news(&host(1, "pc"), 5, now));
    assert_eq!(monitor.announced.lock().len(), 1 + ANNOUNCED_OF_NETWORK_MAX);
    assert!(monitor.is_news(&host(2, "noisy"), 0, now) && !monitor.is_news(&host(2, "noisy"), 99, now));
}
