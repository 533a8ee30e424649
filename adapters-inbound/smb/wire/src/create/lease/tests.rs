use super::*;

#[test]
fn version_1_has_32_bytes() {
    let mut data = vec![7; 16];
    data.extend_from_slice(&[5, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let lease = Lease {
        key: LeaseKey([7; 16]),
        state: LeaseState::READ_CACHING | LeaseState::WRITE_CACHING,
        flags: LeaseFlags::BREAK_IN_PROGRESS,
        version_2: None,
    };
    assert_eq!(Lease::decode(&data), Ok(lease));
    assert_eq!(lease.encode(), data);
}

#[test]
fn version_2_has_52_bytes() {
    let mut data = vec![7; 16];
    data.extend_from_slice(&[3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    data.extend_from_slice(&[8; 16]);
    data.extend_from_slice(&[0x34, 0x12, 0, 0]);
    let lease = Lease {
        key: LeaseKey([7; 16]),
        state: LeaseState::READ_CACHING | LeaseState::HANDLE_CACHING,
        flags: LeaseFlags::PARENT_LEASE_KEY_SET,
        version_2: Some(LeaseVersion2 { parent_key: LeaseKey([8; 16]), epoch: 0x1234 }),
    };
    assert_eq!(Lease::decode(&data), Ok(lease));
    assert_eq!(lease.encode(), data);
}

#[test]
fn other_lengths_are_malformed() {
    for length in (0..80).filter(|length| ![32, 52].contains(length)) {
        assert_eq!(Lease::decode(&vec![0; length]), Err(Malformed), "{length} bytes");
    }
}
