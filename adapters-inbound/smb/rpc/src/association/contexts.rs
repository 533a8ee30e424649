//! The choices of interface and transfer syntax that requests may name.

use crate::cursor::Malformed;
use crate::interface::Interface;
use crate::ndr::Syntax;
use crate::pdu::{ContextResult, PresentationElement};

/// The contexts that a client may have. One is enough for each, so that more mean a broken client.
const MAX_CONTEXTS: usize = 16;

/// The presentation contexts of an association (C706 12.6.3.1). All lead to the interface of the pipe.
#[derive(Default, Debug)]
pub(crate) struct PresentationContexts {
    accepted: Vec<(u16, Syntax)>,
}

impl PresentationContexts {
    /// The transfer syntax of a context.
    pub(crate) fn syntax(&self, context_id: u16) -> Option<Syntax> {
        self.accepted.iter().find(|(id, _)| *id == context_id).map(|(_, syntax)| *syntax)
    }

    /// Answers the proposals of a bind. They may hold an exchange of features besides.
    pub(crate) fn bind(
        &mut self,
        interface: Interface,
        elements: &[PresentationElement],
    ) -> Result<Vec<ContextResult>, Malformed> {
        let features = elements.iter().filter(|element| element.features().is_some()).count();
        if features > 1 {
            return Err(Malformed);
        }
        self.answer(interface, elements, PresentationElement::features)
    }

    /// Answers the proposals of an alter_context.
    pub(crate) fn alter(
        &mut self,
        interface: Interface,
        elements: &[PresentationElement],
    ) -> Result<Vec<ContextResult>, Malformed> {
        self.answer(interface, elements, |_| None)
    }

    /// Accepts one proposal at most (MS-RPCE 3.3.1.5.6): the first one in NDR32, else the first one in NDR64.
    ///
    /// Proposals that hold nothing to choose from are an error, and so is one that changes the syntax of a context.
    fn answer(
        &mut self,
        interface: Interface,
        elements: &[PresentationElement],
        features: impl Fn(&PresentationElement) -> Option<u64>,
    ) -> Result<Vec<ContextResult>, Malformed> {
        if elements.is_empty() || elements.iter().any(|element| element.transfer_syntaxes.is_empty()) {
            return Err(Malformed);
        }
        let mut results: Vec<_> = elements
            .iter()
            .map(|element| match features(element) {
                Some(features) => ContextResult::NegotiateAck(common_features(features)),
                None if element.abstract_syntax != interface.id() => ContextResult::AbstractSyntaxNotSupported,
                None => ContextResult::TransferSyntaxesNotSupported,
            })
            .collect();
        let chosen = [Syntax::Ndr32, Syntax::Ndr64].into_iter().find_map(|syntax| {
            elements
                .iter()
                .zip(&results)
                .position(|(element, result)| {
                    *result == ContextResult::TransferSyntaxesNotSupported
                        && element.transfer_syntaxes.contains(&syntax.id())
                })
                .map(|index| (index, syntax))
        });
        if let Some((index, syntax)) = chosen
            && let (Some(element), Some(result)) = (elements.get(index), results.get_mut(index))
        {
            *result = self.accept(element.context_id, syntax)?;
        }
        Ok(results)
    }

    fn accept(&mut self, context_id: u16, syntax: Syntax) -> Result<ContextResult, Malformed> {
        match self.syntax(context_id) {
            Some(earlier) if earlier == syntax => Ok(ContextResult::Acceptance(syntax)),
            Some(_) => Err(Malformed),
            None if self.accepted.len() >= MAX_CONTEXTS => Ok(ContextResult::LocalLimitExceeded),
            None => {
                self.accepted.push((context_id, syntax));
                Ok(ContextResult::Acceptance(syntax))
            }
        }
    }
}

impl PresentationElement {
    /// The features that the client offers in this element, if it isn't a proposal. Only the first syntax counts.
    fn features(&self) -> Option<u64> {
        self.transfer_syntaxes.first()?.bind_time_features()
    }
}

/// The features that both sides have (MS-RPCE 2.2.2.14). There is no security context here that could be multiplexed.
fn common_features(offered: u64) -> u16 {
    const KEEP_CONNECTION_ON_ORPHAN: u16 = 2;
    u16::try_from(offered & u64::from(KEEP_CONNECTION_ON_ORPHAN)).unwrap_or(0)
}
