//! GETATTR, SETATTR, ACCESS, and what a client asks once of a file system.

use dittofs_domain::{content::FILE_BYTES_MAX, error::FsResult, namespace::LINKS_MAX};
use dittofs_ports::Entered;

use super::{
    TRANSFER_BYTES_MAX,
    program::{Answered, Context, Nfs3, result},
    translate,
    wire::*,
};

/// The preferred size of a listing. Some 400 entries with attributes and handles: few calls for a large directory, and
/// no long turn of a front.
const LISTING_BYTES: u32 = 64 << 10;
/// The unit that transfers should be a multiple of. A client reads and writes by its page.
const TRANSFER_MULTIPLE: u32 = 4_096;
/// Times are kept to the nanosecond.
const TIME_DELTA: nfstime3 = nfstime3 { seconds: 0, nseconds: 1 };

impl Nfs3 {
    pub(super) async fn getattr(&self, context: &Context, arguments: GETATTR3args) -> Answered<GETATTR3res> {
        let outcome = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.object)?;
            let attributes = share.attributes(&caller, node.node).await?;
            Ok(GETATTR3resok { obj_attributes: translate::fattr(node.share, &attributes) })
        };
        result(outcome.await, async || ()).await
    }

    pub(super) async fn setattr(&self, context: &Context, arguments: SETATTR3args) -> Answered<SETATTR3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.object)?;
            let request = translate::set_attributes(&arguments.new_attributes, arguments.guard.as_ref())?;
            let changed = share.set_attributes(&caller, node.node, &request, context.op).await?;
            Ok(SETATTR3resok { obj_wcc: translate::wcc(node.share, &changed) })
        }
        .await;
        result(outcome, async || self.no_change(context, &arguments.object).await).await
    }

    pub(super) async fn access(&self, context: &Context, arguments: ACCESS3args) -> Answered<ACCESS3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.object)?;
            let (mask, attributes) = share.access(&caller, node.node).await?;
            let granted = translate::access(attributes.kind, mask, share.is_read_only());
            Ok(ACCESS3resok { obj_attributes: Self::present(node, &attributes), access: granted & arguments.access })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.object).await).await
    }

    pub(super) async fn fsstat(&self, context: &Context, arguments: FSSTAT3args) -> Answered<FSSTAT3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.fsroot)?;
            let attributes = share.attributes(&caller, node.node).await?;
            let space = self.services.admin.space(node.share).await?;
            Ok(FSSTAT3resok {
                obj_attributes: Self::present(node, &attributes),
                tbytes: space.bytes_total,
                fbytes: space.bytes_free,
                abytes: space.bytes_free,
                tfiles: space.nodes_total,
                ffiles: space.nodes_free,
                afiles: space.nodes_free,
                invarsec: 0,
            })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.fsroot).await).await
    }

    pub(super) async fn fsinfo(&self, context: &Context, arguments: FSINFO3args) -> Answered<FSINFO3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.fsroot)?;
            let attributes = share.attributes(&caller, node.node).await?;
            Ok(FSINFO3resok {
                obj_attributes: Self::present(node, &attributes),
                rtmax: TRANSFER_BYTES_MAX,
                rtpref: TRANSFER_BYTES_MAX,
                rtmult: TRANSFER_MULTIPLE,
                wtmax: TRANSFER_BYTES_MAX,
                wtpref: TRANSFER_BYTES_MAX,
                wtmult: TRANSFER_MULTIPLE,
                dtpref: LISTING_BYTES,
                maxfilesize: FILE_BYTES_MAX,
                time_delta: TIME_DELTA,
                properties: FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME,
            })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.fsroot).await).await
    }

    pub(super) async fn pathconf(&self, context: &Context, arguments: PATHCONF3args) -> Answered<PATHCONF3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.object)?;
            let attributes = share.attributes(&caller, node.node).await?;
            Ok(PATHCONF3resok {
                obj_attributes: Self::present(node, &attributes),
                linkmax: LINKS_MAX,
                name_max: dittofs_domain::Name::MAX_BYTES as u32,
                no_trunc: true,
                chown_restricted: true,
                case_insensitive: false,
                case_preserving: true,
            })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.object).await).await
    }
}
