//! Carries out the commands.

mod share;

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command, ConfigCommand, ConfigFile, ServeOptions, ShareCommand};
use crate::config::{self, Config, ConfigError, SAMPLE, StoreKinds};
use crate::{logging, serve};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("there is no share `{name}`; known: {known}")]
    UnknownShare { name: String, known: String },
    #[error("can't write {}: {source}", file.display())]
    Init { file: PathBuf, source: io::Error },
    #[error("can't print: {0}")]
    Print(#[from] io::Error),
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
}

impl Failure {
    /// 2 where the caller's words are at fault, as clap does; 1 otherwise.
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Config(_) | Failure::UnknownShare { .. } => ExitCode::from(2),
            Failure::Init { .. } | Failure::Print(_) | Failure::Serve(_) => ExitCode::FAILURE,
        }
    }
}

/// Does what the command line says, and tells an error on standard error.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match carry_out(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has gone, as in `dittofs share list | head -1`.
        Err(Failure::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell it to if standard error is closed.
            let _ = writeln!(io::stderr(), "dittofs: {failure}");
            failure.exit_code()
        }
    }
}

fn carry_out(command: Command) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match command {
        Command::Serve(options) => {
            drop(out);
            run_server(options)
        }
        Command::Init { file } => init(&file, &mut out),
        Command::Config(ConfigCommand::Check(source)) => check(&source, &mut out),
        Command::Share(ShareCommand::List(source)) => {
            let config = load(&source)?;
            Ok(share::list(&config.shares, &mut out)?)
        }
        Command::Share(ShareCommand::Show { name, source }) => {
            let config = load(&source)?;
            let found = config.shares.iter().find(|share| share.name == name);
            let share = found.ok_or_else(|| unknown_share(name, &config))?;
            Ok(share::show(share, &config, &mut out)?)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dittofs", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}

fn load(source: &ConfigFile) -> Result<Config, ConfigError> {
    // A variable that isn't text can't be one of ours.
    let environment =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    config::load(source.config.as_deref(), environment, &StoreKinds::built_in())
}

fn run_server(options: ServeOptions) -> Result<(), Failure> {
    let mut config = load(&options.source)?;
    if let Some(listen) = options.nfs {
        config.adapters.nfs.listen = listen;
    }
    config.data = options.data.or(config.data);
    logging::init(&config.log);
    Ok(serve::serve(&config, &StoreKinds::built_in())?)
}

fn init(file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let failure = |source| Failure::Init { file: file.to_owned(), source };
    let mut created = OpenOptions::new().write(true).create_new(true).open(file).map_err(failure)?;
    created.write_all(SAMPLE.as_bytes()).map_err(failure)?;
    created.sync_all().map_err(failure)?;
    let file = file.display();
    writeln!(out, "{file} is written; to serve it: dittofs serve --config {file}")?;
    Ok(())
}

fn check(source: &ConfigFile, out: &mut dyn Write) -> Result<(), Failure> {
    let config = load(source)?;
    let names: Vec<&str> = config.shares.iter().map(|share| share.name.as_str()).collect();
    writeln!(out, "the configuration is sound; shares: {}", names.join(", "))?;
    for notice in config.notices() {
        writeln!(out, "note: {notice}")?;
    }
    Ok(())
}

fn unknown_share(name: String, config: &Config) -> Failure {
    let known: Vec<&str> = config.shares.iter().map(|share| share.name.as_str()).collect();
    Failure::UnknownShare { name, known: known.join(", ") }
}
