//! The program `dittofs`.

use std::process::ExitCode;

use clap::Parser;

/// A request makes and drops about ten small allocations: glibc's allocator takes a tenth of a small read's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dittofs::Program::built_in().run(dittofs::Cli::parse())
}
