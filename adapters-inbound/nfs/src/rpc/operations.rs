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
    /// Whether its result begins with a status.
    pub has_status: bool,
}

impl Procedure {
    /// One whose result begins with a status.
    pub const fn new(name: &'static str) -> Self {
        Self { name, has_status: true }
    }

    /// One that can't fail.
    pub const fn sure(name: &'static str) -> Self {
        Self { name, has_status: false }
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
        let has_status = self.procedure(procedure).is_some_and(|procedure| procedure.has_status);
        match outcome {
            Outcome::Accepted { stat: 0, .. } if !has_status => "OK",
            Outcome::Accepted { stat: 0, first } => {
                self.statuses.iter().find(|(status, _)| Some(*status) == first).map_or("OTHER", |(_, name)| *name)
            }
            Outcome::Accepted { stat, .. } => {
                NOT_CARRIED_OUT.get((stat as usize).saturating_sub(1)).copied().unwrap_or("OTHER")
            }
            Outcome::Denied => "DENIED",
            Outcome::Silence => "DROPPED",
        }
    }
}
