//! Answers as bytes: signed, sealed, and in a frame.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use dittofs_smb_security::{Sender, sealing::TransformHeader};
use dittofs_smb_wire::{OutgoingMessage, frame::HEADER_SIZE};

use crate::{link::Frame, session::Session};

/// An answer to one request, and the session whose key signs it.
pub(super) struct Answer {
    pub(super) message: OutgoingMessage,
    pub(super) signed_by: Option<Arc<Session>>,
}

/// Puts answers into a frame, sealed by a session or signed one by one. None if they are too long for one.
pub(super) fn frame_of(answers: Vec<Answer>, sealed: Option<&Arc<Session>>) -> Option<Frame> {
    if let Some(session) = sealed {
        return sealed_frame(&answers, session);
    }
    let mut pieces: Vec<Bytes> = Vec::with_capacity(1 + 2 * answers.len());
    for Answer { message, signed_by } in answers {
        let (mut head, payload) = message.into_parts();
        if let Some(session) = signed_by {
            let rest: Vec<&[u8]> = payload.iter().map(AsRef::as_ref).collect();
            session.keys.signer.sign(Sender::Server, &mut head, &rest).ok()?;
        }
        pieces.push(head.freeze());
        pieces.extend(payload);
    }
    Frame::new(pieces)
}

fn sealed_frame(answers: &[Answer], session: &Session) -> Option<Frame> {
    let (sealer, _) = session.keys.sealing.as_ref()?;
    let length: usize = answers.iter().map(|answer| answer.message.length()).sum();
    let mut frame = BytesMut::with_capacity(HEADER_SIZE + TransformHeader::LENGTH + length);
    frame.extend_from_slice(&[0; HEADER_SIZE]);
    let segments: Vec<&[u8]> = answers.iter().flat_map(|answer| answer.message.segments()).collect();
    sealer.seal(&segments, &mut frame).ok()?;
    Frame::of_one(frame)
}
