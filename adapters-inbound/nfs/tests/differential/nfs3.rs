use bytes::Bytes;
use dittofs_nfs::nfs3::wire::*;
use dittofs_xdr::LinkedList;
use nfs3_types::nfs3 as theirs;
use proptest::prelude::*;

use crate::assert_agree;
use crate::sample::{Sample, Source, sample_enum, sample_struct};

impl Sample for nfs_fh3 {
    fn sample(source: &mut Source) -> Self {
        Self::new(&source.bytes(64)).expect("64 bytes fit")
    }
}

impl<T: Sample, F: Sample> Sample for Nfs3Result<T, F> {
    fn sample(source: &mut Source) -> Self {
        if bool::sample(source) {
            return Self::Ok(Sample::sample(source));
        }
        let status = loop {
            let status = nfsstat3::sample(source);
            if status != nfsstat3::NFS3_OK {
                break status;
            }
        };
        Self::Err(status, Sample::sample(source))
    }
}

sample_enum! {
    ftype3 {
        |_| Self::NF3REG, |_| Self::NF3DIR, |_| Self::NF3BLK, |_| Self::NF3CHR, |_| Self::NF3LNK, |_| Self::NF3SOCK, |_| Self::NF3FIFO,
    }
    stable_how { |_| Self::UNSTABLE, |_| Self::DATA_SYNC, |_| Self::FILE_SYNC }
    set_time {
        |_| Self::DONT_CHANGE, |_| Self::SET_TO_SERVER_TIME, |source| Self::SET_TO_CLIENT_TIME(Sample::sample(source)),
    }
    createhow3 {
        |source| Self::UNCHECKED(Sample::sample(source)),
        |source| Self::GUARDED(Sample::sample(source)),
        |source| Self::EXCLUSIVE(Sample::sample(source)),
    }
    mknoddata3 {
        |source| Self::NF3CHR(Sample::sample(source)),
        |source| Self::NF3BLK(Sample::sample(source)),
        |source| Self::NF3SOCK(Sample::sample(source)),
        |source| Self::NF3FIFO(Sample::sample(source)),
    }
    nfsstat3 {
        |_| Self::NFS3_OK, |_| Self::NFS3ERR_PERM, |_| Self::NFS3ERR_NOENT, |_| Self::NFS3ERR_IO, |_| Self::NFS3ERR_NXIO,
        |_| Self::NFS3ERR_ACCES, |_| Self::NFS3ERR_EXIST, |_| Self::NFS3ERR_XDEV, |_| Self::NFS3ERR_NODEV,
        |_| Self::NFS3ERR_NOTDIR, |_| Self::NFS3ERR_ISDIR, |_| Self::NFS3ERR_INVAL, |_| Self::NFS3ERR_FBIG,
        |_| Self::NFS3ERR_NOSPC, |_| Self::NFS3ERR_ROFS, |_| Self::NFS3ERR_MLINK, |_| Self::NFS3ERR_NAMETOOLONG,
        |_| Self::NFS3ERR_NOTEMPTY, |_| Self::NFS3ERR_DQUOT, |_| Self::NFS3ERR_STALE, |_| Self::NFS3ERR_REMOTE,
        |_| Self::NFS3ERR_BADHANDLE, |_| Self::NFS3ERR_NOT_SYNC, |_| Self::NFS3ERR_BAD_COOKIE, |_| Self::NFS3ERR_NOTSUPP,
        |_| Self::NFS3ERR_TOOSMALL, |_| Self::NFS3ERR_SERVERFAULT, |_| Self::NFS3ERR_BADTYPE, |_| Self::NFS3ERR_JUKEBOX,
    }
}

sample_struct! {
    specdata3 { specdata1, specdata2 }
    nfstime3 { seconds, nseconds }
    fattr3 { type_, mode, nlink, uid, gid, size, used, rdev, fsid, fileid, atime, mtime, ctime }
    wcc_attr { size, mtime, ctime }
    wcc_data { before, after }
    sattr3 { mode, uid, gid, size, atime, mtime }
    diropargs3 { dir, name }
    symlinkdata3 { symlink_attributes, symlink_data }
    devicedata3 { dev_attributes, spec }
    GETATTR3args { object }
    SETATTR3args { object, new_attributes, guard }
    LOOKUP3args { what }
    ACCESS3args { object, access }
    READLINK3args { symlink }
    READ3args { file, offset, count }
    WRITE3args { file, offset, count, stable, data }
    CREATE3args { where_, how }
    MKDIR3args { where_, attributes }
    SYMLINK3args { where_, symlink }
    MKNOD3args { where_, what }
    REMOVE3args { object }
    RMDIR3args { object }
    RENAME3args { from, to }
    LINK3args { file, link }
    READDIR3args { dir, cookie, cookieverf, count }
    READDIRPLUS3args { dir, cookie, cookieverf, dircount, maxcount }
    FSSTAT3args { fsroot }
    FSINFO3args { fsroot }
    PATHCONF3args { object }
    COMMIT3args { file, offset, count }
    GETATTR3resok { obj_attributes }
    SETATTR3resok { obj_wcc }
    LOOKUP3resok { object, obj_attributes, dir_attributes }
    ACCESS3resok { obj_attributes, access }
    READLINK3resok { symlink_attributes, data }
    READ3resok { file_attributes, count, eof, data }
    WRITE3resok { file_wcc, count, committed, verf }
    CREATE3resok { obj, obj_attributes, dir_wcc }
    REMOVE3resok { dir_wcc }
    RENAME3resok { fromdir_wcc, todir_wcc }
    LINK3resok { file_attributes, linkdir_wcc }
    READDIR3resok<LinkedList<entry3>> { dir_attributes, cookieverf, reply }
    READDIR3resok<LinkedList<entryplus3>> { dir_attributes, cookieverf, reply }
    dirlist3<LinkedList<entry3>> { entries, eof }
    dirlist3<LinkedList<entryplus3>> { entries, eof }
    entry3<Bytes> { fileid, name, cookie }
    entryplus3<Bytes> { fileid, name, cookie, name_attributes, name_handle }
    FSSTAT3resok { obj_attributes, tbytes, fbytes, abytes, tfiles, ffiles, afiles, invarsec }
    FSINFO3resok {
        obj_attributes, rtmax, rtpref, rtmult, wtmax, wtpref, wtmult, dtpref, maxfilesize, time_delta, properties,
    }
    PATHCONF3resok { obj_attributes, linkmax, name_max, no_trunc, chown_restricted, case_insensitive, case_preserving }
    COMMIT3resok { file_wcc, verf }
}

proptest! {
    #[test]
    fn arguments_agree_with_the_oracle(seed: u64) {
        assert_agree::<GETATTR3args, theirs::GETATTR3args>(seed);
        assert_agree::<SETATTR3args, theirs::SETATTR3args>(seed);
        assert_agree::<LOOKUP3args, theirs::LOOKUP3args<'_>>(seed);
        assert_agree::<ACCESS3args, theirs::ACCESS3args>(seed);
        assert_agree::<READLINK3args, theirs::READLINK3args>(seed);
        assert_agree::<READ3args, theirs::READ3args>(seed);
        assert_agree::<WRITE3args, theirs::WRITE3args<'_>>(seed);
        assert_agree::<CREATE3args, theirs::CREATE3args<'_>>(seed);
        assert_agree::<MKDIR3args, theirs::MKDIR3args<'_>>(seed);
        assert_agree::<SYMLINK3args, theirs::SYMLINK3args<'_>>(seed);
        assert_agree::<MKNOD3args, theirs::MKNOD3args<'_>>(seed);
        assert_agree::<REMOVE3args, theirs::REMOVE3args<'_>>(seed);
        assert_agree::<RMDIR3args, theirs::RMDIR3args<'_>>(seed);
        assert_agree::<RENAME3args, theirs::RENAME3args<'_, '_>>(seed);
        assert_agree::<LINK3args, theirs::LINK3args<'_>>(seed);
        assert_agree::<READDIR3args, theirs::READDIR3args>(seed);
        assert_agree::<READDIRPLUS3args, theirs::READDIRPLUS3args>(seed);
        assert_agree::<FSSTAT3args, theirs::FSSTAT3args>(seed);
        assert_agree::<FSINFO3args, theirs::FSINFO3args>(seed);
        assert_agree::<PATHCONF3args, theirs::PATHCONF3args>(seed);
        assert_agree::<COMMIT3args, theirs::COMMIT3args>(seed);
    }

    #[test]
    fn results_agree_with_the_oracle(seed: u64) {
        use theirs::Nfs3Result as Theirs;
        assert_agree::<GETATTR3res, theirs::GETATTR3res>(seed);
        // Their failures are structs of one field, ours the field itself: the names of the fields differ there by that one.
        assert_agree::<SETATTR3res, Theirs<theirs::SETATTR3resok, theirs::wcc_data>>(seed);
        assert_agree::<LOOKUP3res, Theirs<theirs::LOOKUP3resok, theirs::post_op_attr>>(seed);
        assert_agree::<ACCESS3res, Theirs<theirs::ACCESS3resok, theirs::post_op_attr>>(seed);
        assert_agree::<READLINK3res, Theirs<theirs::READLINK3resok<'_>, theirs::post_op_attr>>(seed);
        assert_agree::<READ3res, Theirs<theirs::READ3resok<'_>, theirs::post_op_attr>>(seed);
        assert_agree::<WRITE3res, Theirs<theirs::WRITE3resok, theirs::wcc_data>>(seed);
        assert_agree::<CREATE3res, Theirs<theirs::CREATE3resok, theirs::wcc_data>>(seed);
        assert_agree::<MKDIR3res, Theirs<theirs::MKDIR3resok, theirs::wcc_data>>(seed);
        assert_agree::<SYMLINK3res, Theirs<theirs::SYMLINK3resok, theirs::wcc_data>>(seed);
        assert_agree::<MKNOD3res, Theirs<theirs::MKNOD3resok, theirs::wcc_data>>(seed);
        assert_agree::<REMOVE3res, Theirs<theirs::REMOVE3resok, theirs::wcc_data>>(seed);
        assert_agree::<RMDIR3res, Theirs<theirs::RMDIR3resok, theirs::wcc_data>>(seed);
        assert_agree::<RENAME3res, theirs::RENAME3res>(seed);
        assert_agree::<LINK3res, theirs::LINK3res>(seed);
        assert_agree::<READDIR3res, Theirs<theirs::READDIR3resok<'_>, theirs::post_op_attr>>(seed);
        assert_agree::<READDIRPLUS3res, Theirs<theirs::READDIRPLUS3resok<'_>, theirs::post_op_attr>>(seed);
        assert_agree::<FSSTAT3res, Theirs<theirs::FSSTAT3resok, theirs::post_op_attr>>(seed);
        assert_agree::<FSINFO3res, Theirs<theirs::FSINFO3resok, theirs::post_op_attr>>(seed);
        assert_agree::<PATHCONF3res, Theirs<theirs::PATHCONF3resok, theirs::post_op_attr>>(seed);
        assert_agree::<COMMIT3res, Theirs<theirs::COMMIT3resok, theirs::wcc_data>>(seed);
    }

    #[test]
    fn a_streamed_listing_is_what_the_whole_list_would_be(seed: u64, count in 0u32..4000) {
        let whole = READDIR3resok::<LinkedList<entryplus3>>::sample(&mut Source::new(seed));
        let reply = listing(whole.dir_attributes, whole.cookieverf, count, |list| {
            whole.reply.entries.0.iter().all(|entry| list.try_push(entry))
        });
        let result = reply.into_datagram(1).unwrap().slice(24..);
        let mut decoder = dittofs_xdr::Decoder::new(result.clone());
        match decoder.get::<READDIRPLUS3res>().unwrap() {
            Nfs3Result::Ok(read) => {
                let empty = if whole.dir_attributes.is_some() { 104 } else { 20 };
                prop_assert!(result.len() - 4 <= empty.max(count as usize));
                let read_count = read.reply.entries.0.len();
                prop_assert_eq!(&read.reply.entries.0[..], &whole.reply.entries.0[..read_count]);
                prop_assert_eq!(read.reply.eof, read_count == whole.reply.entries.0.len());
            }
            Nfs3Result::Err(status, attributes) => {
                prop_assert_eq!((status, attributes), (nfsstat3::NFS3ERR_TOOSMALL, whole.dir_attributes));
            }
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
    }
}
