//! LOOKUP, READLINK, and the procedures that change names.

use std::sync::Arc;

use dittofs_domain::{
    NodeId,
    error::{FsError, FsResult},
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
    },
    node::Device,
};
use dittofs_ports::{Entered, LookupName, ShareServices};

use super::{
    program::{Answered, Context, Nfs3, result},
    translate,
    wire::*,
};

impl Nfs3 {
    pub(super) async fn lookup(&self, context: &Context, arguments: LOOKUP3args) -> Answered<LOOKUP3res> {
        let what = &arguments.what;
        let outcome: FsResult<_> = async {
            let Entered { node: directory, caller, share } = self.enter(context, &what.dir)?;
            let name = match &*what.name {
                b"." => LookupName::This,
                b".." => LookupName::Parent,
                name => LookupName::Child(translate::name(name)?),
            };
            let found = share.lookup(&caller, directory.node, &name).await?;
            Ok(LOOKUP3resok {
                object: fh(&*share, found.node.node).ok_or(FsError::Io)?,
                obj_attributes: Self::present(directory, &found.node),
                dir_attributes: Self::present(directory, &found.directory),
            })
        }
        .await;
        result(outcome, async || self.post_op(context, &what.dir).await).await
    }

    pub(super) async fn readlink(&self, context: &Context, arguments: READLINK3args) -> Answered<READLINK3res> {
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.symlink)?;
            let (target, attributes) = share.read_link(&caller, node.node).await?;
            let data = bytes::Bytes::copy_from_slice(&target);
            Ok(READLINK3resok { symlink_attributes: Self::present(node, &attributes), data })
        }
        .await;
        result(outcome, async || self.post_op(context, &arguments.symlink).await).await
    }

    pub(super) async fn create(&self, context: &Context, arguments: CREATE3args) -> Answered<CREATE3res> {
        let how = match &arguments.how {
            createhow3::UNCHECKED(attributes) => translate::initial(attributes).map(|a| (a, CreateHow::Unchecked)),
            createhow3::GUARDED(attributes) => translate::initial(attributes).map(|a| (a, CreateHow::Guarded)),
            createhow3::EXCLUSIVE(verifier) => Ok((InitialAttributes::default(), CreateHow::Exclusive(*verifier))),
        };
        self.make(context, &arguments.where_, Ok(NewKind::File), how).await
    }

    pub(super) async fn mkdir(&self, context: &Context, arguments: MKDIR3args) -> Answered<MKDIR3res> {
        let attributes = translate::initial(&arguments.attributes);
        self.make(context, &arguments.where_, Ok(NewKind::Directory), guarded(attributes)).await
    }

    pub(super) async fn symlink(&self, context: &Context, arguments: SYMLINK3args) -> Answered<SYMLINK3res> {
        let attributes = translate::initial(&arguments.symlink.symlink_attributes);
        let target: Arc<[u8]> = Arc::from(&*arguments.symlink.symlink_data);
        self.make(context, &arguments.where_, Ok(NewKind::Symlink(target)), guarded(attributes)).await
    }

    pub(super) async fn mknod(&self, context: &Context, arguments: MKNOD3args) -> Answered<MKNOD3res> {
        let device = |data: &devicedata3| Device { major: data.spec.specdata1, minor: data.spec.specdata2 };
        let (kind, attributes) = match &arguments.what {
            mknoddata3::NF3CHR(data) => (Ok(NewKind::CharDevice(device(data))), data.dev_attributes),
            mknoddata3::NF3BLK(data) => (Ok(NewKind::BlockDevice(device(data))), data.dev_attributes),
            mknoddata3::NF3SOCK(attributes) => (Ok(NewKind::Socket), *attributes),
            mknoddata3::NF3FIFO(attributes) => (Ok(NewKind::Fifo), *attributes),
            mknoddata3::Other(_) => (Err(FsError::BadType), sattr3::default()),
        };
        self.make(context, &arguments.where_, kind, guarded(translate::initial(&attributes))).await
    }

    async fn make(
        &self,
        context: &Context,
        place: &diropargs3,
        kind: FsResult<NewKind>,
        how: FsResult<(InitialAttributes, CreateHow)>,
    ) -> Answered<Nfs3Result<CREATE3resok, wcc_data>> {
        let outcome: FsResult<_> = async {
            let Entered { node: directory, caller, share } = self.enter(context, &place.dir)?;
            let (attributes, how) = how?;
            let name = made_name(&place.name)?;
            let request = CreateRequest { directory: directory.node, name, kind: kind?, attributes, how };
            let made = share.create(&caller, &request, context.op).await?;
            Ok(CREATE3resok {
                obj: fh(&*share, made.node.node),
                obj_attributes: Self::present(directory, &made.node),
                dir_wcc: translate::wcc(directory.share, &made.directory),
            })
        }
        .await;
        result(outcome, async || self.no_change(context, &place.dir).await).await
    }

    pub(super) async fn remove(&self, context: &Context, arguments: REMOVE3args) -> Answered<REMOVE3res> {
        self.unmake(context, &arguments.object, RemoveKind::NotDirectory).await
    }

    pub(super) async fn rmdir(&self, context: &Context, arguments: RMDIR3args) -> Answered<RMDIR3res> {
        self.unmake(context, &arguments.object, RemoveKind::Directory).await
    }

    async fn unmake(&self, context: &Context, place: &diropargs3, kind: RemoveKind) -> Answered<REMOVE3res> {
        let outcome: FsResult<_> = async {
            let Entered { node: directory, caller, share } = self.enter(context, &place.dir)?;
            let name = removed_name(&place.name, kind)?;
            let request = RemoveRequest { directory: directory.node, name, kind };
            let changed = share.remove(&caller, &request, context.op).await?;
            Ok(REMOVE3resok { dir_wcc: translate::wcc(directory.share, &changed) })
        }
        .await;
        result(outcome, async || self.no_change(context, &place.dir).await).await
    }

    pub(super) async fn rename(&self, context: &Context, arguments: RENAME3args) -> Answered<RENAME3res> {
        let (from, to) = (&arguments.from, &arguments.to);
        let outcome: FsResult<_> = async {
            let Entered { node: from_directory, caller, share } = self.enter(context, &from.dir)?;
            let to_directory = self.enter(context, &to.dir)?.node;
            if from_directory.share != to_directory.share {
                return Ok(None);
            }
            let request = RenameRequest::new(
                (from_directory.node, translate::name(&from.name)?),
                (to_directory.node, translate::name(&to.name)?),
            );
            let renamed = share.rename(&caller, &request, context.op).await?;
            Ok(Some(RENAME3resok {
                fromdir_wcc: translate::wcc(from_directory.share, &renamed.from_directory),
                todir_wcc: translate::wcc(to_directory.share, &renamed.to_directory),
            }))
        }
        .await;
        let failure = async || RENAME3resok {
            fromdir_wcc: self.no_change(context, &from.dir).await,
            todir_wcc: self.no_change(context, &to.dir).await,
        };
        match outcome {
            Ok(Some(renamed)) => Ok(Nfs3Result::Ok(renamed)),
            Ok(None) => Ok(Nfs3Result::Err(nfsstat3::NFS3ERR_XDEV, failure().await)),
            Err(error) => Ok(Nfs3Result::Err(translate::status(error)?, failure().await)),
        }
    }

    pub(super) async fn link(&self, context: &Context, arguments: LINK3args) -> Answered<LINK3res> {
        let place = &arguments.link;
        let outcome: FsResult<_> = async {
            let Entered { node, caller, share } = self.enter(context, &arguments.file)?;
            let directory = self.enter(context, &place.dir)?.node;
            if node.share != directory.share {
                return Ok(None);
            }
            let name = made_name(&place.name)?;
            let request = LinkRequest { node: node.node, directory: directory.node, name };
            let linked = share.link(&caller, &request, context.op).await?;
            Ok(Some(LINK3resok {
                file_attributes: Self::present(node, &linked.node),
                linkdir_wcc: translate::wcc(node.share, &linked.directory),
            }))
        }
        .await;
        let failure = async || LINK3resok {
            file_attributes: self.post_op(context, &arguments.file).await,
            linkdir_wcc: self.no_change(context, &place.dir).await,
        };
        match outcome {
            Ok(Some(linked)) => Ok(Nfs3Result::Ok(linked)),
            Ok(None) => Ok(Nfs3Result::Err(nfsstat3::NFS3ERR_XDEV, failure().await)),
            Err(error) => Ok(Nfs3Result::Err(translate::status(error)?, failure().await)),
        }
    }
}

fn fh(share: &dyn ShareServices, node: NodeId) -> post_op_fh3 {
    translate::fh(&share.handle_signer().handle(node))
}

fn guarded(attributes: FsResult<InitialAttributes>) -> FsResult<(InitialAttributes, CreateHow)> {
    attributes.map(|attributes| (attributes, CreateHow::Guarded))
}

/// The name of something new: `.` and `..` exist everywhere.
fn made_name(bytes: &[u8]) -> FsResult<dittofs_domain::Name> {
    if matches!(bytes, b"." | b"..") { Err(FsError::Exists) } else { translate::name(bytes) }
}

/// The name of something to remove: `..` is never empty, and no name of a directory leads to a file (POSIX rmdir).
fn removed_name(bytes: &[u8], kind: RemoveKind) -> FsResult<dittofs_domain::Name> {
    match (bytes, kind) {
        (b"..", RemoveKind::Directory) => Err(FsError::NotEmpty),
        (b"." | b"..", RemoveKind::NotDirectory) => Err(FsError::IsDirectory),
        _ => translate::name(bytes),
    }
}
