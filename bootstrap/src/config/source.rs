//! Where a configuration comes from: a file, the environment, or nothing at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use figment::value::Dict;

use super::kinds::StoreKinds;
use super::problem::{ConfigError, Problem, Report};
use super::protocols::Protocols;
use super::{Config, Given, Surroundings, environment, read, tree, with_default_share};

/// The commented configuration that `dittofs init` writes. It means the same as no file at all.
pub const SAMPLE: &str = include_str!("sample.yaml");

/// More is another file by mistake, and must not be read into memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads and checks a configuration. A variable of the environment wins over the file, the file
/// over the defaults.
///
/// # Errors
/// Every problem found, unless the text can't be read at all, which is then the only one.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    kinds: &StoreKinds,
    protocols: &Protocols,
) -> Result<Config, ConfigError> {
    load_on(None, file, environment, kinds, protocols)
}

/// The same with a data folder, which wins over all others.
///
/// # Errors
/// As [`load`].
pub fn load_on(
    data: Option<&Path>,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    kinds: &StoreKinds,
    protocols: &Protocols,
) -> Result<Config, ConfigError> {
    let dict = match file {
        Some(path) => parse_file(path).map_err(|problem| ConfigError(vec![problem]))?,
        None => Dict::new(),
    };
    let environment: Vec<(String, String)> = environment.into_iter().collect();
    let surroundings = surroundings(&environment);
    // First, so that variables override its fields.
    let mut dict = with_default_share(dict);
    let overrides = environment::lay_over(&mut dict, environment);
    let report = Report::new(overrides.variables);
    for (variable, reason) in overrides.astray {
        let fix = "unset it, or name a key by its levels, such as DITTOFS_LOG__LEVEL";
        report.refuse(&variable, reason, fix);
    }
    let given = Given { kinds, protocols, data, surroundings };
    read(dict, &given, &report).ok_or_else(|| report.into_error())
}

fn surroundings(environment: &[(String, String)]) -> Surroundings {
    let variable = |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.into());
    Surroundings {
        is_root: rustix::process::geteuid().is_root(),
        data_home: variable("XDG_DATA_HOME"),
        home: variable("HOME"),
    }
}

fn parse_file(path: &Path) -> Result<Dict, Problem> {
    let problem =
        |(found, fix): (String, String)| Problem { key: path.display().to_string(), found, fix, variable: None };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        let (found, fix) = unreadable(&error);
        let init = if error.kind() == io::ErrorKind::NotFound { " (`dittofs init FILE` writes one)" } else { "" };
        problem((found, format!("{fix}{init}")))
    })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let found = format!("is longer than {FILE_BYTES_MAX} bytes");
        return Err(problem((found, "name a configuration file".to_owned())));
    }
    let text = String::from_utf8(bytes).map_err(|error| problem(not_text(error.as_bytes(), error.utf8_error())))?;
    tree::parse(&text).map_err(|error| problem(not_yaml(&text, error)))
}

/// Why a file can't be read, and what to do.
pub(super) fn unreadable(error: &io::Error) -> (String, String) {
    let (found, fix) = match error.kind() {
        io::ErrorKind::NotFound => ("is not there", "name a file that exists"),
        io::ErrorKind::IsADirectory => ("is a folder", "name a file in it"),
        io::ErrorKind::PermissionDenied => (
            "can't be read: no permission",
            "let the user that runs this read the file and enter its folders, or run it as another user",
        ),
        io::ErrorKind::NotADirectory => ("is below a file", "correct the path"),
        _ => return (format!("can't be read: {error}"), "name another file, or see the system's log".to_owned()),
    };
    (found.to_owned(), fix.to_owned())
}

fn not_text(bytes: &[u8], error: std::str::Utf8Error) -> (String, String) {
    let at = error.valid_up_to();
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    (format!("is not UTF-8 at byte {at}, in line {line}"), "save it as UTF-8, without other bytes".to_owned())
}

fn not_yaml(text: &str, error: String) -> (String, String) {
    if let Some(found) = given_twice(text, &error) {
        return (found, "leave one of them".to_owned());
    }
    let indents_by_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    match text.lines().position(indents_by_tab) {
        // The parser's words for it are about tokens.
        Some(at) => {
            let found = format!("line {}: there is a tab in the indentation, which YAML does not take", at + 1);
            (found, "indent by spaces".to_owned())
        }
        None => (error, "write valid YAML: keys and values, indented by spaces".to_owned()),
    }
}

/// Where a key stands for the second time. The parser says where the mapping begins.
fn given_twice(text: &str, error: &str) -> Option<String> {
    let (_, rest) = error.split_once("key `")?;
    let (key, rest) = rest.split_once("` is given twice")?;
    // It says nothing of a mapping that begins where the text does.
    let place = rest.strip_prefix(" at line ").and_then(|place| place.split_once(" column "));
    let (line, column) = place.unwrap_or(("1", "1"));
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let (line, column) = (line.checked_sub(1)?, column.checked_sub(1)?);
    let quotes = ['"', '\''];
    let names_it = |(_, written): &(usize, &str)| {
        let name = written.get(column..).map(|name| name.trim_start_matches(quotes)).unwrap_or_default();
        name.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(quotes).trim_start().starts_with(':'))
    };
    let (again, _) = text.lines().enumerate().skip(line).filter(names_it).nth(1)?;
    Some(format!("line {}: the key `{key}` is given twice", again + 1))
}
