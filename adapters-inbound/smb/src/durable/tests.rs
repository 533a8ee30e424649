use dittofs_domain::{Credentials, users::UserName};
use dittofs_smb_wire::NtStatus;

use super::*;
use crate::open::tests::pipe;

fn detached(persistent: u64) -> Detached {
    let user = User { name: UserName::new("alice").unwrap(), credentials: Credentials::root() };
    Detached { open: Arc::new(pipe(persistent)), user }
}

fn fits(_: &Detached) -> Result<(), NtStatus> {
    Ok(())
}

#[test]
fn only_so_many_wait() {
    let opens = DetachedOpens::default();
    assert!(opens.add(detached(1), 2));
    assert!(opens.add(detached(2), 2));
    assert!(!opens.add(detached(3), 2));
    assert!(opens.take(1, fits).unwrap().is_some());
    assert!(opens.add(detached(3), 2));
}

#[test]
fn one_that_does_not_fit_goes_on_waiting() {
    let opens = DetachedOpens::default();
    assert!(opens.add(detached(1), 9));
    let refuses = |_: &Detached| Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(opens.take(1, refuses).err(), Some(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert!(opens.take(2, refuses).unwrap().is_none());
    assert_eq!(opens.take(1, fits).unwrap().unwrap().open.id.persistent, 1);
    assert!(opens.take(1, fits).unwrap().is_none(), "it is given back once");
}

#[test]
fn what_was_given_back_meanwhile_is_not_closed() {
    let opens = DetachedOpens::default();
    let (former, later) = (detached(1), detached(1));
    assert!(opens.add(later.clone(), 9));
    assert!(opens.take_this(&former.open).is_none());
    assert!(!opens.has(&former.open));
    assert!(opens.has(&later.open));
    assert!(opens.take_this(&later.open).is_some());
}
