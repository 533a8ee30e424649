//! Where a configuration comes from: a file, the environment, or nothing at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use figment::value::Dict;

use super::kinds::StoreKinds;
use super::problem::{ConfigError, Problem, Report};
use super::{Config, Given, Surroundings, read, tree};

/// The commented configuration that `dittofs init` writes. It means the same as no file at all.
pub const SAMPLE: &str = include_str!("sample.yaml");

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
) -> Result<Config, ConfigError> {
    load_on(None, file, environment, kinds)
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
) -> Result<Config, ConfigError> {
    let mut dict = match file {
        Some(path) => parse_file(path).map_err(|problem| ConfigError(vec![problem]))?,
        None => Dict::new(),
    };
    let environment: Vec<(String, String)> = environment.into_iter().collect();
    let surroundings = surroundings(&environment);
    let overrides = tree::lay_over(&mut dict, environment);
    let report = Report::new(overrides.variables);
    for (variable, reason) in overrides.astray {
        let mend = "unset it, or name a key by its levels, such as DITTOFS_LOG__LEVEL";
        report.refuse(&variable, reason, mend);
    }
    let given = Given { kinds, data, surroundings };
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
    let problem = |found: String, mend: &str| Problem {
        key: path.display().to_string(),
        found,
        mend: mend.to_owned(),
        variable: None,
    };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)).map_err(|error| {
        problem(format!("can't be read: {error}"), "name a file that exists (`dittofs init` writes one)")
    })?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let found = format!("is longer than {FILE_BYTES_MAX} bytes");
        return Err(problem(found, "name a configuration file"));
    }
    tree::parse(&text).map_err(|error| problem(error, "write valid YAML"))
}
