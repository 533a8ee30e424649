//! A program: this one, or one that embeds it with stores and protocols of its own.

use std::process::ExitCode;

use crate::cli::Cli;
use crate::commands;
use crate::config::{Protocols, StoreKinds};

/// The protocols that a program can serve, and the stores that it can serve from.
#[derive(Clone, Debug)]
pub struct Program {
    /// The types of store that a configuration can name.
    pub stores: StoreKinds,
    /// The protocols that it can name.
    pub protocols: Protocols,
}

impl Program {
    /// The program as it is without additions.
    #[must_use]
    pub fn built_in() -> Program {
        Program { stores: StoreKinds::built_in(), protocols: Protocols::built_in() }
    }

    /// Does what the command line says, and reports an error on standard error.
    #[must_use]
    pub fn run(&self, cli: Cli) -> ExitCode {
        commands::run(cli, self)
    }
}
