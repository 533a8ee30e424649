//! Opens for tests of what keeps them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use dittofs_domain::{ClientId, Credentials, NodeId, ShareId, access::AccessMask, opens::OpenToken};
use dittofs_ports::{Caller, CaseRule};
use dittofs_smb_rpc::Pipe;
use dittofs_smb_wire::{NtStatus, identifiers::FileId};
use parking_lot::Mutex;

use super::{ChannelSequence, InUse, LockRoom, LockSequences, Open, OpenKind, OpenNode, Place, Watching};
use crate::{
    below::{Below, OpensBelow},
    holdings::{Held, Holding, KIB_MAX},
    tree::{Tree, TreeKind},
};

/// An open pipe.
pub(crate) fn pipe(persistent: u64) -> Open {
    Open {
        id: FileId { persistent, volatile: 1 },
        tree: Arc::new(Tree { id: 1, kind: TreeKind::Pipes, _held: held() }),
        kind: OpenKind::Pipe(Mutex::new(Pipe::open("srvsvc").unwrap())),
        _held: held(),
    }
}

/// An open node, with all rights.
pub(crate) fn node(node: NodeId, is_directory: bool) -> OpenNode {
    OpenNode {
        node,
        file: node,
        token: OpenToken(1),
        access: AccessMask::all(),
        is_directory,
        is_write_through: false,
        mode: 0,
        cache: None,
        durable: None,
        keeps: None,
        made_by: Mutex::default(),
        caller: Caller {
            credentials: Credentials::root(),
            opener: None,
            client: ClientId::Smb(1),
            case: CaseRule::Sensitive,
            parent_lease: None,
        },
        place: Mutex::new(Place::new(&Arc::default(), None, String::new(), Below::default()).unwrap()),
        position: AtomicU64::new(0),
        scanned: AtomicU64::new(0),
        delete_on_close: AtomicBool::new(false),
        listing: tokio::sync::Mutex::default(),
        watching: Watching::default(),
        in_use: InUse::default(),
        channel_sequence: ChannelSequence::default(),
        lock_sequences: LockSequences::default(),
        lock_room: LockRoom::default(),
    }
}

fn held() -> Held {
    Arc::<Holding>::default().take(1).unwrap()
}

#[test]
fn a_long_path_takes_room_of_its_user() {
    let holding = Arc::<Holding>::default();
    let opens = Arc::<OpensBelow>::default();
    let place = |bytes: usize, depth: u64| {
        let below = opens.add(ShareId(1), (0..depth).map(NodeId).collect());
        Place::new(&holding, None, "n".repeat(bytes), below)
    };
    let short = place(300, 4).unwrap();
    assert_eq!(holding.kib(), 0);
    let long = place(60 << 10, 240).unwrap();
    assert_eq!(holding.kib(), 75);
    drop((short, long));
    assert_eq!(holding.kib(), 0);
    let _all = holding.take(KIB_MAX).unwrap();
    assert_eq!(place(1 << 10, 0).err(), Some(NtStatus::INSUFFICIENT_RESOURCES));
}
