//! The program with one more type of store and one more protocol, as `docs/extending.md` says.

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use dittofs::{
    Cli, Program,
    config::{NoOptions, ProtocolKind, StoreKind},
};
use dittofs_line::Line;
use dittofs_ports::Survives;
use dittofs_tests::stores::LoggedContentStore;

fn main() -> ExitCode {
    let mut program = Program::built_in();
    let logged = StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(LoggedContentStore::new()) as _));
    program.stores = program.stores.with_content("logged", logged);
    program.protocols = program.protocols.with("line", ProtocolKind::of::<Line>());
    program.run(Cli::parse())
}
