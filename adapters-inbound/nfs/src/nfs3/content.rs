//! READ, WRITE, COMMIT.

use dittofs_domain::error::{FsError, FsResult};
use dittofs_ports::Entered;
use dittofs_xdr::Payload;

use super::{
    TRANSFER_BYTES_MAX,
    program::{Answered, Context, Nfs3, result},
    translate::{self, Unanswered},
    wire::*,
};
use crate::rpc::{Call, Reply};

/// Room in a READ reply for all but the data.
const HEAD_BYTES: usize = 192;

/// About how many bytes of payload the reply to a call may have: what READ and the listings ask for.
pub(super) fn reply_bytes_max(call: &Call) -> usize {
    let mut arguments = call.arguments.clone();
    let asked = match Procedure::of(call.procedure) {
        Some(Procedure::READ) => arguments.get().map(|READ3args { count, .. }| count),
        Some(Procedure::READDIR) => arguments.get().map(|READDIR3args { count, .. }| count),
        Some(Procedure::READDIRPLUS) => arguments.get().map(|READDIRPLUS3args { maxcount, .. }| maxcount),
        _ => return 0,
    };
    // A call that can't be decoded is answered without payload.
    asked.map_or(0, |bytes| bytes.min(TRANSFER_BYTES_MAX) as usize)
}

impl Nfs3 {
    pub(super) async fn read(&self, context: &Context, arguments: READ3args) -> Answered<READ3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.file)?;
            let length = arguments.count.min(TRANSFER_BYTES_MAX);
            let read = share.read(&caller, node.node, arguments.offset, length).await?;
            let data = Payload(read.data.into_vec());
            Ok(READ3resok {
                file_attributes: Self::present(node, &read.attributes),
                count: data.len() as u32,
                eof: read.end_of_file,
                data,
            })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.file).await).await
    }

    pub(super) async fn write(&self, context: &Context, arguments: WRITE3args) -> Reply {
        let file = arguments.file;
        let outcome: FsResult<_> = async {
            if arguments.data.len() as u64 != u64::from(arguments.count) {
                return Err(FsError::Invalid);
            }
            let Entered { node, caller, share } = self.enter(context, &file)?;
            let stability = translate::stability(arguments.stable);
            let written = share.write(&caller, node.node, arguments.offset, arguments.data, stability).await?;
            Ok(WRITE3resok {
                file_wcc: translate::wcc(node.share, &written.file),
                count: written.count,
                committed: translate::committed(written.stability),
                verf: written.verifier.0.to_be_bytes(),
            })
        }
        .await;
        let written: Answered<WRITE3res> = result(outcome, async || self.no_change(context, &file).await).await;
        match written {
            Ok(written) => Reply::success_with(HEAD_BYTES, |encoder| dittofs_xdr::Encode::encode(&written, encoder)),
            Err(Unanswered) => Reply::disconnect(),
        }
    }

    pub(super) async fn commit(&self, context: &Context, arguments: COMMIT3args) -> Answered<COMMIT3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.file)?;
            let committed = share.commit(&caller, node.node).await?;
            Ok(COMMIT3resok {
                file_wcc: translate::wcc(node.share, &committed.file),
                verf: committed.verifier.0.to_be_bytes(),
            })
        }
        .await;
        result(outcome, async || self.no_change(context, &arguments.file).await).await
    }
}
