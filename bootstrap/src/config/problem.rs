//! The problems of a configuration. Each names the key, what was found there and the fix.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

/// One refusal. Never holds the value of a store's option, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `shares[0].squash`, or the name of the file when it can't be read at all.
    pub key: String,
    /// The value that was found there, and why it can't stand.
    pub found: String,
    /// The value to write instead.
    pub fix: String,
    /// The environment variable that put the value there, if one did.
    pub variable: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.key, self.found)?;
        if let Some(variable) = &self.variable {
            write!(out, " (set by {variable})")?;
        }
        write!(out, "; {}", self.fix)
    }
}

/// Everything that is wrong with a configuration, in the order of its keys; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(out, "the configuration can't be used:")?,
            count => write!(out, "the configuration can't be used, for {count} reasons:")?,
        }
        self.0.iter().try_for_each(|problem| write!(out, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems while a configuration is read, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    variables: BTreeMap<String, String>,
}

impl Report {
    /// `variables` leads from a key to the environment variable that set it.
    pub(super) fn new(variables: BTreeMap<String, String>) -> Self {
        Self { problems: RefCell::default(), variables }
    }

    pub(super) fn refuse(&self, key: &str, found: impl Into<String>, fix: impl Into<String>) {
        let variable = self.variables.get(key).cloned();
        let problem = Problem { key: key.to_owned(), found: found.into(), fix: fix.into(), variable };
        let mut problems = self.problems.borrow_mut();
        // Several keys may need the same missing thing. It is reported once.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    pub(super) fn into_error(self) -> ConfigError {
        ConfigError(self.problems.into_inner())
    }
}
