//! The index of folded names: that it has each entry whose folded name is another one.

use dittofs_domain::{
    NodeId,
    check::{Finding, judge_folded},
    error::FsResult,
    plan::{EntryKey, Query, Space},
};
use dittofs_ports::Listed;

use super::Subject;

/// Names of one view: each brings up to eight entries with their nodes.
const NAMES: usize = 128;

impl Subject<'_> {
    /// Looks some entries of a directory up as callers do that ignore case; answers which of them are not found. Entry
    /// and index are of one instant, so there is nothing to be confirmed. Damaged rows are reported elsewhere.
    pub(super) async fn unfolded(&self, directory: NodeId, space: Space, listed: &[Listed]) -> FsResult<Vec<Finding>> {
        let mut findings = Vec::new();
        let Some(table) = self.record.folding else { return Ok(findings) };
        let others = listed.iter().filter(|listed| table.fold(&listed.name).is_some());
        let keys = others.map(|listed| EntryKey { directory, space, name: listed.name.clone() });
        let keys: Vec<EntryKey> = keys.collect();
        for keys in keys.chunks(NAMES) {
            let query = Query { entries: keys.into(), ..Query::default() }.in_any_case();
            let Some(view) = self.try_view(&query).await? else { continue };
            let found = keys.iter().zip(&view.entries).zip(&view.folded);
            findings.extend(found.filter_map(|((key, found), folded)| judge_folded(key, found.as_ref()?, folded)));
        }
        Ok(findings)
    }
}
