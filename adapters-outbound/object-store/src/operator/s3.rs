//! Objects in a bucket of S3, or of something that speaks its protocol.

use std::fmt;

use dittofs_ports::Survives;
use opendal::{Operator, services::S3};
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider, EnvCredentialProvider,
    IMDSv2CredentialProvider, ProfileCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialChain};

use super::{
    OperatorStore,
    remote::{Remote, readable, unusable},
};
use crate::{OpenError, S3Addressing, S3Checksum, S3Credentials, S3Options, options::without_user};

/// The service of AWS, which OpenDAL makes one of the region.
const AWS: &str = "https://s3.amazonaws.com";

pub(crate) async fn s3(options: S3Options) -> Result<OperatorStore, OpenError> {
    let endpoint = options.endpoint.as_deref().unwrap_or(AWS);
    let mut builder = S3::default()
        .bucket(&options.bucket)
        .region(&options.region)
        .endpoint(&without_user(endpoint))
        .root(&options.prefix);
    let usual = if options.endpoint.is_some() { S3Addressing::Path } else { S3Addressing::VirtualHost };
    if options.addressing.unwrap_or(usual) == S3Addressing::VirtualHost {
        builder = builder.enable_virtual_host_style();
    }
    builder = match options.checksum {
        S3Checksum::Crc32c => builder.checksum_algorithm("crc32c"),
        S3Checksum::Md5 => builder.checksum_algorithm("md5"),
        S3Checksum::None => builder,
    };
    if let S3Credentials::File { path, .. } = &options.credentials {
        readable(path).await?;
    }
    if let Some(chain) = credentials(&options.credentials) {
        builder = builder.credential_provider_chain(chain);
    }
    let place = format!("bucket `{}` at {endpoint}", options.bucket);
    let remote = Remote::new(place, &options.transfer)?;
    let operator = Operator::new(builder).map_err(|error| unusable(&error))?;
    OperatorStore::open(remote.equip(operator, &options.transfer), Survives::MachineLoss, Some(remote)).await
}

/// Where the keys come from; none for OpenDAL's own order.
fn credentials(from: &S3Credentials) -> Option<ProvideCredentialChain<Credential>> {
    let chain = ProvideCredentialChain::new();
    Some(match from {
        S3Credentials::Default => return None,
        S3Credentials::Environment {} => chain.push(EnvCredentialProvider::new()),
        S3Credentials::Instance {} => chain
            .push(AssumeRoleWithWebIdentityCredentialProvider::new())
            .push(ECSCredentialProvider::new())
            .push(IMDSv2CredentialProvider::new()),
        S3Credentials::File { path, profile } => {
            let path = path.to_string_lossy().into_owned();
            let file = ProfileCredentialProvider::new().with_profile(profile).with_credentials_file(&path);
            // Nothing else may be found in its stead.
            chain.push(file.with_config_file(path))
        }
        S3Credentials::Keys { access_key_id, secret_access_key } => {
            chain.push(HiddenKeys(StaticCredentialProvider::new(access_key_id, secret_access_key.reveal())))
        }
    })
}

/// The keys of the configuration. The library prints where it takes keys from, and of these the keys themselves.
struct HiddenKeys(StaticCredentialProvider);

impl fmt::Debug for HiddenKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("HiddenKeys")
    }
}

impl ProvideCredential for HiddenKeys {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        self.0.provide_credential(context).await
    }
}
