//! Prints the results of a check.

use std::io::{self, Write};

use dittofs_admin::{CheckSummary, FindingView, KeyView, phase_word};
use dittofs_ports::{CheckObserver, CheckProgress};
use parking_lot::Mutex;

use crate::config::ShareConfig;
use crate::progress::Progress;
use crate::serve;

/// Whether something is wrong.
pub(super) fn is_found(summary: &CheckSummary) -> bool {
    summary.errors > 0 || summary.omitted > 0 || summary.keys.iter().any(|key| !key.is_known || key.unopened > 0)
}

pub(super) fn print_finding(share: &str, finding: &FindingView, out: &mut dyn Write) -> io::Result<()> {
    let place = match &finding.path {
        Some(path) if path.starts_with('/') => format!("{}{path}", share.trim_end_matches('/')),
        Some(path) => format!("{share} {path}"),
        None => share.to_owned(),
    };
    let note = if finding.is_note { "note: " } else { "" };
    let repaired = match finding.repaired {
        None => "",
        Some(true) => " (repaired)",
        Some(false) => " (not repaired)",
    };
    writeln!(out, "{place}: {note}{}{repaired}", finding.text)
}

/// The scope of a check.
#[derive(Clone, Copy)]
pub(super) struct Looked {
    /// Whether nothing but the bytes of files can have been left out.
    pub(super) is_all: bool,
    /// Whether bytes were read.
    pub(super) with_content: bool,
}

pub(super) fn print_summary(
    share: &str,
    summary: &CheckSummary,
    looked: Looked,
    out: &mut dyn Write,
) -> io::Result<()> {
    let CheckSummary { errors, notes, repaired, omitted, undecided, nodes, objects, verified_bytes, .. } = summary;
    let CheckSummary { keys, unflushed_bytes, .. } = summary;
    // Only what was looked at is clean.
    let verdict = match (is_found(summary), *errors) {
        (true, 0) if *omitted == 0 => "nothing is damaged, but not all can be read".to_owned(),
        (true, _) => format!("{errors} errors, {repaired} findings repaired"),
        (false, _) if !looked.is_all => "nothing wrong in what was looked at".to_owned(),
        (false, _) if !looked.with_content => "clean but for the bytes, which were not read".to_owned(),
        (false, _) => "clean".to_owned(),
    };
    write!(out, "{share}: {verdict}; {nodes} nodes, {objects} objects, {verified_bytes} bytes verified")?;
    for (count, what) in [
        (notes, "notes"),
        (omitted, "more not reported: repair these and check again"),
        (undecided, "suspicions undecided, as the files were in use: check again"),
        (unflushed_bytes, "bytes that are only in the journal were not looked at"),
    ] {
        if *count > 0 {
            write!(out, "; {count} {what}")?;
        }
    }
    writeln!(out)?;
    print_keys(share, keys, out)
}

/// Prints what is left of a share whose metadata are not there.
pub(super) fn print_left(share: &ShareConfig, left: &[serve::Leftover], out: &mut dyn Write) -> io::Result<()> {
    let (name, store) = (&share.name, &share.metadata_store);
    for leftover in left {
        let found = leftover.described();
        writeln!(
            out,
            "{name}: not checked: there are {found}, but the metadata store `{store}` knows nothing of it: is its disk \
             mounted?"
        )?;
    }
    Ok(())
}

/// Prints how much each key seals, if any of it is sealed.
fn print_keys(share: &str, keys: &[KeyView], out: &mut dyn Write) -> io::Result<()> {
    if keys.iter().all(|key| key.id.is_none()) {
        return Ok(());
    }
    for KeyView { id, objects, bytes, is_known, unopened } in keys {
        let what = id.as_ref().map_or("not sealed".to_owned(), |id| format!("sealed with key {id}"));
        let lacks = match (is_known, unopened) {
            (false, _) => {
                "; this key is not there: put it back; nothing of them is lost, but none can be read".to_owned()
            }
            (true, 0) => String::new(),
            (true, frames) => format!(
                "; {frames} pieces of them do not open: put the other key that had this number back into the file too; if \
                 there was none, they were altered"
            ),
        };
        writeln!(out, "{share}: {what}: {bytes} bytes in {objects} objects{lacks}")?;
    }
    Ok(())
}

/// A bar for each phase, one after the other.
pub(super) struct Bars {
    share: String,
    phase: Mutex<Option<(String, Progress)>>,
}

impl Bars {
    pub(super) fn new(share: &str) -> Bars {
        Bars { share: share.to_owned(), phase: Mutex::new(None) }
    }

    pub(super) fn show(&self, phase: &str, done: u64, of: u64) {
        if of == 0 {
            return;
        }
        let mut shown = self.phase.lock();
        match &*shown {
            Some((current, progress)) if current == phase => progress.report(done, of),
            last => {
                if let Some((_, progress)) = last {
                    progress.report(1, 1);
                }
                let progress = Progress::shown(format!("checking {} ({phase})", self.share));
                progress.report(done, of);
                *shown = Some((phase.to_owned(), progress));
            }
        }
    }
}

impl CheckObserver for Bars {
    fn progress(&self, progress: CheckProgress) {
        self.show(phase_word(progress.phase), progress.done, progress.of);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some((_, progress)) = &*self.phase.lock() {
            progress.report(1, 1);
        }
    }
}
