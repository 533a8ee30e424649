use std::io::Write;

use super::*;
use crate::config::{Protocols, StoreKinds, load_on};

const GIB: u64 = 1 << 30;

/// The bounds of each share, in bytes, with so much memory.
fn bytes_of(shares: &str, memory: Option<u64>) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "metadata: {{ stores: {{ m: {{ type: memory }}, d: {{ type: redb, redb: {{ path: m }} }} }} }}\n\
         content: {{ stores: {{ m: {{ type: memory }}, n: {{ type: memory }}, d: {{ type: fs, fs: {{ path: c }} }} }} }}\n\
         shares: [{shares}]\n"
    )
    .unwrap();
    let config =
        load_on(Some(folder.path()), Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap();
    config.shares.iter().map(|share| of(share, &config, memory).bytes).collect()
}

#[test]
fn all_shares_in_memory_without_a_quota_have_half_of_it_together() {
    let one = "{ name: /a, metadata_store: m, content_store: m }";
    assert_eq!(bytes_of(one, Some(16 * GIB)), [8 * GIB]);
    let more = format!(
        "{one}, {{ name: /b, metadata_store: m, content_store: n }}, \
         {{ name: /c, metadata_store: m, content_store: m, quota: 3GiB }}, \
         {{ name: /d, metadata_store: d, content_store: d }}, \
         {{ name: /e, metadata_store: m, content_store: n, quota: {{ files: 9 }} }}, \
         {{ name: /f, metadata_store: m, content_store: m }}"
    );
    assert_eq!(bytes_of(&more, Some(16 * GIB)), [2 * GIB, 2 * GIB, 3 * GIB, BYTES_MAX, 2 * GIB, 2 * GIB]);
    assert_eq!(bytes_of(one, None), [BYTES_MAX]);
}
