//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
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
    /// Run the server, until SIGTERM or SIGINT
    Serve(ServeOptions),
    /// Write a commented configuration file
    Init {
        /// The file to write; one that exists is never overwritten
        #[arg(default_value = FILE_HERE)]
        file: PathBuf,
    },
    /// Work with a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the shares, rename and remove them
    #[command(subcommand)]
    Share(ShareCommand),
    /// Work with the keys that encrypt what is in the files
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look for damage in the shares: names, maps, references, and the checksums of all bytes
    ///
    /// Beside a running server it changes nothing and disturbs nobody. Exit status: 0 clean; 1 something was found,
    /// mended or not; 2 wrong usage; 3 not all could be checked.
    Check(CheckArguments),
    /// Write backups of shares while they are served, and release what they pin
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Bring the shares of a backup back, into stores that don't have them
    ///
    /// The server must be stopped. The configuration names the shares, and the stores that they go to. The shares that
    /// were backed up may live on beside them, with another data folder and another content store.
    Restore(RestoreArguments),
    /// Have the running server read its configuration again, and say what it took of it
    ///
    /// Shares come and go, and who may use them and how changes, while all others are served; what needs a restart is
    /// named. SIGHUP does the same. Exit status: 0 all was taken or needs a restart; 1 something failed, or no server runs;
    /// 2 the configuration can't be used.
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
    /// Where NFS and MOUNT are served (`adapters.nfs.listen`); port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub nfs: Option<SocketAddr>,
    /// Take requests from any source port in all shares (`secure_ports: false`): for clients in user space. Any user of a client's
    /// machine may then be anybody, root included
    #[arg(long)]
    pub insecure_ports: bool,
    /// Start though acknowledged changes of this share are missing, old or damaged, and give them up. The server
    /// says first, without this, what would be lost. May be given several times
    #[arg(long, value_name = "SHARE")]
    pub accept_loss: Vec<String>,
    /// Take the objects of this share though another server holds them, which stops flushing then. The server says
    /// first, without this, who that is. May be given several times
    #[arg(long, value_name = "SHARE")]
    pub take_over: Vec<String>,
}

/// The options of `check`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Only these shares, such as /export; by default all
    #[arg(value_name = "SHARE")]
    pub shares: Vec<String>,
    /// Mend what can be mended without inventing or deleting content: link counts, parents, references, files
    /// without a name (they go to lost+found), sums. The server must be stopped
    #[arg(long)]
    pub repair: bool,
    /// Delete objects that no share knows of
    #[arg(long, requires = "repair")]
    pub delete_orphans: bool,
    /// Don't read what is in the files
    #[arg(long)]
    pub no_content: bool,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub source: ConfigFile,
}

/// The commands below `backup`.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Write a backup: each share as it is at one instant, with all that was acknowledged before
    ///
    /// The running server writes it. Clients' changes wait for some seconds at most, reads don't.
    Create {
        /// The folder that it goes to: empty, or not there yet
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Only this share, such as /export; may be given several times, by default all
        #[arg(long, value_name = "NAME")]
        share: Vec<String>,
        /// Don't copy the objects: they stay in the content store, and are kept until the backup is released
        #[arg(long)]
        pin: bool,
        /// Go on where metadata of files is damaged, so that what was written to them last can't be stored: the backup
        /// is without these bytes, and says of which files
        #[arg(long)]
        allow_damaged: bool,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// List the backups that keep objects in content stores
    List(ConfigFile),
    /// Let a backup keep nothing any more: one that was written with --pin can't be restored then
    Release {
        /// Its id, as `backup create` printed it
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
    /// The configuration (YAML). Without it: a share /export below the data folder. Variables of the
    /// environment, such as DITTOFS_LOG__LEVEL=debug, override single fields of either
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the server (`data`), which no second one may use at the same time. By default
    /// /var/lib/dittofs for root, else $XDG_DATA_HOME/dittofs or ~/.local/share/dittofs
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The commands below `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with a configuration, and how to mend it
    Check(ConfigFile),
}

/// The commands below `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Add a random key to a key file, which seals what is written from now on
    ///
    /// Makes the file, for its owner alone, where it is not there. A running server sees the key within seconds.
    Add {
        /// The file, as `encryption.key_file` of a share names it
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
    /// Give a share another name; its files, and the handles of its clients, stay as they are. The server
    /// must be stopped, and the configuration must name the share by its new name afterwards
    Rename {
        /// Its name, such as /export
        old: String,
        /// The name that it gets
        new: String,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
    /// Remove a share that the configuration does not name, with all its files, for good
    ///
    /// Shows what there is, and asks before anything is removed. The server must be stopped.
    Remove {
        /// Its name, such as /export; or its id, where several shares have that name
        name: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
        /// Where the configuration comes from.
        #[command(flatten)]
        source: ConfigFile,
    },
}
