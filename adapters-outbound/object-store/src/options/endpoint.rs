//! Where a service is.

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};

use crate::redaction::{HIDDEN, without_passwords};

/// Reads an endpoint: without a protocol it would be looked for in places that nobody meant.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(endpoint) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(Some(endpoint)),
        _ => Err(D::Error::invalid_value(
            Unexpected::Other("a text"),
            &"http:// or https://, a host, and a port if there is one, such as https://s3.example.org:9000",
        )),
    }
}

/// The endpoint without a user that it may name: nothing would be done with that, but libraries would print it.
pub(crate) fn without_user(endpoint: &str) -> String {
    let Some((protocol, rest)) = endpoint.split_once("://") else { return endpoint.to_owned() };
    match without_passwords(endpoint).split_once(&format!("{HIDDEN}@")) {
        Some((_, host)) => format!("{protocol}://{host}"),
        None => format!("{protocol}://{rest}"),
    }
}
