//! The index of folded names: that it has each entry whose folded name is another one.

use dittofs_domain::{
    NodeId,
    check::judge_folded,
    error::FsResult,
    plan::{EntryKey, Query, Space},
};
use dittofs_ports::Listed;

use super::Checker;

/// Names of one view: each brings up to eight entries with their nodes.
const NAMES: usize = 128;

impl Checker<'_> {
    /// Looks some entries of a directory up as callers do that ignore case. Entry and index are of one instant, so
    /// there is nothing to be confirmed. Damaged rows are reported elsewhere.
    pub(super) async fn scan_folded(&mut self, directory: NodeId, space: Space, listed: &[Listed]) -> FsResult<()> {
        let Some(table) = self.subject.record.folding else { return Ok(()) };
        let others = listed.iter().filter(|listed| table.fold(&listed.name).is_some());
        let keys = others.map(|listed| EntryKey { directory, space, name: listed.name.clone() });
        let keys: Vec<EntryKey> = keys.collect();
        for keys in keys.chunks(NAMES) {
            let query = Query { entries: keys.into(), ..Query::default() }.in_any_case();
            let Some(view) = self.subject.try_view(&query).await? else { continue };
            for ((key, found), folded) in keys.iter().zip(&view.entries).zip(&view.folded) {
                let finding = found.as_ref().and_then(|found| judge_folded(key, found, folded));
                finding.into_iter().for_each(|finding| _ = self.outcome.find(finding));
            }
        }
        Ok(())
    }
}
