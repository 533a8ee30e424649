//! The suite of journals, on every journal.

use std::sync::Arc;

use dittofs_journal::NullJournal;
use dittofs_ports::Journal;
use dittofs_tests::journal_conformance;

journal_conformance!(null, async |limit: u64| Arc::new(NullJournal::new(limit)) as Arc<dyn Journal>);
