use super::*;

fn lines(address: &str, options: &SmbOptions, share: &str) -> [String; 3] {
    commands(address.parse().unwrap(), options, (share, false)).try_into().unwrap()
}

#[test]
fn another_port_is_named_and_windows_is_told_who_can_use_it() {
    let [linux, macos, windows] = lines("127.0.0.1:12445", &SmbOptions::default(), "export");
    assert_eq!(linux, "mount -t cifs -o port=12445,sign,username=USER,nosuid,nodev //127.0.0.1/export /mnt");
    assert_eq!(macos, "macOS: mount_smbfs //USER@127.0.0.1:12445/export /private/mnt");
    assert!(windows.starts_with("Windows 11 24H2"), "{windows}");
    assert!(windows.contains(r"net use X: \\127.0.0.1\export /user:USER /tcpport:12445"), "{windows}");
    assert!(windows.contains("older versions connect to port 445 only"), "{windows}");
}

#[test]
fn the_usual_port_is_left_out() {
    let [linux, macos, windows] = lines("0.0.0.0:445", &SmbOptions::default(), "export");
    assert_eq!(linux, "mount -t cifs -o sign,username=USER,nosuid,nodev //SERVER/export /mnt");
    assert_eq!(macos, "macOS: mount_smbfs //USER@SERVER/export /private/mnt");
    assert_eq!(windows, r"Windows: net use X: \\SERVER\export /user:USER");
}

#[test]
fn linux_is_told_to_demand_what_the_server_does() {
    let with = |signing_required, encryption, dialect_max| {
        let options = SmbOptions { signing_required, encryption, dialect_max, ..SmbOptions::default() };
        lines("192.0.2.1:445", &options, "e").into_iter().next().unwrap()
    };
    assert!(with(true, Encryption::Required, 0x0311).contains("-o seal,username"));
    assert!(with(false, Encryption::Offered, 0x0311).contains("-o username"));
    assert!(with(true, Encryption::Off, 0x0202).contains("-o vers=2.0,sign,username"));
    let of_share = commands("192.0.2.1:445".parse().unwrap(), &SmbOptions::default(), ("e", true));
    assert!(of_share[0].contains("-o seal,username"), "a share demands more than its server: {of_share:?}");
}

#[test]
fn addresses_and_names_are_written_as_each_system_reads_them() {
    let [linux, macos, windows] = lines("[2001:db8::7]:445", &SmbOptions::default(), "Bob's files 100%");
    assert!(linux.ends_with(r"'//2001:db8::7/Bob'\''s files 100%' /mnt"), "{linux}");
    assert!(macos.contains("//USER@[2001:db8::7]/Bob%27s%20files%20100%25 "), "{macos}");
    assert!(windows.contains(r#""\\2001-db8--7.ipv6-literal.net\Bob's files 100%""#), "{windows}");
}
