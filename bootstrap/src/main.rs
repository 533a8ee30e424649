//! The program `dittofs`.

mod allocator;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    dittofs::Program::built_in().run(dittofs::Cli::parse())
}
