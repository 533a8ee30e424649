use super::*;
use crate::rpc::AuthStat;

#[test]
fn the_outcome_of_every_kind_of_reply_is_read() {
    let accepted = |stat, first| Outcome::Accepted { stat, first };
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
    assert_eq!(Reply::replay(&kept).outcome(), Outcome::Accepted { stat: 0, first: Some(2) });
    assert_eq!(Reply::replay(b"short").outcome(), Outcome::Denied);
}
