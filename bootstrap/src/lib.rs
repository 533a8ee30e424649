//! The program `dittofs` as a library: configuration, command line and wiring. The only crate that
//! knows every other, so that a program of your own can embed the server.

mod cli;
mod commands;
pub mod config;
mod facts;
mod logging;
mod machine;
mod program;
pub mod progress;
mod serve;

pub use cli::{
    BackupCommand, CheckArguments, Cli, Command, ConfigCommand, ConfigFile, RestoreArguments, ServeOptions,
    ShareCommand,
};
pub use logging::{AuditError, Logging, init as init_logging};
pub use program::Program;
pub use serve::{Accepting, Locked, Reload, ServeError, serve, serve_accepting, serve_reloading};
