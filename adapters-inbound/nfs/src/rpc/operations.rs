//! How the calls of a program are told apart when they are counted.

/// The names of a program's procedures and results.
#[derive(Debug, Clone, Copy)]
pub struct Operations {
    /// The protocol, with its version.
    pub protocol: &'static str,
    /// The procedures, by number.
    pub procedures: &'static [Procedure],
    /// What the statuses that results begin with are called; that of success first.
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

impl Operations {
    /// Calls that belong to no program.
    pub const OF_NOBODY: Self = Self { protocol: "rpc", procedures: &[], statuses: &[(0, "OK")] };
}
