//! Users come, change and go.

use dittofs_domain::users::{MachineId, UserName};
use dittofs_ports::{Revision, StoredUser};

use super::{Batch, Refused};
use crate::{codec, fault::Fault, keys, tables::Kind};

impl Batch<'_> {
    /// Answers the machine that is there, else the one that is proposed, which it then is.
    pub(crate) fn machine(&mut self, proposed: MachineId) -> Result<MachineId, Refused> {
        if let Some(machine) = self.tables.machine()? {
            return Ok(machine);
        }
        self.tables.put(Kind::User, keys::MACHINE, Some(&codec::encode_machine(proposed)))?;
        self.is_changed = true;
        Ok(proposed)
    }

    /// Keeps a state of a user in the place of another one.
    pub(crate) fn put_user(&mut self, user: &StoredUser, over: Option<Revision>) -> Result<(), Refused> {
        let found = self.tables.user(&user.user.name)?.map(|found| found.revision);
        if found == Some(user.revision) {
            return Ok(());
        }
        if found != over {
            return Err(Refused::Conflict);
        }
        let value = codec::encode_user(user).ok_or_else(|| Fault::damaged("a user with too many groups"))?;
        self.tables.put(Kind::User, &keys::user(user.user.name.folded()), Some(&value))?;
        self.is_changed = true;
        Ok(())
    }

    /// Removes a user in a state.
    pub(crate) fn remove_user(&mut self, name: &UserName, revision: Revision) -> Result<(), Refused> {
        match self.tables.user(name)?.map(|found| found.revision) {
            None => return Ok(()),
            Some(found) if found != revision => return Err(Refused::Conflict),
            Some(_) => {}
        }
        self.tables.put(Kind::User, &keys::user(name.folded()), None)?;
        self.is_changed = true;
        Ok(())
    }
}
