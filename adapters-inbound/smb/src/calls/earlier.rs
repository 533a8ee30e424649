//! Answers of a frame that are there before its last request is (MS-SMB2, 3.3.4.2).

use std::sync::Arc;

use dittofs_domain::opens::OpenToken;
use parking_lot::Mutex;

use super::{Answer, frame_of, link_answers};
use crate::{link::Link, session::Session};

/// The answers to all requests of a frame but the last. Where that has to wait, they do not wait for it: its client
/// may need them to know what it can cancel.
pub(super) struct Earlier {
    answers: Mutex<Vec<Answer>>,
    /// Opens with oplocks that they tell of.
    new_oplocks: Vec<OpenToken>,
}

impl Earlier {
    pub(super) fn new(answers: Vec<Answer>, new_oplocks: Vec<OpenToken>) -> Arc<Earlier> {
        Arc::new(Earlier { answers: Mutex::new(answers), new_oplocks })
    }

    /// Takes those that were not sent.
    pub(super) fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut *self.answers.lock())
    }

    /// Sends them, in a frame of their own.
    pub(super) fn send(&self, link: &Link, sealed: Option<&Arc<Session>>) {
        let mut answers = self.take();
        if answers.len() > 1 {
            link_answers(&mut answers);
        }
        if answers.is_empty() {
            return;
        }
        if let Some(frame) = frame_of(answers, sealed) {
            // The connection may be over.
            link.outbox.send(frame).ok();
        }
        // Breaks of what they tell of go out behind them.
        for token in &self.new_oplocks {
            link.server.caching.answered(*token);
        }
    }
}
