use super::*;

fn network(text: &str, prefix: u8) -> Network {
    Network::new(text.parse().unwrap(), prefix).unwrap()
}

#[test]
fn a_network_holds_what_shares_its_prefix() {
    let cases = [
        ("127.0.0.0", 8, "127.9.9.9", true),
        ("127.0.0.0", 8, "128.0.0.1", false),
        ("0.0.0.0", 0, "203.0.113.9", true),
        ("::", 0, "203.0.113.9", false),
        ("127.0.0.0", 8, "::ffff:127.0.0.1", true),
        ("::1", 128, "::1", true),
        ("::1", 128, "::2", false),
        ("192.0.2.7", 32, "192.0.2.7", true),
        ("192.0.2.7", 32, "192.0.2.6", false),
    ];
    for (net, prefix, address, inside) in cases {
        assert_eq!(network(net, prefix).contains(address.parse().unwrap()), inside, "{net}/{prefix} {address}");
    }
}

#[test]
fn a_prefix_longer_than_the_address_is_refused() {
    assert_eq!(Network::new("127.0.0.1".parse().unwrap(), 33), None);
    assert_eq!(Network::new("::1".parse().unwrap(), 129), None);
}
