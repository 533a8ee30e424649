//! What to begin with, out of requests that real clients have sent (`requests.bin`: each behind its length of four bytes,
//! big-endian).

use dittofs_smb_wire::Command;

const REQUESTS: &[u8] = include_bytes!("../requests.bin");
const HEADER: usize = 64;

/// What a target reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Frames with their lengths.
    Frames,
    /// Messages that begin with this byte: of SMB 2 and 3, encrypted ones, of SMB 1.
    Messages(u8),
    /// The bodies of a command.
    Bodies(Command),
    CreateContexts,
    /// Extended attributes, as they come with an open.
    Attributes,
    NegotiateContext,
    /// Tokens of SPNEGO that begin with this byte.
    Tokens(u8),
    /// Messages of NTLM of this type.
    Ntlm(u8),
    /// A conversation over a pipe behind a byte that chooses, and its parts.
    Pipe,
    RpcCall,
    RpcPdus,
    /// A change of a file behind its class.
    SetInfo,
    /// The input of a file system control.
    Control,
    SecurityDescriptor,
    Text,
    /// Anything.
    Any,
}

impl Kind {
    pub(crate) fn seeds(self) -> Vec<Vec<u8>> {
        let mut seeds = match self {
            Kind::Frames => frames(),
            Kind::Messages(first) => requests().filter(|request| request[0] == first).map(<[u8]>::to_vec).collect(),
            Kind::Bodies(command) => bodies(command),
            Kind::CreateContexts => bodies(Command::CREATE).iter().map(|body| buffer(body, 48, 52)).collect(),
            Kind::Attributes => attributes(),
            Kind::NegotiateContext => negotiate_contexts(),
            Kind::Tokens(first) => starting(tokens(), &[first]),
            Kind::Ntlm(number) => ntlm(number),
            Kind::Pipe => conversations(),
            Kind::RpcCall => calls(),
            Kind::RpcPdus => pdus(),
            Kind::SetInfo => changes().map(|(class, change)| [&[class][..], &change].concat()).collect(),
            Kind::Control => bodies(Command::IOCTL).iter().map(|body| buffer(body, 24, 28)).collect(),
            Kind::SecurityDescriptor => changes().filter(|(class, _)| *class == 0).map(|(_, change)| change).collect(),
            Kind::Text => texts(),
            Kind::Any => requests().map(<[u8]>::to_vec).collect(),
        };
        seeds.retain(|seed| !seed.is_empty());
        seeds
    }
}

fn requests() -> impl Iterator<Item = &'static [u8]> {
    let mut rest = REQUESTS;
    std::iter::from_fn(move || {
        let (length, requests) = rest.split_first_chunk()?;
        let (request, others) = requests.split_at(u32::from_be_bytes(*length) as usize);
        rest = others;
        Some(request)
    })
}

fn frames() -> Vec<Vec<u8>> {
    let framed = |request: &[u8]| [&(request.len() as u32).to_be_bytes()[..], request].concat();
    let pairs = requests().zip(requests().skip(1)).map(|(first, second)| [framed(first), framed(second)].concat());
    requests().map(framed).chain(pairs).collect()
}

/// The bodies of a command, also those within compounds.
fn bodies(command: Command) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for request in requests().filter(|request| request[0] == 0xFE) {
        let mut message = request;
        loop {
            let next = number(message, 20, 4);
            let end = if next == 0 { message.len() } else { next.min(message.len()) };
            if number(message, 12, 2) == usize::from(command.0) {
                bodies.extend(message.get(HEADER..end).map(<[u8]>::to_vec));
            }
            if next < HEADER || end == message.len() {
                break;
            }
            message = &message[end..];
        }
    }
    bodies
}

/// What is where a body says: its offset from the header on, and its length, of four bytes each.
fn buffer(body: &[u8], offset: usize, length: usize) -> Vec<u8> {
    part(body, number(body, offset, 4), number(body, length, 4))
}

fn part(body: &[u8], offset: usize, length: usize) -> Vec<u8> {
    let rest = body.get(offset.saturating_sub(HEADER)..).unwrap_or_default();
    rest[..length.min(rest.len())].to_vec()
}

/// A little-endian number of so many bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Eight bytes behind the name of their create context.
fn attributes() -> Vec<Vec<u8>> {
    let within = |body: Vec<u8>| {
        let at = body.windows(4).position(|window| window == b"ExtA")?;
        body.get(at + 8..).map(<[u8]>::to_vec)
    };
    bodies(Command::CREATE).into_iter().filter_map(within).collect()
}

fn negotiate_contexts() -> Vec<Vec<u8>> {
    let mut contexts = Vec::new();
    for body in bodies(Command::NEGOTIATE) {
        let mut at = number(&body, 28, 4).saturating_sub(HEADER);
        for _ in 0..number(&body, 32, 2) {
            let Some(context) = body.get(at..at + 8) else { break };
            let length = number(context, 2, 2);
            contexts.push([&context[..2], &part(&body, at + HEADER + 8, length)].concat());
            at = (at + 8 + length).next_multiple_of(8);
        }
    }
    contexts
}

fn tokens() -> Vec<Vec<u8>> {
    let token = |body: &Vec<u8>| part(body, number(body, 12, 2), number(body, 14, 2));
    bodies(Command::SESSION_SETUP).iter().map(token).collect()
}

fn ntlm(number: u8) -> Vec<Vec<u8>> {
    let begin = [&b"NTLMSSP\0"[..], &[number, 0, 0, 0]].concat();
    let within = |token: Vec<u8>| {
        let at = token.windows(begin.len()).position(|window| window == begin)?;
        Some(token[at..].to_vec())
    };
    tokens().into_iter().filter_map(within).collect()
}

fn starting(all: Vec<Vec<u8>>, begin: &[u8]) -> Vec<Vec<u8>> {
    all.into_iter().filter(|one| one.starts_with(begin)).collect()
}

/// What is written to pipes.
fn pdus() -> Vec<Vec<u8>> {
    let written = bodies(Command::WRITE).into_iter().map(|body| part(&body, number(&body, 2, 2), number(&body, 4, 4)));
    let asked = bodies(Command::IOCTL).into_iter().map(|body| buffer(&body, 24, 28));
    starting(written.chain(asked).collect(), &[5, 0])
}

/// Bindings, each with each call behind it; in few writes and in many.
fn conversations() -> Vec<Vec<u8>> {
    let (bindings, calls): (Vec<_>, Vec<_>) = pdus().into_iter().partition(|pdu| pdu.get(2) == Some(&11));
    let pairs = bindings.iter().flat_map(|binding| calls.iter().map(move |call| [&binding[..], call].concat()));
    pairs.flat_map(|pair| [0xFEu8, 0xFF, 2].map(|choice| [&[choice][..], &pair].concat())).collect()
}

/// The arguments of calls, for both interfaces and both syntaxes.
fn calls() -> Vec<Vec<u8>> {
    let requests = pdus().into_iter().filter(|pdu| pdu.get(2) == Some(&0) && pdu.len() > 24);
    requests.flat_map(|pdu| [0u8, 1, 2, 3].map(|choice| [&[choice, pdu[22]][..], &pdu[24..]].concat())).collect()
}

/// Changes of files, each with its class.
fn changes() -> impl Iterator<Item = (u8, Vec<u8>)> {
    bodies(Command::SET_INFO).into_iter().map(|body| (body[3], part(&body, number(&body, 8, 2), number(&body, 4, 4))))
}

/// Names and patterns.
fn texts() -> Vec<Vec<u8>> {
    let names = bodies(Command::CREATE).into_iter().map(|body| part(&body, number(&body, 44, 2), number(&body, 46, 2)));
    let patterns = bodies(Command::QUERY_DIRECTORY)
        .into_iter()
        .map(|body| part(&body, number(&body, 24, 2), number(&body, 26, 2)));
    let text = |bytes: Vec<u8>| {
        let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<u16>>()).into_bytes()
    };
    let made = [&b"S-1-5-21-1-2-3-500"[..], b"a:b:$DATA", b"*.t?t\nfile.txt", b"<.\"\nname.ext"];
    names.chain(patterns).map(text).chain(made.map(<[u8]>::to_vec)).collect()
}

#[test]
fn every_kind_is_in_what_was_recorded() {
    for (name, kind, _) in super::targets() {
        assert!(!kind.seeds().is_empty(), "{name}: {kind:?}");
    }
}
