//! The options of one store or protocol, in a shape that only its own type knows.

use std::fmt;

use figment::error::{Actual, Kind};
use figment::value::{Dict, Tag, Value};
use serde::de::DeserializeOwned;

use super::option_values::OptionValue;

/// The options of one store or protocol. Debug shows their names only: the values may be secret.
#[derive(Clone, PartialEq)]
pub struct RawOptions(pub(super) Value);

impl RawOptions {
    pub(super) fn none() -> Self {
        Self(Value::Dict(Tag::Default, Dict::new()))
    }

    /// Reads the options into the type's own struct, which should deny unknown fields.
    ///
    /// # Errors
    /// Reports what the struct refuses, without the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, OptionsError> {
        T::deserialize(OptionValue(self.0.clone())).map_err(|error| options_error(&error))
    }

    /// Everything that the struct refuses. It stops at the first fault, so it is shown the options again without that.
    pub(super) fn faults<T: DeserializeOwned>(&self) -> Vec<OptionsError> {
        let mut options = self.0.clone();
        let (mut faults, mut removed) = (Vec::<OptionsError>::new(), Vec::new());
        while faults.len() < FAULTS_MAX {
            let Err(error) = T::deserialize(OptionValue(options.clone())) else { break };
            let fault = options_error(&error);
            // A fault that names an option which was taken out comes from taking it out: the option is not missing.
            if removed.contains(&fault.option) {
                break;
            }
            // Without what a mapping lacks, the rest is looked at without the mapping.
            let above = fault.option.rsplit_once('.').map(|(above, _)| above.to_owned());
            let out = [Some(fault.option.clone()), above].into_iter().flatten().find(|path| remove(&mut options, path));
            faults.push(fault);
            match out {
                Some(path) => removed.push(path),
                None => break,
            }
        }
        faults
    }
}

/// Nothing has more options.
const FAULTS_MAX: usize = 32;

/// Takes out the option at a path; false where it is not there.
fn remove(options: &mut Value, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Dict(_, entries) = options else { return false };
    match (entries.get_mut(first), rest) {
        (Some(_), "") => entries.remove(first).is_some(),
        (Some(below), rest) => remove(below, rest),
        (None, _) => false,
    }
}

impl fmt::Debug for RawOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.as_dict().into_iter().flat_map(Dict::keys);
        out.debug_set().entries(names).finish()
    }
}

/// Why options can't be read: the option and what is wrong, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError {
    /// The option, below the section of the type; empty for the section as a whole.
    pub option: String,
    /// The fault.
    pub found: String,
    /// The correction.
    pub fix: String,
}

/// Reports what figment found without quoting a value.
fn options_error(error: &figment::Error) -> OptionsError {
    let mut path = error.path.clone();
    let list = |names: &[&str]| match names {
        [] => "there is no such option here: leave it out".to_owned(),
        names => format!("known here: {}", names.join(", ")),
    };
    let (found, fix) = match &error.kind {
        Kind::UnknownField(field, known) => {
            path.push(field.clone());
            ("this key is not known".to_owned(), list(known))
        }
        Kind::MissingField(field) => {
            path.push(field.clone().into_owned());
            ("is missing".to_owned(), "give it a value".to_owned())
        }
        Kind::UnknownVariant(_, known) => ("is not one of the words known".to_owned(), list(known)),
        Kind::InvalidType(Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) | Actual::Bool(_), expected)
            if expected.contains("string") =>
        {
            ("has a value that does not fit".to_owned(), "write a text, in quotes".to_owned())
        }
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            ("has a value that does not fit".to_owned(), format!("write {expected}"))
        }
        _ => ("has a value that can't be read".to_owned(), "see its documentation".to_owned()),
    };
    OptionsError { option: path.join("."), found, fix }
}
