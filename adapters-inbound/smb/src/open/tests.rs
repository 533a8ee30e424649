//! Opens for tests of what keeps them.

use std::sync::Arc;

use dittofs_domain::users::UserName;
use dittofs_smb_rpc::Pipe;
use dittofs_smb_wire::identifiers::FileId;
use parking_lot::Mutex;

use super::{Open, OpenKind};
use crate::{
    holdings::{Held, Holdings},
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

fn held() -> Held {
    Holdings::default().of(&UserName::new("alice").unwrap()).take(1).unwrap()
}
