use dittofs_nfs::mount3::wire::*;
use dittofs_nfs::portmap::wire::mapping;
use dittofs_xdr::LinkedList;
use nfs3_types::mount as theirs;
use nfs3_types::portmap;
use proptest::prelude::*;

use crate::assert_agree;
use crate::sample::{Sample, Source, sample_enum, sample_struct};

impl Sample for name {
    fn sample(source: &mut Source) -> Self {
        Self(source.bytes(255).into())
    }
}

impl Sample for dirpath {
    fn sample(source: &mut Source) -> Self {
        Self(source.bytes(1024).into())
    }
}

sample_struct! {
    mountbody { ml_hostname, ml_directory }
    exportnode { ex_dir, ex_groups }
    mapping { prog, vers, prot, port }
}

impl Sample for mountres3_ok {
    fn sample(source: &mut Source) -> Self {
        Self { fhandle: Sample::sample(source), auth_flavors: Sample::sample(source) }
    }
}

sample_enum! {
    mountres3 {
        |_| Self::Err(mountstat3::MNT3ERR_PERM), |_| Self::Err(mountstat3::MNT3ERR_NOENT), |_| Self::Err(mountstat3::MNT3ERR_IO),
        |_| Self::Err(mountstat3::MNT3ERR_ACCES), |_| Self::Err(mountstat3::MNT3ERR_NOTDIR),
        |_| Self::Err(mountstat3::MNT3ERR_INVAL), |_| Self::Err(mountstat3::MNT3ERR_NAMETOOLONG),
        |_| Self::Err(mountstat3::MNT3ERR_NOTSUPP), |_| Self::Err(mountstat3::MNT3ERR_SERVERFAULT),
    }
}

/// Theirs has a handle of another type, so that only the bytes are compared.
fn assert_mount_results_agree(seed: u64) {
    use dittofs_xdr::{Decoder, Encode, Encoder};
    use nfs3_types::xdr_codec::{Pack, Unpack};

    let result = mountres3_ok::sample(&mut Source::new(seed));
    let ours = mountres3::Ok(result);
    let mut encoder = Encoder::default();
    ours.encode(&mut encoder);
    let bytes = encoder.finish().to_bytes();
    let (theirs, _) = theirs::mountres3::unpack(&mut &bytes[..]).unwrap();
    let mut again = Vec::new();
    theirs.pack(&mut again).unwrap();
    assert_eq!(again, bytes);
    assert_eq!(Decoder::new(again.into()).get::<mountres3>(), Ok(ours));
}

proptest! {
    #[test]
    fn mount_and_portmap_agree_with_the_oracle(seed: u64) {
        assert_agree::<dirpath, theirs::dirpath<'_>>(seed);
        assert_agree::<mountres3, theirs::mountres3<'_>>(seed);
        assert_mount_results_agree(seed);
        assert_agree::<LinkedList<mountbody>, theirs::mountlist<'_, '_>>(seed);
        assert_agree::<LinkedList<exportnode>, theirs::exports<'_, '_>>(seed);
        assert_agree::<mapping, portmap::mapping>(seed);
        assert_agree::<LinkedList<mapping>, portmap::pmaplist>(seed);
    }
}
