//! Nodes, updates and rows of shares of any content.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, Epoch, HandleKey, KeyId, Node, NodeId, NodeKind, ObjectId, Scale, Sequence,
    ShareId, Timestamp,
    access::AccessMask,
    acl::{Ace, AclFlags, Who},
    backup::{BackupId, BackupRecord},
    content::{BlockPlace, Extent, MapRow, PendingTruncation, ReplayExclusion, Stored},
    node::{Device, NodeFlags, Parent},
    ownership::{Lineage, Part, Start},
    plan::{LinkChange, NodeUpdate, TimeChange},
};
use dittofs_ports::{KeysInUse, ShareRecord};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Numbers that have a next one in 63 bits.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, 0..i64::MAX as u64 / 4]
}

fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![-3..3_i64, any::<i64>(), Just(i64::MAX), Just(i64::MIN)];
    let nanos = prop_oneof![0..1_000_000_000_u32, Just(999_999_999), Just(0)];
    (seconds, nanos).prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

/// The time of a plan.
pub(crate) fn now() -> impl Strategy<Value = Timestamp> {
    time()
}

fn truncation() -> impl Strategy<Value = PendingTruncation> {
    any::<[u64; 3]>().prop_map(|[offset, version, end_page]| PendingTruncation {
        offset,
        version: ContentVersion(version),
        end_page,
    })
}

fn exclusions() -> impl Strategy<Value = Vec<ReplayExclusion>> {
    let exclusion = any::<[u64; 3]>();
    vec(exclusion.prop_map(|[up_to, offset, end]| ReplayExclusion { up_to: Sequence(up_to), offset, end }), 0..4)
}

fn flags() -> impl Strategy<Value = NodeFlags> {
    (0..16_u8).prop_map(NodeFlags::from_bits_truncate)
}

fn kind() -> impl Strategy<Value = NodeKind> {
    use NodeKind::{BlockDevice, CharDevice, Directory, Fifo, File, Socket, Stream, Symlink};
    select(vec![File, Directory, Symlink, Fifo, Socket, BlockDevice, CharDevice, Stream])
}

/// A node with an id of its own and no name.
pub(crate) fn node() -> impl Strategy<Value = Node> {
    let numbers = (vec(number(), 8), any::<[u32; 5]>(), 0..0o10000_u16);
    let times = [time(), time(), time(), time()];
    let rest = (
        any::<u32>(),
        option::of(any::<[u8; 8]>()),
        option::of(vec(any::<u8>(), 0..300).prop_map(Arc::from)),
        option::of(truncation()),
        flags(),
        exclusions(),
        acl(),
        any::<u32>(),
    );
    (kind(), numbers, times, rest).prop_map(|(kind, (long, short, mode), times, rest)| {
        let (dos_attributes, create_verifier, target, pending_truncation, flags, exclusions, acl, xattr_bytes) = rest;
        let parent = Parent { directory: NodeId(long[0]), cookie: Cookie(long[1]) };
        Node {
            mode,
            uid: short[0],
            gid: short[1],
            links: short[2],
            size: long[2],
            allocated: long[3],
            mtime: times[1],
            ctime: times[2],
            birth: times[3],
            change: ChangeId(long[4]),
            permission_version: long[5],
            content_version: ContentVersion(long[6]),
            content_seq: Sequence(long[7]),
            times_seq: Sequence(long[0]),
            device: Device { major: short[3], minor: short[4] },
            dos_attributes,
            create_verifier,
            target,
            flags,
            acl,
            xattr_bytes,
            pending_truncation,
            replay_exclusions: exclusions.into_iter().collect(),
            ..Node::bare(NodeId(1), kind, parent, times[0])
        }
    })
}

fn acl() -> impl Strategy<Value = Option<Arc<Acl>>> {
    let entry =
        any::<(u32, u32)>().prop_map(|(uid, mask)| Ace::allow(Who::User(uid), AccessMask::from_bits_truncate(mask)));
    option::of(vec(entry, 0..4).prop_map(|entries| Arc::new(Acl::new(entries, AclFlags::PROTECTED).unwrap())))
}

fn time_change() -> impl Strategy<Value = TimeChange> {
    prop_oneof![
        Just(TimeChange::Keep),
        Just(TimeChange::Advance),
        time().prop_map(TimeChange::Set),
        time().prop_map(TimeChange::AtLeast)
    ]
}

fn links() -> impl Strategy<Value = LinkChange> {
    prop_oneof![
        Just(LinkChange::Keep),
        any::<u32>().prop_map(LinkChange::Set),
        any::<i32>().prop_map(LinkChange::Add),
        (-2..3).prop_map(LinkChange::Add)
    ]
}

/// An update: some are out of range for some nodes.
pub(crate) fn update() -> impl Strategy<Value = NodeUpdate> {
    let plain = (option::of(0..0o10000_u16), option::of(any::<u32>()), option::of(any::<u32>()), links());
    let sizes = (option::of(number()), prop_oneof![Just(0), -5..6_i64, -1_000_000..1_000_000_000_i64]);
    let times = [time_change(), time_change(), time_change()];
    let versions =
        (option::of(number()), any::<bool>(), option::of(number()), vec(option::of(number()), 2), option::of(time()));
    let parent = option::of((number(), number()));
    let rest = (
        option::of(any::<u32>()),
        flags(),
        flags(),
        option::of(option::of(truncation())),
        option::of(exclusions()),
        option::of(acl()),
        option::of(prop_oneof![Just(0), any::<u32>()]),
    );
    (plain, sizes, times, versions, parent, rest).prop_map(|(plain, sizes, times, versions, parent, rest)| NodeUpdate {
        mode: plain.0,
        uid: plain.1,
        gid: plain.2,
        links: plain.3,
        size: sizes.0,
        allocated: sizes.1,
        atime: times[0],
        mtime: times[1],
        ctime: times[2],
        change_at_least: versions.0.map(ChangeId),
        raise_permission_version: versions.1,
        content_version: versions.2.map(ContentVersion),
        content_seq: versions.3[0].map(Sequence),
        times_seq: versions.3[1].map(Sequence),
        parent: parent.map(|(directory, cookie)| Parent { directory: NodeId(directory), cookie: Cookie(cookie) }),
        birth: versions.4,
        dos_attributes: rest.0,
        acl: rest.5,
        xattr_bytes: rest.6,
        set_flags: rest.1,
        clear_flags: rest.2,
        pending_truncation: rest.3,
        replay_exclusions: rest.4.map(|exclusions| exclusions.into_iter().collect()),
    })
}

fn key() -> impl Strategy<Value = KeyId> {
    prop_oneof![
        any::<u64>().prop_map(KeyId::of_fingerprint),
        any::<u32>().prop_map(KeyId::of_number),
        Just(KeyId::NONE)
    ]
}

fn extent() -> impl Strategy<Value = Extent> {
    let stored = (any::<u128>(), any::<u64>(), any::<[u32; 3]>(), any::<u8>(), key());
    let stored = stored.prop_map(|(object, at, [stored_len, raw_len, cut], codec, key_id)| {
        let raw_len = raw_len.max(2);
        let skip = cut % (raw_len - 1);
        let block = BlockPlace { at, stored_len, raw_len, codec, key_id };
        Extent::Stored { len: raw_len - skip, from: Stored { object: ObjectId(object), block, skip } }
    });
    prop_oneof![
        (1..=u32::MAX).prop_map(|len| Extent::Hole { len }),
        vec(any::<u8>(), 1..400).prop_map(|bytes| Extent::Inline(Bytes::from(bytes))),
        stored
    ]
}

/// A row of a map.
pub(crate) fn row() -> impl Strategy<Value = MapRow> {
    prop_oneof![
        (number(), vec(extent(), 1..8))
            .prop_map(|(version, extents)| MapRow::Page { version: ContentVersion(version), extents }),
        (number(), 1..=u64::MAX).prop_map(|(version, pages)| MapRow::Holes { version: ContentVersion(version), pages }),
    ]
}

fn start() -> impl Strategy<Value = Start> {
    any::<(u64, u64)>().prop_map(|(epoch, nonce)| Start { epoch: Epoch(epoch), nonce })
}

/// The row of a share.
pub(crate) fn share_record(id: ShareId) -> impl Strategy<Value = ShareRecord> {
    let plain = ("/[a-zä-ü€]{0,30}", any::<[u8; 16]>(), any::<[u128; 2]>(), any::<u64>(), any::<[bool; 4]>());
    let keys = vec(key(), 0..4);
    let lineage = (vec(start(), 0..5), option::of(start()), option::of(start()));
    let backups = vec((1..=i64::MAX as u64, time(), any::<(bool, u64, u64)>()), 0..4);
    (plain, keys, lineage, backups).prop_map(move |(plain, keys, lineage, backups)| {
        let (name, handle_key, [content_owner, journal], journal_incarnation, flags) = plain;
        let keys = keys.into_iter().filter(|key| !key.is_none()).collect();
        let (given, in_journal, in_content) = lineage;
        let mut lineage = Lineage::new(given, None, None);
        lineage.note(Part::Journal, in_journal);
        lineage.note(Part::Content, in_content);
        let backup = |(id, at, (is_kept, objects, bytes))| {
            (BackupId::stored(id).unwrap(), BackupRecord { at, is_kept, objects, bytes })
        };
        ShareRecord {
            handle_key: HandleKey(handle_key),
            content_owner,
            journal,
            journal_incarnation,
            dirty: flags[0],
            counts_names: flags[1],
            scale: if flags[2] { Scale::TINY } else { Scale::PRODUCTION },
            keys: KeysInUse { in_use: keys, are_all: flags[3] },
            lineage,
            backups: backups.into_iter().map(backup).collect(),
            ..ShareRecord::new(id, name)
        }
    })
}
