//! The program as a process, driven by clients that others wrote, and by raw bytes.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod attributes;
mod auditing;
mod backups;
mod belonging;
mod bucket;
mod bytes_on_the_wire;
mod checking;
mod content;
mod creation;
mod damaged;
mod disk_cache;
mod handles;
mod hot_copies;
mod libnfs;
mod lines;
mod links;
mod listing;
mod logging;
mod management;
mod measuring;
mod mounting;
mod object_store;
mod outages;
mod owners;
mod persistence;
mod portmapper;
mod removal;
mod renaming;
mod restores;
mod retransmission;
mod rotating;
mod scale;
mod sealing;
mod secrets;
mod session;
mod shares;
mod starting;
mod stopping;
mod takeovers;
mod upgrading;
mod watching;
mod worst_clients;
