//! Extended attributes (MS-SMB2, 3.3.5.21.1; MS-FSA, 2.1.5.15.8).

use dittofs_domain::{access::AccessMask, namespace::SetXattrs};
use dittofs_ports::Entered;
use dittofs_smb_wire::info::Ea;

use crate::{
    extended::{changes, refused},
    failure::Failure,
    open::OpenNode,
};

/// Sets and removes them, all of the list or none.
pub(super) async fn set(node: &OpenNode, entered: &Entered, list: Vec<Ea>) -> Result<(), Failure> {
    node.demand_any(AccessMask::WRITE_NAMED_ATTRS)?;
    let request = SetXattrs { changes: changes(list)?, held: node.access & AccessMask::WRITE_NAMED_ATTRS };
    let set = entered.share.set_xattrs(&node.caller, node.file, &request, None).await;
    set.map(drop).map_err(|error| refused(error).into())
}
