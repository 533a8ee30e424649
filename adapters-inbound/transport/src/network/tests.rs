use super::*;

fn network(address: &str) -> ClientNetwork {
    ClientNetwork::of(address.parse().unwrap())
}

#[test]
fn an_address_of_ipv4_is_one_client_also_where_it_is_mapped() {
    assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    assert_ne!(network("::ffff:192.0.2.1"), network("::ffff:192.0.2.2"));
    assert_ne!(network("192.0.2.1"), network("::192.0.2.1"));
}

#[test]
fn all_addresses_of_ipv6_that_one_machine_may_have_are_one_client() {
    assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
}
