//! Objects in a bucket of Google Cloud Storage.

use dittofs_ports::Survives;
use opendal::{Operator, services::Gcs};

use super::{
    OperatorStore,
    remote::{Remote, readable, unusable},
};
use crate::{GcsCredentials, GcsOptions, OpenError, options::without_user};

pub(crate) async fn gcs(options: GcsOptions) -> Result<OperatorStore, OpenError> {
    let mut builder = Gcs::default().bucket(&options.bucket).root(&options.prefix);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.endpoint(&without_user(endpoint));
    }
    if let GcsCredentials::File { path } = &options.credentials {
        readable(path).await?;
    }
    builder = match &options.credentials {
        GcsCredentials::Default => builder,
        GcsCredentials::Instance {} => builder.disable_config_load(),
        GcsCredentials::File { path } => builder.credential_path(&path.to_string_lossy()).disable_vm_metadata(),
        GcsCredentials::None {} => builder.skip_signature(),
    };
    let endpoint = options.endpoint.as_deref().unwrap_or("Google Cloud Storage");
    let remote = Remote::new(format!("bucket `{}` at {endpoint}", options.bucket), &options.transfer)?;
    let operator = Operator::new(builder).map_err(|error| unusable(&error))?;
    OperatorStore::open(remote.equip(operator, &options.transfer), Survives::MachineLoss, Some(remote)).await
}
