//! Objects in a container of Azure Blob Storage.

use std::path::Path;

use dittofs_ports::Survives;
use opendal::{Operator, services::Azblob};

use super::{
    OperatorStore,
    remote::{Remote, unusable},
};
use crate::{AzblobCredentials, AzblobOptions, OpenError, options::without_user};

pub(crate) async fn azblob(options: AzblobOptions) -> Result<OperatorStore, OpenError> {
    let usual = format!("https://{}.blob.core.windows.net", options.account);
    let endpoint = options.endpoint.as_deref().unwrap_or(&usual);
    let mut builder = Azblob::default()
        .container(&options.container)
        .account_name(&options.account)
        .endpoint(&without_user(endpoint))
        .root(&options.prefix);
    builder = match &options.credentials {
        AzblobCredentials::Default => builder,
        AzblobCredentials::File { path } => builder.account_key(&key_in(path).await?),
        AzblobCredentials::Key { account_key } => builder.account_key(account_key.reveal()),
        AzblobCredentials::Sas { sas_token } => builder.sas_token(sas_token.reveal()),
    };
    let remote = Remote::new(format!("container `{}` at {endpoint}", options.container), &options.transfer)?;
    let operator = Operator::new(builder).map_err(|error| unusable(&error))?;
    OperatorStore::open(remote.equip(operator, &options.transfer), Survives::MachineLoss, Some(remote)).await
}

/// The key in a file: its first line.
async fn key_in(path: &Path) -> Result<String, OpenError> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(owned)).await;
    let path = path.display();
    let text = read.map_err(|stopped| OpenError::Unavailable(Box::new(stopped)))?.map_err(|error| {
        OpenError::Unavailable(format!("{path} can't be read: {error}; correct credentials.path").into())
    })?;
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        Some(_) | None => Err(OpenError::Unavailable(format!("{path} is empty; it should have the key").into())),
    }
}
