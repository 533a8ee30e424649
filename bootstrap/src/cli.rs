//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;

/// The file that `dittofs init` writes. A configuration that lies where a command is given is that command's.
pub(crate) const FILE_HERE: &str = "dittofs.yaml";

/// A file server in user space: NFS over metadata and content stores of your choice.
///
/// Without any configuration, `dittofs serve` serves the share /export from a folder of this machine
/// on 127.0.0.1:12049, and prints the command that mounts it.
#[derive(Debug, Parser)]
#[command(name = "dittofs", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until SIGTERM or SIGINT
    Serve(ServeOptions),
    /// Write a commented configuration file
    Init {
        /// The file to write; an existing file is never overwritten
        #[arg(default_value = FILE_HERE)]
        file: PathBuf,
    },
    /// Check a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List, show, rename and remove shares
    #[command(subcommand)]
    Share(ShareCommand),
    /// Manage the keys that encrypt file content
    #[command(subcommand)]
    Key(KeyCommand),
    /// Manage the users that log on by name and password
    #[command(subcommand)]
    User(UserCommand),
    /// Check shares for damage: names, maps, references, and the checksums of all bytes
    ///
    /// Beside a running server it changes nothing and disturbs nobody. Exit status: 0 clean; 1 something was found,
    /// repaired or not, or a key is missing; 2 wrong usage; 3 not everything could be checked.
    Check(CheckArguments),
    /// Write backups of shares while they are served, and release pinned backups
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Restore the shares of a backup into stores that don't have them
    ///
    /// The server must be stopped. The configuration names the shares and their stores. The original shares may stay
    /// in use beside them, with another data folder and another content store.
    Restore(RestoreArguments),
    /// Make the running server read its configuration again, and report what it applied
    ///
    /// Shares come and go, and their policies change, while all others are served. The report names what needs a
    /// restart. SIGHUP does the same. Exit status: 0 everything was applied or needs a restart; 1 something failed, or
    /// no server runs; 2 the configuration can't be used.
    Reload(ConfigFile),
    /// Print a completion script for a shell
    #[command(after_help = "Example: dittofs completions bash > /etc/bash_completion.d/dittofs")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The options of `serve`; they win over the environment and the file.
#[derive(Args, Debug)]
pub struct ServeOptions {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: ConfigFile,
    /// The address of NFS and MOUNT (`adapters.nfs.listen`); port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub nfs: Option<SocketAddr>,
    /// Accept requests from any source port in all shares (`secure_ports: false`): for clients in user space. Any user
    /// of a client's machine can then claim to be anybody, root included
    #[arg(long)]
    pub insecure_ports: bool,
    /// Start although acknowledged changes of this share are missing, old or damaged, and accept their loss. Without
    /// this option the server reports what would be lost. Can be given several times
    #[arg(long, value_name = "SHARE")]
    pub accept_loss: Vec<String>,
    /// Take over the objects of this share from another server, which then stops flushing. Without this option the
    /// server reports who holds them. Can be given several times
    #[arg(long, value_name = "SHARE")]
    pub take_over: Vec<String>,
}

/// The options of `check`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Only these shares, such as /export; all by default
    #[arg(value_name = "SHARE")]
    pub shares: Vec<String>,
    /// Repair what can be repaired without inventing or deleting content: link counts, parents, references, files
    /// without a name (they go to lost+found), sums. The server must be stopped
    #[arg(long)]
    pub repair: bool,
    /// Delete orphaned objects, which no share uses
    #[arg(long, requires = "repair")]
    pub delete_orphans: bool,
    /// Don't read file content
    #[arg(long)]
    pub no_content: bool,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: ConfigFile,
}

/// The commands below `backup`.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Write a backup: each share as of one instant, with everything that was acknowledged before
    ///
    /// The running server writes it. Clients' changes wait a few seconds at most, reads don't.
    Create {
        /// The folder to write to: empty, or not there yet
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Only this share, such as /export; can be given several times. All shares by default
        #[arg(long, value_name = "NAME")]
        share: Vec<String>,
        /// Don't copy the objects: they stay in the content store until the backup is released
        #[arg(long)]
        pin: bool,
        /// Continue although damaged metadata of files keeps their newest bytes from being stored: the backup lacks
        /// these bytes, and names the files
        #[arg(long)]
        allow_damaged: bool,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// List the backups that pin objects in content stores
    List(ConfigFile),
    /// Release the objects that a backup pins: a backup written with --pin can't be restored any more
    Release {
        /// The id of the backup, as printed by `backup create`
        id: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
}

/// The options of `restore`.
#[derive(Args, Debug)]
pub struct RestoreArguments {
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The content store that still has the objects, for a backup that was written with --pin. It is only read
    #[arg(long, value_name = "STORE")]
    pub objects: Option<String>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: ConfigFile,
}

/// The configuration that a command works with.
#[derive(Args, Debug)]
pub struct ConfigFile {
    /// The configuration (YAML). By default ./dittofs.yaml if it exists, else a share /export below the data
    /// folder. Environment variables such as DITTOFS_LOG__LEVEL=debug override single fields
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the server (`data`), which only one server at a time can use. By default
    /// /var/lib/dittofs for root, else $XDG_DATA_HOME/dittofs or ~/.local/share/dittofs
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The commands below `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show what is wrong with a configuration, and how to fix it
    Check(ConfigFile),
}

/// The commands below `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Add a random key to a key file. It encrypts everything that is written from now on
    ///
    /// Creates the file, for its owner only, if it does not exist. A running server uses the key within seconds.
    Add {
        /// The key file, as in `encryption.key_file` of a share
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The commands below `share`.
#[derive(Debug, Subcommand)]
pub enum ShareCommand {
    /// List the shares
    List(ConfigFile),
    /// Show one share: its stores, what it survives, and who may use it
    Show {
        /// The share's name, such as /export
        name: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// Rename a share; its files, and the handles of its clients, stay as they are. The server
    /// must be stopped, and the configuration must then use the new name
    Rename {
        /// Its name, such as /export
        old: String,
        /// The new name
        new: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// Remove a share that the configuration does not name, with all its files, for good
    ///
    /// Shows what there is, and asks before it removes anything. The server must be stopped.
    Remove {
        /// Its name, such as /export; or its id, if several shares have that name
        name: String,
        /// Don't ask for confirmation
        #[arg(long)]
        yes: bool,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
}

/// The commands below `user`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user; a running server lets it log on at once
    ///
    /// Asks for the password twice, or reads it as the first line of standard input if that is not a terminal.
    Add {
        /// Its name, such as alice; upper and lower case are the same
        name: String,
        /// Its user id in the file system, as NFS clients know it
        #[arg(long, value_name = "N")]
        uid: u32,
        /// Its primary group
        #[arg(long, value_name = "N")]
        gid: u32,
        /// A further group; can be given several times
        #[arg(long, value_name = "N")]
        group: Vec<u32>,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// List the users
    List(ConfigFile),
    /// Change the groups of a user, or whether it may log on
    #[command(group(ArgGroup::new("change").multiple(true).required(true)))]
    Change {
        /// Its name
        name: String,
        /// Its primary group
        #[arg(long, value_name = "N", group = "change")]
        gid: Option<u32>,
        /// One of its further groups, which replace all that it has; can be given several times
        #[arg(long, value_name = "N", group = "change")]
        group: Vec<u32>,
        /// Take all further groups away
        #[arg(long, group = "change", conflicts_with = "group")]
        no_groups: bool,
        /// Don't let it log on
        #[arg(long, group = "change")]
        disable: bool,
        /// Let it log on again
        #[arg(long, group = "change", conflicts_with = "disable")]
        enable: bool,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// Give a user another password
    ///
    /// Asks for the password twice, or reads it as the first line of standard input if that is not a terminal.
    Passwd {
        /// Its name
        name: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// Remove a user; its files stay
    Remove {
        /// Its name
        name: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
}
