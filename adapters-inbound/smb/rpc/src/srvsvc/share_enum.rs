//! NetrShareEnum and NetrShareEnumSticky.

use bytes::Bytes;

use super::share_info::Member;
use crate::cursor::Malformed;
use crate::ndr::{NdrReader, NdrWriter, Syntax, Value};
use crate::pdu::Fault;
use crate::server::{Server, Share};
use crate::win32::{ERROR_ACCESS_DENIED, ERROR_INVALID_LEVEL, ERROR_MORE_DATA, ERROR_SUCCESS};

/// The bytes of the longest listing, about: a thousand shares take 100 KiB. A client gets the rest by further calls.
pub const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// NetrShareEnum (MS-SRVS 3.1.4.8): all listed shares.
///
/// Levels 0, 1 and 501 are answered. 2, 502 and 503 tell paths and permissions of all shares, and are for
/// administrators.
pub(super) fn netr_share_enum(arguments: &mut NdrReader, syntax: Syntax, server: &Server) -> Result<Bytes, Fault> {
    let request = Enumeration::read(arguments)?;
    let shares: Vec<_> = server.shares.iter().filter(|share| share.listed).collect();
    let page = match request.level {
        0 | 1 | 501 => request.page(&shares, syntax),
        _ => request.refusal(ERROR_ACCESS_DENIED),
    };
    Ok(request.write(&page, syntax))
}

/// NetrShareEnumSticky (MS-SRVS 3.1.4.9): the shares that an administrator has made, so not `IPC$`. Level 501 doesn't
/// exist.
pub(super) fn netr_share_enum_sticky(
    arguments: &mut NdrReader,
    syntax: Syntax,
    server: &Server,
) -> Result<Bytes, Fault> {
    let request = Enumeration::read(arguments)?;
    let shares: Vec<_> = server.shares.iter().filter(|share| share.listed && !share.special).collect();
    let page = match request.level {
        0 | 1 => request.page(&shares, syntax),
        501 => request.refusal(ERROR_INVALID_LEVEL),
        _ => request.refusal(ERROR_ACCESS_DENIED),
    };
    Ok(request.write(&page, syntax))
}

/// The arguments of both procedures.
#[derive(Clone, Copy, Debug)]
struct Enumeration {
    level: u32,
    /// Of an entry of that level.
    members: &'static [Member],
    /// The bytes that the client prefers the entries to take at most.
    preferred_bytes: u32,
    /// How many entries earlier calls have returned, if the client can receive that number.
    resume_handle: Option<u32>,
}

/// The results of both procedures.
#[derive(Debug)]
struct Page<'a> {
    status: u32,
    entries: Vec<Vec<Value<'a>>>,
    /// The entries that there are from the resume handle on.
    total: usize,
    resume_handle: u32,
}

impl Enumeration {
    /// Reads what follows the server's name. A level for which SHARE_ENUM_UNION (MS-SRVS 2.2.3.5) has no container is a
    /// fault: nothing says what the client sends or awaits in its place.
    fn read(arguments: &mut NdrReader) -> Result<Self, Fault> {
        arguments.align_word()?;
        let level = arguments.u32()?;
        if arguments.discriminant()? != level {
            return Err(Fault::BAD_STUB_DATA);
        }
        let members = match level {
            0 | 1 | 2 | 501 | 502 | 503 => Member::of_level(level).ok_or(Fault::INVALID_TAG)?,
            _ => return Err(Fault::INVALID_TAG),
        };
        if arguments.pointer()? {
            skip_container(arguments, members)?;
        }
        let preferred_bytes = arguments.u32()?;
        let resume_handle = if arguments.pointer()? { Some(arguments.u32()?) } else { None };
        Ok(Self { level, members, preferred_bytes, resume_handle })
    }

    /// The entries from the resume handle on that fit: at least one, so that the client gets on.
    fn page<'a>(&self, shares: &[&'a Share], syntax: Syntax) -> Page<'a> {
        let start = usize::try_from(self.resume_handle.unwrap_or(0)).unwrap_or(usize::MAX).min(shares.len());
        let rest = shares.get(start..).unwrap_or_default();
        let limit = usize::try_from(self.preferred_bytes).unwrap_or(usize::MAX).min(MAX_RESPONSE_BYTES);
        let mut used = 0_usize;
        let entries: Vec<Vec<_>> = rest
            .iter()
            .map(|share| self.members.iter().map(|member| member.value(share)).collect::<Vec<_>>())
            .take_while(|entry| {
                let is_first = used == 0;
                used += entry.iter().map(|value| value.encoded_bytes(syntax)).sum::<usize>();
                is_first || used <= limit
            })
            .collect();
        let (status, resume_handle) = if entries.len() < rest.len() {
            (ERROR_MORE_DATA, u32::try_from(start + entries.len()).unwrap_or(u32::MAX))
        } else {
            (ERROR_SUCCESS, 0)
        };
        Page { status, entries, total: rest.len(), resume_handle }
    }

    fn refusal(&self, status: u32) -> Page<'static> {
        Page { status, entries: Vec::new(), total: 0, resume_handle: self.resume_handle.unwrap_or(0) }
    }

    fn write(&self, page: &Page<'_>, syntax: Syntax) -> Bytes {
        let mut results = NdrWriter::new(syntax);
        results.align_word();
        results.u32(self.level);
        results.discriminant(self.level);
        results.pointer();
        results.align_word();
        results.u32(u32::try_from(page.entries.len()).unwrap_or(0));
        if page.entries.is_empty() {
            results.null();
        } else {
            results.pointer();
            results.count(page.entries.len());
            results.structures(&page.entries);
        }
        results.u32(u32::try_from(page.total).unwrap_or(u32::MAX));
        if self.resume_handle.is_some() {
            results.pointer();
            results.u32(page.resume_handle);
        } else {
            results.null();
        }
        results.u32(page.status);
        results.into_stub()
    }
}

/// Passes over a container (MS-SRVS 2.2.4.32 to 2.2.4.37). Clients send it empty, but entries are no error.
fn skip_container(arguments: &mut NdrReader, members: &[Member]) -> Result<(), Malformed> {
    arguments.align_word()?;
    let entries_read = usize::try_from(arguments.u32()?).map_err(|_| Malformed)?;
    if !arguments.pointer()? {
        return Ok(());
    }
    let count = arguments.count()?;
    if count != entries_read || count > arguments.remaining() {
        return Err(Malformed);
    }
    let mut pointers = Vec::new();
    for _ in 0..count {
        arguments.align_word()?;
        for member in members {
            if !member.is_pointer() {
                arguments.u32()?;
            } else if arguments.pointer()? {
                pointers.push(*member);
            }
        }
        arguments.align_word()?;
    }
    for pointer in pointers {
        match pointer {
            Member::SecurityDescriptor => arguments.skip_bytes()?,
            _ => drop(arguments.string()?),
        }
    }
    Ok(())
}
