/// A request of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'l> {
    List(&'l [u8]),
    Read(&'l [u8]),
    Write(&'l [u8], &'l [u8]),
}

impl Command<'_> {
    /// The words for all of them, in the order of [`Command::number`].
    pub(crate) const WORDS: [&'static str; 3] = ["list", "read", "write"];

    pub(crate) fn number(&self) -> usize {
        match self {
            Command::List(_) => 0,
            Command::Read(_) => 1,
            Command::Write(..) => 2,
        }
    }

    /// Parses a line, if it is a command.
    pub(crate) fn parse(line: &[u8]) -> Option<Command<'_>> {
        let (word, rest) = split(line);
        match (word, rest) {
            (b"list", path) if is_path(path) => Some(Command::List(path)),
            (b"read", path) if is_path(path) => Some(Command::Read(path)),
            (b"write", rest) => {
                let (path, text) = split(rest);
                is_path(path).then_some(Command::Write(path, text))
            }
            _ => None,
        }
    }
}

fn is_path(path: &[u8]) -> bool {
    path.starts_with(b"/") && !path.contains(&b' ')
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|byte| *byte == b' ') {
        Some(at) => (&line[..at], &line[at + 1..]),
        None => (line, b""),
    }
}

#[cfg(test)]
mod tests;
