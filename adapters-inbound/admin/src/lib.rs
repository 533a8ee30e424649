//! Management of a running server: HTTP over a local socket, for the program's own commands; and, read-only, over TCP
//! for monitoring (`watch`).
//!
//! Who may open the socket may do everything: it belongs into a folder that only the server's user can enter.
//!
//! - `GET /v1/shares`: all shares, with their space
//! - `POST /v1/shares/ID/check`: looks for damage, without changing anything; `?content=false`: without reading files.
//!   Answers with lines of JSON: how far it is, what it finds, and a summary
//! - `POST /v1/flush`: everything that was acknowledged goes to its content store
//! - `POST /v1/reload`: the configuration is read again; what was taken of it, what needs a restart, and what failed
//! - `POST /v1/backups?folder=DIGITS&pin=false&share=ID`: writes a backup into a folder, whose path is in hexadecimal
//!   digits; of all shares without `share`. Answers with lines of JSON: how far it is, and a summary
//! - `GET /v1/backups`: the backups that pin objects; `DELETE /v1/backups/ID`: releases one
//! - `GET /v1/users`: the users of the server; `DELETE /v1/users/DIGITS`: removes one, whose name is in hexadecimal digits
//! - `POST /v1/users`, with `{"add": {…}}` or `{"change": {…}}`: adds or changes one. A password never comes here, only
//!   what NTLM needs of it
//!
//! This crate does not know: how the server was configured but for what it is given to show, what a flush is.

mod backup;
mod check;
mod client;
mod configured;
mod lines;
mod listener;
mod routes;
mod server;
mod users;
mod watch;
mod wire;

pub use backup::{BackupLine, BackupSummary, BackupView, BackupsView, ReleasedView, backup_phase_word};
pub use check::{CheckLine, CheckSummary, FindingView, KeyView, phase_word};
pub use client::{Client, ClientError};
pub use configured::Configured;
pub use server::serve;
pub use users::{HashDigits, UserRequest, UserView, UsersView};
pub use watch::{Sources, Watch, WatchedThread, serve_watch};
pub use wire::{Refused, ReloadView, ShareFacts, ShareView, SharesView, SpaceView, UnnamedView};

#[cfg(test)]
mod tests;
