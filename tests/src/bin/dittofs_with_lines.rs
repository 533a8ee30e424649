//! The program with one more protocol.

use std::process::ExitCode;

use clap::Parser;
use dittofs::{Program, config::ProtocolKind};
use dittofs_line::Line;

fn main() -> ExitCode {
    let mut program = Program::built_in();
    program.protocols = program.protocols.with("line", ProtocolKind::of::<Line>());
    program.run(dittofs::Cli::parse())
}
