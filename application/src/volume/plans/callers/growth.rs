//! Plans that may make something, and wait for room.

use dittofs_domain::{
    OpId,
    error::{FsError, FsResult},
    plan::{Plan, Query, View},
    quota::Verdict,
};

use super::PlansOf;
use crate::volume::plans::Named;

impl PlansOf<'_> {
    /// [`PlansOf::run_named`] for what may make something: waits for what a flush or the reaper may free of the quota.
    pub(in crate::volume) async fn run_growing<T: Send>(
        self,
        query: Query,
        op: Option<OpId>,
        mut decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<Named<T>> {
        let plans = self.plans;
        let until = plans.share.monotonic() + plans.write_back.admission().patience();
        loop {
            let room = plans.write_back.room();
            let (mut claim, mut verdict) = (None, Verdict::Fits);
            let outcome = self
                .run_named(query.clone(), op, |view| {
                    let (plan, value) = decide(view)?;
                    // That of an attempt that met somebody else's change.
                    drop(claim.take());
                    claim = plans.claim_plan(&plan).map_err(|refused| {
                        verdict = refused;
                        FsError::NoSpace
                    })?;
                    Ok((plan, value))
                })
                .await;
            drop(claim);
            if outcome.is_ok() || verdict != Verdict::Wait {
                return outcome;
            }
            plans.make_quota_known();
            plans.write_back.wait_for_room(room, until).await?;
        }
    }
}
