//! Which neighbours of a crowded page are written together.

use std::ops::Range;

use crate::{content::Extent, scale::Scale};

/// Neighbours are taken along beyond need up to this part of a page: writing so little costs about as much as writing
/// less.
const CHEAP_PART: u64 = 8;

/// Bytes that stay as they are, or several neighbours that are written together.
struct Cluster {
    len: u64,
    joined: bool,
}

/// The ranges, counted from `start`, to write as one block each so that the page has half as
/// many extents left as it may have.
///
/// Begins with the two neighbours that are the fewest bytes, and goes on with the smaller one next to them, as long as
/// that one is not larger than all so far: a large one is written again only after as much has come to it. That keeps
/// appending to a log cheap. Starts anew elsewhere if that was not enough.
pub(super) fn join(start: u64, extents: &[Extent], scale: &Scale) -> Vec<Range<u64>> {
    let after = (scale.page_extents as usize / 2).max(1);
    let cheap = scale.page() / CHEAP_PART;
    let one = |extent: &Extent| Cluster { len: u64::from(extent.len()), joined: false };
    let mut clusters: Vec<Cluster> = extents.iter().map(one).collect();
    while clusters.len() > after {
        let Some(mut at) = cheapest_pair(&clusters) else { break };
        merge(&mut clusters, at);
        while let Some(pair) = next_pair(&clusters, at, after, cheap) {
            merge(&mut clusters, pair);
            at = pair;
        }
    }
    let mut end = start;
    let mut out = Vec::new();
    for cluster in clusters {
        let from = end;
        end += cluster.len;
        if cluster.joined {
            out.push(from..end);
        }
    }
    out
}

/// The first of the two neighbours with the least sum.
fn cheapest_pair(clusters: &[Cluster]) -> Option<usize> {
    let sums = clusters.windows(2).map(|pair| pair.iter().map(|cluster| cluster.len).sum::<u64>());
    sums.enumerate().min_by_key(|(_, sum)| *sum).map(|(at, _)| at)
}

/// Returns the first of two neighbours: one is the cluster at an index, the other is to be joined with it.
fn next_pair(clusters: &[Cluster], at: usize, extents_after: usize, cheap: u64) -> Option<usize> {
    let len = clusters.get(at)?.len;
    if clusters.len() <= extents_after && len >= cheap {
        return None;
    }
    let before = at.checked_sub(1).and_then(|before| Some((clusters.get(before)?.len, before)));
    let after = clusters.get(at + 1).map(|after| (after.len, at));
    let (smaller, pair) = before.into_iter().chain(after).min()?;
    (smaller <= len).then_some(pair)
}

fn merge(clusters: &mut Vec<Cluster>, at: usize) {
    let after = clusters.remove(at + 1).len;
    if let Some(cluster) = clusters.get_mut(at) {
        cluster.len += after;
        cluster.joined = true;
    }
}
