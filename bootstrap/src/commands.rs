//! Carries out the commands.

mod check;
mod key;
mod rename;
mod share;
mod stored;

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use dittofs_admin::{Client, ClientError, ShareView};

use crate::cli::{Cli, Command, ConfigCommand, ConfigFile, KeyCommand, ServeOptions, ShareCommand};
use crate::config::{self, Config, ConfigError, SAMPLE, StoreKinds};
use crate::{facts, logging, serve};

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
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Rename(#[from] rename::RenameError),
    #[error(transparent)]
    Stored(#[from] stored::StoredError),
    #[error(transparent)]
    Check(#[from] check::CheckError),
    #[error(transparent)]
    Key(#[from] key::KeyError),
}

impl Failure {
    /// 2 where the caller's words are at fault, as clap does; 1 otherwise.
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Config(_)
            | Failure::UnknownShare { .. }
            | Failure::Serve(serve::ServeError::UnknownShare { .. }) => ExitCode::from(2),
            Failure::Check(error) => error.exit_code(),
            Failure::Rename(error) if error.is_of_words() => ExitCode::from(2),
            Failure::Init { .. }
            | Failure::Print(_)
            | Failure::Serve(_)
            | Failure::Client(_)
            | Failure::Key(_)
            | Failure::Rename(_)
            | Failure::Stored(_) => ExitCode::FAILURE,
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
        Command::Check(arguments) => {
            let config = load(&arguments.source)?;
            logging::init(&config.log);
            Ok(check::check(&arguments, &config, &StoreKinds::built_in(), &mut out)?)
        }
        Command::Share(ShareCommand::List(source)) => {
            let shares = shares(&load(&source)?)?;
            Ok(share::list(&shares, &mut out)?)
        }
        Command::Share(ShareCommand::Show { name, source }) => {
            let shares = shares(&load(&source)?)?;
            let found = shares.iter().find(|share| share.facts.name == name);
            Ok(share::show(found.ok_or_else(|| unknown_share(name, &shares))?, &mut out)?)
        }
        Command::Share(ShareCommand::Rename { old, new, source }) => {
            let config = load(&source)?;
            Ok(rename::rename(&old, &new, &config, &StoreKinds::built_in(), &mut out)?)
        }
        Command::Key(KeyCommand::Add { file }) => Ok(key::add(&file, &mut out)?),
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
    config::load_on(source.data.as_deref(), source.config.as_deref(), environment, &StoreKinds::built_in())
}

/// The shares as a running server tells them, or as the configuration and the stores do where none runs.
fn shares(config: &Config) -> Result<Vec<ShareView>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(data) = &config.data {
        match runtime.block_on(Client::new(&serve::socket_in(data)).shares()) {
            Ok(running) => return Ok(running.shares),
            Err(ClientError::NotRunning(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let kinds = StoreKinds::built_in();
    Ok(runtime.block_on(stored::views(facts::of(config), config, &kinds))?)
}

fn run_server(options: ServeOptions) -> Result<(), Failure> {
    let mut config = load(&options.source)?;
    if let Some(listen) = options.nfs {
        config.adapters.nfs.listen = listen;
    }
    logging::init(&config.log);
    // What clients keep private must not be open to every user of this machine, in files of whatever store.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let accepting = serve::Accepting {
        loss: options.accept_loss.into_iter().collect(),
        take_over: options.take_over.into_iter().collect(),
    };
    Ok(serve::serve_accepting(&config, &StoreKinds::built_in(), &accepting)?)
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
    key::check(&config).map_err(key::KeyError::File)?;
    let names: Vec<&str> = config.shares.iter().map(|share| share.name.as_str()).collect();
    writeln!(out, "the configuration is sound; shares: {}", names.join(", "))?;
    for notice in config.notices() {
        writeln!(out, "note: {notice}")?;
    }
    Ok(())
}

fn unknown_share(name: String, shares: &[ShareView]) -> Failure {
    let known: Vec<&str> = shares.iter().map(|share| share.facts.name.as_str()).collect();
    Failure::UnknownShare { name, known: known.join(", ") }
}
