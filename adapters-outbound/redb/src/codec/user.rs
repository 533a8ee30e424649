//! Users: revision (8 bytes), uid (4), gid (4), flags (1), the name's length (2) and the name, the number of groups (2)
//! and the groups (4 each), then the sealed secret. The machine: three numbers of 4 bytes.

use dittofs_domain::users::{MachineId, SealedSecret, User, UserName};
use dittofs_ports::{Revision, StoredUser};

use super::{Reader, VERSION, decode};
use crate::fault::Fault;

const DISABLED: u8 = 1;

/// None for more groups than a user has.
pub(crate) fn encode_user(StoredUser { user, revision }: &StoredUser) -> Option<Vec<u8>> {
    let name = user.name.as_str().as_bytes();
    let mut out = vec![VERSION];
    out.extend_from_slice(&revision.0.to_le_bytes());
    out.extend_from_slice(&user.uid.to_le_bytes());
    out.extend_from_slice(&user.gid.to_le_bytes());
    out.push(if user.disabled { DISABLED } else { 0 });
    out.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&u16::try_from(user.groups.len()).ok()?.to_le_bytes());
    user.groups.iter().for_each(|group| out.extend_from_slice(&group.to_le_bytes()));
    out.extend_from_slice(user.secret.bytes());
    Some(out)
}

pub(crate) fn decode_user(bytes: &[u8]) -> Result<StoredUser, Fault> {
    decode("a user", bytes, read)
}

fn read(reader: &mut Reader<'_>) -> Option<StoredUser> {
    let revision = Revision(reader.u64()?);
    let (uid, gid) = (reader.u32()?, reader.u32()?);
    let flags = reader.u8().filter(|flags| flags & !DISABLED == 0)?;
    let len = reader.u16()?;
    let name = UserName::new(std::str::from_utf8(reader.bytes(len.into())?).ok()?).ok()?;
    let count = reader.u16()?;
    let groups = (0..count).map(|_| reader.u32()).collect::<Option<Vec<u32>>>()?;
    let secret = SealedSecret::new(reader.rest())?;
    let disabled = flags & DISABLED != 0;
    Some(StoredUser { user: User { name, uid, gid, groups, disabled, secret }, revision })
}

pub(crate) fn encode_machine(machine: MachineId) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&machine.to_bytes());
    out
}

pub(crate) fn decode_machine(bytes: &[u8]) -> Result<MachineId, Fault> {
    decode("the machine's id", bytes, |reader| reader.array().map(MachineId::from_bytes))
}
