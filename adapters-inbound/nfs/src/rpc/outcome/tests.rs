use super::*;
use crate::rpc::AuthStat;

#[test]
fn the_outcome_of_every_kind_of_reply_is_read() {
    let accepted = |stat, first| Outcome::Accepted { stat, first, behind_cookie: None };
    for (reply, outcome) in [
        (Reply::silence(), Outcome::Silence),
        (Reply::success(&()), accepted(0, None)),
        (Reply::success(&70u32), accepted(0, Some(70))),
        (Reply::prog_unavail(), accepted(1, None)),
        (Reply::proc_unavail(), accepted(3, None)),
        (Reply::garbage_args(), accepted(4, None)),
        (Reply::rpc_mismatch(), Outcome::Denied),
        (Reply::auth_error(AuthStat::BadCred), Outcome::Denied),
    ] {
        assert_eq!(reply.outcome(), outcome, "{reply:?}");
    }
    assert!(matches!(Reply::prog_mismatch(3, 3).outcome(), Outcome::Accepted { stat: 2, .. }));
}

#[test]
fn a_reply_that_was_kept_says_the_same() {
    let kept = Reply::success(&2u32).to_bytes().unwrap();
    assert_eq!(Reply::replay(&kept).outcome(), Outcome::Accepted { stat: 0, first: Some(2), behind_cookie: None });
    assert_eq!(Reply::replay(b"short").outcome(), Outcome::Denied);
}

#[test]
fn a_status_is_found_behind_a_cookie_of_any_length() {
    for length in 0..=9u32 {
        let words = [length].into_iter().chain(vec![u32::MAX; length.div_ceil(4) as usize]).chain([3, 9]);
        let reply =
            Reply::success_with(64, |encoder| words.for_each(|word| dittofs_xdr::Encode::encode(&word, encoder)));
        assert_eq!(reply.outcome().status(Status::BehindCookie), Some(3), "{length}");
        assert_eq!(reply.outcome().status(Status::First), Some(length));
        assert_eq!(reply.outcome().status(Status::None), None);
    }
    assert_eq!(Reply::success(&u32::MAX).outcome().status(Status::BehindCookie), None);
    assert_eq!(Reply::garbage_args().outcome().status(Status::BehindCookie), None);
}
