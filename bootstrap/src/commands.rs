//! Carries out the commands.

mod backup;
mod check;
mod key;
mod reload;
mod remove;
mod rename;
mod restore;
mod server;
mod share;
mod stored;
mod table;
mod user;

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use dittofs_admin::{Client, ClientError, ShareView, SharesView};

use crate::cli::{BackupCommand, Cli, Command, ConfigCommand, ConfigFile, FILE_HERE, KeyCommand, ShareCommand};
use crate::config::{self, Config, ConfigError, SAMPLE, StoreKinds, control_socket};
use crate::{Program, facts, logging, serve};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{FILE_HERE} in this folder belongs to user {owner}: if it is meant, name it by --config {FILE_HERE}")]
    OthersFile { owner: u32 },
    #[error("there is no share `{name}`; known: {known}")]
    UnknownShare { name: String, known: String },
    #[error("can't write {}: {source}; name another file: dittofs init FILE", file.display())]
    Init { file: PathBuf, source: io::Error },
    #[error(
        "{} is there already, and is not overwritten; name another file: dittofs init FILE, or move this one away",
        file.display()
    )]
    InitExists { file: PathBuf },
    #[error("can't print: {0}")]
    Print(#[from] io::Error),
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Rename(#[from] rename::RenameError),
    #[error(transparent)]
    Remove(#[from] remove::RemoveError),
    #[error(transparent)]
    Stored(#[from] stored::StoredError),
    #[error(transparent)]
    Check(#[from] check::CheckError),
    #[error(transparent)]
    Backup(#[from] backup::BackupFailure),
    #[error(transparent)]
    Restore(#[from] restore::RestoreFailure),
    #[error(transparent)]
    Reload(#[from] reload::ReloadError),
    #[error(transparent)]
    Key(#[from] key::KeyError),
    #[error(transparent)]
    User(#[from] user::UserFailure),
    #[error("files that the configuration names can't be used:\n  {}", faults.join("\n  "))]
    Files { faults: Vec<String> },
    #[error(transparent)]
    Audit(#[from] logging::AuditError),
}

impl Failure {
    /// 2 where the caller's words are at fault, as clap does; 1 otherwise.
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Config(_)
            | Failure::OthersFile { .. }
            | Failure::UnknownShare { .. }
            | Failure::Serve(serve::ServeError::UnknownShare { .. }) => ExitCode::from(2),
            Failure::Check(error) => error.exit_code(),
            Failure::Rename(error) if error.is_of_words() => ExitCode::from(2),
            Failure::Remove(error) if error.is_of_words() => ExitCode::from(2),
            Failure::Backup(error) if error.is_of_words() => ExitCode::from(2),
            Failure::Restore(error) if error.is_of_words() => ExitCode::from(2),
            Failure::User(error) if error.is_of_words() => ExitCode::from(2),
            Failure::Init { .. }
            | Failure::InitExists { .. }
            | Failure::Print(_)
            | Failure::Serve(_)
            | Failure::Client(_)
            | Failure::Reload(_)
            | Failure::Key(_)
            | Failure::Files { .. }
            | Failure::Audit(_)
            | Failure::Rename(_)
            | Failure::Remove(_)
            | Failure::Backup(_)
            | Failure::Restore(_)
            | Failure::User(_)
            | Failure::Stored(_) => ExitCode::FAILURE,
        }
    }
}

/// Does what the command line says, and reports an error on standard error.
pub(crate) fn run(cli: Cli, program: &Program) -> ExitCode {
    match carry_out(cli.command, program) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has gone, as in `dittofs share list | head -1`.
        Err(Failure::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to report it to if standard error is closed.
            let text = failure.to_string();
            let _ = writeln!(io::stderr(), "dittofs: {}", logging::without_passwords(&text));
            failure.exit_code()
        }
    }
}

fn carry_out(command: Command, program: &Program) -> Result<(), Failure> {
    let load = |source: &ConfigFile| load(source, program);
    let stores = &program.stores;
    let mut out = io::stdout().lock();
    match command {
        Command::Serve(options) => {
            drop(out);
            server::run(options, program)
        }
        Command::Init { file } => init(&file, &mut out),
        Command::Config(ConfigCommand::Check(source)) => check(&source, program, &mut out),
        Command::Check(arguments) => {
            let config = load(&arguments.source)?;
            let _logging = logging::init(&config.log);
            Ok(check::check(&arguments, &config, stores, &mut out)?)
        }
        Command::Share(ShareCommand::List(source)) => {
            let shares = shares(&load(&source)?, stores)?;
            Ok(share::list(&shares, &mut out)?)
        }
        Command::Share(ShareCommand::Show { name, source }) => {
            let shares = shares(&load(&source)?, stores)?;
            let found = shares.shares.iter().find(|share| share.facts.name == name);
            Ok(share::show(found.ok_or_else(|| unknown_share(name, &shares.shares))?, &mut out)?)
        }
        Command::Share(ShareCommand::Rename { old, new, source }) => {
            let config = load(&source)?;
            Ok(rename::rename(&old, &new, &config, stores, &mut out)?)
        }
        Command::Share(ShareCommand::Remove { name, yes, source }) => {
            let config = load(&source)?;
            let with = (&config, stores);
            Ok(remove::remove(&name, yes, with, &mut io::stdin().lock(), &mut out)?)
        }
        Command::Backup(BackupCommand::Create { folder, share, pin, allow_damaged, source }) => {
            let wanted = backup::Wanted { folder, shares: share, pin, allow_damaged };
            Ok(backup::create(&wanted, &load(&source)?, &mut out)?)
        }
        Command::Backup(BackupCommand::List(source)) => Ok(backup::list(&load(&source)?, stores, &mut out)?),
        Command::Backup(BackupCommand::Release { id, source }) => {
            Ok(backup::release(&id, &load(&source)?, stores, &mut out)?)
        }
        Command::Restore(arguments) => {
            let config = load(&arguments.source)?;
            // Restored files are as private as those that are served.
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            let _logging = logging::init(&config.log);
            Ok(restore::restore(&arguments, &config, stores, &mut out)?)
        }
        Command::Reload(source) => Ok(reload::reload(&load(&source)?, &mut out)?),
        Command::Key(KeyCommand::Add { file }) => Ok(key::add(&file, &mut out)?),
        Command::User(command) => {
            let asked = user::Asked::of(command)?;
            let config = load(asked.source())?;
            // The first user makes the store and the key, which are nobody else's.
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            Ok(user::run(asked, &config, stores, &mut out)?)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dittofs", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}

/// The file that a command reads: the one that is named, or the one that lies here.
fn file_of(source: &ConfigFile) -> Result<Option<PathBuf>, Failure> {
    if source.config.is_some() {
        return Ok(source.config.clone());
    }
    let here = Path::new(FILE_HERE);
    let Ok(found) = here.metadata() else { return Ok(None) };
    let us = rustix::process::geteuid().as_raw();
    // In a folder where others may write, it may be anybody's.
    match found.uid() == us || found.uid() == 0 {
        true => Ok(Some(here.to_owned())),
        false => Err(Failure::OthersFile { owner: found.uid() }),
    }
}

fn load(source: &ConfigFile, program: &Program) -> Result<Config, Failure> {
    load_file(source, file_of(source)?.as_deref(), None, program)
}

/// Reads a configuration; `over` is a variable that wins over those of the environment.
fn load_file(
    source: &ConfigFile,
    file: Option<&Path>,
    over: Option<(String, String)>,
    Program { stores, protocols }: &Program,
) -> Result<Config, Failure> {
    // A variable that isn't text can't be one of ours.
    let environment =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let environment = environment.chain(over);
    Ok(config::load_on(source.data.as_deref(), file, environment, stores, protocols)?)
}

/// The shares as a running server lists them, or as the configuration and the stores do where none runs.
fn shares(config: &Config, kinds: &StoreKinds) -> Result<SharesView, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(data) = &config.data {
        match runtime.block_on(Client::new(&control_socket(data)).shares()) {
            Ok(running) => return Ok(running),
            Err(ClientError::NotRunning(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(runtime.block_on(stored::views(facts::of(config), config, kinds))?)
}

fn init(file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let failure = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => Failure::InitExists { file: file.to_owned() },
        _ => Failure::Init { file: file.to_owned(), source },
    };
    let mut created = OpenOptions::new().write(true).create_new(true).open(file).map_err(failure)?;
    created.write_all(SAMPLE.as_bytes()).map_err(failure)?;
    created.sync_all().map_err(failure)?;
    let file = file.display();
    writeln!(out, "{file} is written; to serve it: dittofs serve --config {file}")?;
    Ok(())
}

fn check(source: &ConfigFile, program: &Program, out: &mut dyn Write) -> Result<(), Failure> {
    let file = file_of(source)?;
    match &file {
        Some(file) => writeln!(out, "reading {}", file.display())?,
        None => writeln!(out, "reading no file: without --config, and without {FILE_HERE} here, the defaults hold")?,
    }
    let config = load_file(source, file.as_deref(), None, program)?;
    let missing: Vec<String> = key::faults(&config).into_iter().chain(config::unreadable_files(&config)).collect();
    if !missing.is_empty() {
        return Err(Failure::Files { faults: missing });
    }
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
