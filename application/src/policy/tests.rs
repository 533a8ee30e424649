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
        ("::ffff:192.0.2.0", 120, "192.0.2.7", true),
        ("::ffff:192.0.2.0", 120, "::ffff:192.0.2.7", true),
        ("::ffff:192.0.2.0", 120, "192.0.3.7", false),
        ("::ffff:192.0.2.7", 128, "192.0.2.7", true),
        ("::ffff:192.0.2.7", 128, "192.0.2.6", false),
        ("::ffff:0:0", 96, "203.0.113.9", true),
        ("::ffff:0:0", 96, "2001:db8::1", false),
        // A shorter prefix is a network of IPv6, in which mapped addresses are not.
        ("::", 80, "203.0.113.9", false),
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

#[test]
fn secure_ports_are_those_of_root() {
    let policy = |secure_ports| SharePolicy {
        short_name: "export".to_owned(),
        requires_encryption: false,
        clients: Vec::new(),
        secure_ports,
        identity: IdentityPolicy::default(),
        access: AccessList::Everybody,
        read_only: false,
        quota: dittofs_domain::quota::Quota::NONE,
        atime: Atime::None,
    };
    let taken = |secure| [1, 1023, 1024, 65_535].map(|port| policy(secure).takes_port(port));
    assert_eq!(taken(true), [true, true, false, false]);
    assert_eq!(taken(false), [true; 4]);
}

#[test]
fn a_share_that_refuses_changes_lets_every_user_read_at_most() {
    let alice = UserName::new("alice").unwrap();
    let permitted = |access: AccessList, read_only| {
        let policy = SharePolicy {
            short_name: "export".to_owned(),
            requires_encryption: false,
            clients: Vec::new(),
            secure_ports: true,
            identity: IdentityPolicy::default(),
            access,
            read_only,
            quota: dittofs_domain::quota::Quota::NONE,
            atime: Atime::None,
        };
        policy.permitted(&alice, &Credentials::user(1, 1))
    };
    let listed = |users: &[(UserName, Permitted)]| AccessList::Listed {
        users: users.iter().cloned().collect(),
        groups: [(7, Permitted::Write)].into_iter().collect(),
    };
    assert_eq!(permitted(AccessList::Everybody, false), Permitted::Write);
    assert_eq!(permitted(AccessList::Everybody, true), Permitted::Read);
    assert_eq!(permitted(listed(&[(alice.clone(), Permitted::Write)]), true), Permitted::Read);
    assert_eq!(permitted(listed(&[]), true), Permitted::None);
}
