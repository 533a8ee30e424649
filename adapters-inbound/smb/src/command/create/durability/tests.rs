use dittofs_domain::ClientId;
use dittofs_smb_wire::create::{Lease, LeaseFlags, LeaseState};
use rstest::rstest;

use super::*;

const GUID: Guid = Guid([5; 16]);
const ID: FileId = FileId { persistent: 1, volatile: 2 };
const DHNQ: RequestContext = RequestContext::DurableRequest;
const DHNC: RequestContext = RequestContext::DurableReconnect(ID);
const MXAC: RequestContext = RequestContext::QueryMaximalAccess(None);

fn dh2q(timeout_ms: u32) -> RequestContext {
    RequestContext::DurableRequestV2 { timeout_ms, flags: DurableFlags::empty(), create_guid: GUID }
}

fn dh2c() -> RequestContext {
    RequestContext::DurableReconnectV2 { file_id: ID, create_guid: GUID, flags: DurableFlags::empty() }
}

fn lease() -> RequestContext {
    RequestContext::Lease(Lease {
        key: Default::default(),
        state: LeaseState::empty(),
        flags: LeaseFlags::empty(),
        version_2: None,
    })
}

fn read(contexts: &[RequestContext]) -> Durability {
    let mut durability = Durability::default();
    contexts.iter().for_each(|context| durability.read(context).unwrap());
    durability
}

#[rstest]
#[case(&[DHNQ, dh2q(0)], Err(NtStatus::INVALID_PARAMETER))]
#[case(&[DHNQ, MXAC], Ok(false))]
#[case(&[DHNC], Ok(true))]
#[case(&[DHNC, DHNQ, lease()], Ok(true))]
#[case(&[DHNC, dh2q(0)], Err(NtStatus::INVALID_PARAMETER))]
#[case(&[DHNC, MXAC], Err(NtStatus::OBJECT_NAME_NOT_FOUND))]
#[case(&[dh2c(), lease()], Ok(true))]
#[case(&[dh2c(), DHNQ], Err(NtStatus::INVALID_PARAMETER))]
#[case(&[dh2c(), dh2q(0)], Err(NtStatus::INVALID_PARAMETER))]
#[case(&[dh2c(), MXAC], Err(NtStatus::OBJECT_NAME_NOT_FOUND))]
fn contexts_that_go_together(#[case] contexts: &[RequestContext], #[case] expected: Result<bool, NtStatus>) {
    assert_eq!(read(contexts).wanted_reconnect().map(|reconnect| reconnect.is_some()), expected);
}

#[test]
fn both_reconnects_exclude_each_other() {
    let mut durability = read(&[DHNC]);
    assert_eq!(durability.read(&dh2c()), Err(NtStatus::INVALID_PARAMETER));
}

fn held(form: LeaseForm, rights: Rights) -> (LeaseKey, LeaseGrant) {
    (LeaseKey { client: ClientId::Smb(1), form, id: 1 }, LeaseGrant { rights, epoch: 1, breaking: false })
}

#[rstest]
#[case(LeaseForm::Oplock, Rights::all(), true)]
#[case(LeaseForm::Oplock, Rights::READ | Rights::WRITE, false)]
#[case(LeaseForm::Oplock, Rights::READ, false)]
#[case(LeaseForm::Lease, Rights::READ | Rights::HANDLE, true)]
#[case(LeaseForm::Lease, Rights::READ | Rights::WRITE, false)]
fn who_may_keep_handles_gets_a_durable_one(#[case] form: LeaseForm, #[case] rights: Rights, #[case] expected: bool) {
    for asked in [DHNQ, dh2q(0)] {
        let granted = read(&[asked]).granted(Some(&held(form, rights)), false);
        assert_eq!(granted.is_some(), expected);
    }
    assert_eq!(read(&[DHNQ]).granted(Some(&held(form, rights)), true), None, "a directory");
    assert_eq!(read(&[]).granted(Some(&held(form, rights)), false), None, "nobody asked");
    assert_eq!(read(&[DHNQ]).granted(None, false), None);
}

#[rstest]
#[case(0, DEFAULT_MS)]
#[case(7, 7)]
#[case(u32::MAX, TIMEOUT_MS_MAX)]
fn time_out_is_bounded(#[case] asked: u32, #[case] expected: u32) {
    let lease = held(LeaseForm::Oplock, Rights::all());
    let granted = read(&[dh2q(asked)]).granted(Some(&lease), false).unwrap();
    assert_eq!(granted, Durable { create_guid: Some(GUID), timeout_ms: expected });
}
