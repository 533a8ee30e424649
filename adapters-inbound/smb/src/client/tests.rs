use super::*;

const GUID: Guid = Guid([7; 16]);

#[test]
fn sessions_of_one_guid_are_one_client_until_the_last_leaves() {
    let clients = Clients::default();
    let (first, second) = (clients.enter(GUID), clients.enter(GUID));
    assert_eq!(first.id(), second.id());
    assert_ne!(clients.enter(Guid([8; 16])).id(), first.id());
    assert!(!clients.leave(&first));
    assert!(clients.leave(&second));
    assert_ne!(clients.enter(GUID).id(), first.id(), "a number is never given twice");
}

#[test]
fn who_has_no_guid_is_alone() {
    let clients = Clients::default();
    let (first, second) = (clients.enter(Guid::default()), clients.enter(Guid::default()));
    assert_ne!(first.id(), second.id());
    assert!(clients.leave(&first));
    assert!(clients.leave(&second));
}
