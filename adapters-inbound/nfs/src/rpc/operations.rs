//! The names by which the calls of a program are counted and logged.

use super::Outcome;

/// The names of a program's procedures and results.
#[derive(Debug, Clone, Copy)]
pub struct Operations {
    /// The protocol, with its version.
    pub protocol: &'static str,
    /// The procedures, by number.
    pub procedures: &'static [Procedure],
    /// The names of the statuses with which results begin; that of success first.
    pub statuses: &'static [(u32, &'static str)],
}

/// A procedure.
#[derive(Debug, Clone, Copy)]
pub struct Procedure {
    /// Its name.
    pub name: &'static str,
    /// Where the status of its result stands.
    pub status: Status,
}

/// Where a result has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nowhere: the procedure can't fail.
    None,
    /// In front.
    First,
    /// Behind the opaque bytes with which the result begins, by which the client knows its answer again.
    BehindCookie,
}

impl Procedure {
    /// One whose result begins with a status.
    pub const fn new(name: &'static str) -> Self {
        Self { name, status: Status::First }
    }

    /// One that can't fail.
    pub const fn sure(name: &'static str) -> Self {
        Self { name, status: Status::None }
    }

    /// One whose result begins with a cookie, and has its status behind that.
    pub const fn behind_cookie(name: &'static str) -> Self {
        Self { name, status: Status::BehindCookie }
    }
}

/// Names of `accept_stat`, from 1 on (RFC 5531 section 9), as far as this server answers them.
const NOT_CARRIED_OUT: [&str; 4] = ["PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS"];

impl Operations {
    /// Calls that belong to no program.
    pub const OF_NOBODY: Self = Self { protocol: "rpc", procedures: &[], statuses: &[(0, "OK")] };

    /// The procedure of this number; none if the program does not have it.
    pub fn procedure(&self, number: u32) -> Option<&'static Procedure> {
        self.procedures.get(usize::try_from(number).ok()?)
    }

    /// Returns the name of the status with which a procedure ended. For a call that was not carried out, returns RPC's
    /// name for that.
    pub fn result(&self, procedure: u32, outcome: Outcome) -> &'static str {
        let status = self.procedure(procedure).map_or(Status::None, |procedure| procedure.status);
        match outcome {
            Outcome::Accepted { stat: 0, .. } if status == Status::None => "OK",
            Outcome::Accepted { stat: 0, .. } => {
                let found = outcome.status(status);
                self.statuses.iter().find(|(status, _)| Some(*status) == found).map_or("OTHER", |(_, name)| *name)
            }
            Outcome::Accepted { stat, .. } => {
                NOT_CARRIED_OUT.get((stat as usize).saturating_sub(1)).copied().unwrap_or("OTHER")
            }
            Outcome::Denied => "DENIED",
            Outcome::Silence => "DROPPED",
        }
    }
}
