//! The program `dittofs`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    dittofs::run(dittofs::Cli::parse())
}
