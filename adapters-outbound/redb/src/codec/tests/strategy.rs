//! Records of any content.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, FoldTable, HandleKey, KeyId, Name, Node, NodeId, NodeKind, ObjectId,
    Sequence, ShareId, Timestamp, Tree,
    access::AccessMask,
    acl::{Ace, AclFlags, Who},
    backup::{BackupId, BackupRecord},
    content::{BlockPlace, Extent, MapRow, PAGE_BYTES, PendingTruncation, ReplayExclusion, Stored},
    node::{Device, NodeFlags, Parent},
    plan::ObjectState,
    users::{SealedSecret, User, UserName},
};
use dittofs_ports::{KeysInUse, Revision, ShareRecord, StoredUser};
use proptest::{collection::vec, option, prelude::*, sample::select};

pub(super) fn name() -> impl Strategy<Value = Name> {
    let byte = any::<u8>().prop_filter("not in names", |byte| !matches!(byte, 0 | b'/'));
    vec(byte, 1..=255).prop_filter_map("not a name", |bytes| Name::new(&bytes).ok())
}

pub(super) fn object_state() -> impl Strategy<Value = ObjectState> {
    select(vec![ObjectState::Writing, ObjectState::Live, ObjectState::PendingDelete])
}

fn time() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

fn kind() -> impl Strategy<Value = NodeKind> {
    use NodeKind::{BlockDevice, CharDevice, Directory, Fifo, File, Socket, Stream, Symlink};
    select(vec![File, Directory, Symlink, Fifo, Socket, BlockDevice, CharDevice, Stream])
}

fn pending_truncation() -> impl Strategy<Value = PendingTruncation> {
    any::<(u64, u64, u64)>().prop_map(|(offset, version, end_page)| PendingTruncation {
        offset,
        version: ContentVersion(version),
        end_page,
    })
}

fn acl() -> impl Strategy<Value = Acl> {
    let entry =
        any::<(u32, u32)>().prop_map(|(uid, mask)| Ace::allow(Who::User(uid), AccessMask::from_bits_truncate(mask)));
    (vec(entry, 0..4), any::<bool>()).prop_map(|(entries, protected)| {
        let flags = if protected { AclFlags::PROTECTED } else { AclFlags::empty() };
        Acl::new(entries, flags).unwrap()
    })
}

pub(super) fn node() -> impl Strategy<Value = Node> {
    let numbers = any::<([u64; 10], [u32; 3], u16)>();
    let times = [time(), time(), time(), time()];
    let target = option::of(vec(any::<u8>(), 0..300).prop_map(Arc::from));
    let exclusions = vec(any::<(u64, u64, u64)>(), 0..4);
    let rest = (
        any::<(u32, u32)>(),
        any::<u32>(),
        option::of(any::<[u8; 8]>()),
        target,
        option::of(pending_truncation()),
        0..16u8,
        exclusions,
        option::of(acl()),
        prop_oneof![Just(0), any::<u32>()],
    );
    (kind(), numbers, times, rest).prop_map(|(kind, (long, short, mode), times, rest)| {
        let (device, dos_attributes, create_verifier, target, pending_truncation, flags, exclusions, acl, xattr_bytes) =
            rest;
        Node {
            id: NodeId(long[0]),
            kind,
            mode,
            uid: short[0],
            gid: short[1],
            links: short[2],
            size: long[1],
            allocated: long[2],
            atime: times[0],
            mtime: times[1],
            ctime: times[2],
            birth: times[3],
            change: ChangeId(long[3]),
            permission_version: long[4],
            content_version: ContentVersion(long[5]),
            content_seq: Sequence(long[6]),
            times_seq: Sequence(long[7]),
            since: Tree(1 + device.0 % Tree::MAX.0),
            parent: Parent { directory: NodeId(long[8]), cookie: Cookie(long[9]) },
            device: Device { major: device.0, minor: device.1 },
            dos_attributes,
            create_verifier,
            target,
            flags: NodeFlags::from_bits_truncate(flags),
            pending_truncation,
            replay_exclusions: exclusions
                .into_iter()
                .map(|(up_to, offset, end)| ReplayExclusion { up_to: Sequence(up_to), offset, end })
                .collect(),
            acl: acl.map(Arc::new),
            xattr_bytes,
        }
    })
}

fn extent() -> impl Strategy<Value = Extent> {
    let key_id = prop_oneof![any::<u32>().prop_map(KeyId::of_number), any::<u64>().prop_map(KeyId::of_fingerprint),];
    let stored = (any::<u128>(), any::<u64>(), any::<u32>(), any::<u8>(), key_id, any::<u32>());
    prop_oneof![
        (1..60_000u32).prop_map(|len| Extent::Hole { len }),
        vec(any::<u8>(), 1..200).prop_map(|bytes| Extent::Inline(Bytes::from(bytes))),
        (1..60_000u32, stored).prop_map(|(len, (object, at, stored_len, codec, key_id, skip))| {
            let skip = skip % 1_000_000;
            let block = BlockPlace { at, stored_len, raw_len: skip + len, codec, key_id };
            Extent::Stored { len, from: Stored { object: ObjectId(object), block, skip } }
        }),
    ]
}

pub(super) fn row() -> impl Strategy<Value = MapRow> {
    let page = (any::<u64>(), vec(extent(), 0..16)).prop_map(|(version, mut extents)| {
        let used: u32 = extents.iter().map(Extent::len).sum();
        extents.push(Extent::Hole { len: PAGE_BYTES as u32 - used });
        MapRow::Page { version: ContentVersion(version), extents }
    });
    let holes = (any::<u64>(), 1..=u64::MAX);
    prop_oneof![page, holes.prop_map(|(version, pages)| MapRow::Holes { version: ContentVersion(version), pages })]
}

pub(super) fn share_record() -> impl Strategy<Value = ShareRecord> {
    let key = prop_oneof![(1..=u32::MAX).prop_map(KeyId::of_number), any::<u64>().prop_map(KeyId::of_fingerprint),];
    let keys = (vec(key, 0..5), any::<bool>());
    let backups = vec(any::<(u64, bool, u64)>(), 0..3);
    let fields = any::<(u64, [u8; 16], u128, u128, u64, bool)>();
    (fields, "\\PC{0,60}", keys, backups).prop_map(|(fields, name, keys, backups)| {
        let (id, key, content_owner, journal, journal_incarnation, dirty) = fields;
        let handle_key = HandleKey(key);
        ShareRecord {
            handle_key,
            content_owner,
            journal,
            journal_incarnation,
            dirty,
            // Something that differs from row to row.
            counts_names: !dirty,
            folding: Some(FoldTable::V1).filter(|_| dirty),
            keys: KeysInUse { in_use: keys.0.into_iter().collect(), are_all: keys.1 },
            backups: backups.into_iter().map(backup).collect(),
            ..ShareRecord::new(ShareId(id), name)
        }
    })
}

fn backup((bits, is_kept, objects): (u64, bool, u64)) -> (BackupId, BackupRecord) {
    let at = Timestamp::from_unix_nanos(i128::from(bits));
    (BackupId::of_bits(bits), BackupRecord { at, is_kept, objects, bytes: !objects })
}

pub(super) fn user() -> impl Strategy<Value = StoredUser> {
    let name = "[A-Za-zÄäß][A-Za-z0-9 _-]{0,40}[a-z]".prop_map(|text| UserName::new(&text).unwrap());
    let ids = any::<(u64, u32, u32, bool)>();
    let (groups, secret) = (vec(any::<u32>(), 0..20), vec(any::<u8>(), 0..80));
    (name, ids, groups, secret).prop_map(|(name, (revision, uid, gid, disabled), groups, secret)| {
        let secret = SealedSecret::new(&secret).unwrap();
        StoredUser { user: User { name, uid, gid, groups, disabled, secret }, revision: Revision(revision) }
    })
}
