//! The answer to a request that takes long: a body of lines. Whoever asked sees how far it is, and no answer gets too
//! long.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinHandle};

/// Between two words about how far it is. Often enough to look alive, and four lines a second cost nothing.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// Lines that wait for a reader; then what sends them waits too. A slow terminal is a screen behind at most.
const LINES_MAX: usize = 64;

/// The answer. Who drops it ends what sends it.
pub(crate) struct LinesBody {
    lines: mpsc::Receiver<Bytes>,
    task: JoinHandle<()>,
}

/// Where lines are sent.
pub(crate) struct Lines(mpsc::Sender<Bytes>);

impl LinesBody {
    /// Makes a body from the lines that a task sends.
    pub(crate) fn of<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce(Lines) -> F) -> LinesBody {
        let (sender, lines) = mpsc::channel(LINES_MAX);
        LinesBody { lines, task: tokio::spawn(task(Lines(sender))) }
    }
}

impl Drop for LinesBody {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Body for LinesBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.lines.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

impl Lines {
    pub(crate) async fn send(&self, line: &impl Serialize) {
        // Every type that is sent has text for keys, which is all that could fail.
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        // Nobody reads any more: this task is about to be ended.
        let _ = self.0.send(Bytes::from(text)).await;
    }
}
