//! Options of the schemes behind HTTP.

#[cfg(any(feature = "s3", feature = "gcs", feature = "azblob"))]
use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, TransferOptions};

/// Options of a store in a bucket of S3, or of something that speaks its protocol.
#[cfg(feature = "s3")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Options {
    /// The bucket, which must exist.
    pub bucket: String,
    /// The region that requests are signed for.
    #[serde(default = "region_usual")]
    pub region: String,
    /// Where the service is: `http` or `https`, a host and a port. AWS by default.
    #[serde(default, deserialize_with = "super::endpoint::read")]
    pub endpoint: Option<String>,
    /// Below which names everything is; the whole bucket by default.
    #[serde(default)]
    pub prefix: String,
    /// Where requests say the bucket; by default in the host of AWS and in the path of others.
    #[serde(default)]
    pub addressing: Option<S3Addressing>,
    /// Where the keys come from.
    #[serde(default)]
    pub credentials: S3Credentials,
    /// The checksum with which the store checks uploads.
    #[serde(default)]
    pub checksum: S3Checksum,
    /// How bytes are moved.
    #[serde(default)]
    pub transfer: TransferOptions,
}

#[cfg(feature = "s3")]
fn region_usual() -> String {
    "us-east-1".to_owned()
}

/// Where requests say the bucket.
#[cfg(feature = "s3")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum S3Addressing {
    /// In the path.
    Path,
    /// In the name of the host.
    VirtualHost,
}

/// Where the keys of S3 come from.
#[cfg(feature = "s3")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum S3Credentials {
    /// The first of environment, the user's AWS files, web identity, container and instance that has some.
    #[default]
    Default,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    Environment {},
    /// The role of the container or the machine.
    Instance {},
    /// A file of the kind `~/.aws/credentials`, read again when keys are needed again.
    File {
        /// The file.
        path: PathBuf,
        /// Its section.
        #[serde(default = "profile_usual")]
        profile: String,
    },
    /// The keys themselves.
    Keys {
        /// The id of the key.
        access_key_id: String,
        /// The key.
        secret_access_key: Secret,
    },
}

#[cfg(feature = "s3")]
fn profile_usual() -> String {
    "default".to_owned()
}

/// The checksum with which the store checks uploads.
#[cfg(feature = "s3")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum S3Checksum {
    /// CRC-32C of each request's bytes.
    #[default]
    Crc32c,
    /// MD5, for services that know nothing else.
    Md5,
    /// Nothing.
    None,
}

/// Options of a store in a bucket of Google Cloud Storage.
#[cfg(feature = "gcs")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GcsOptions {
    /// The bucket, which must exist.
    pub bucket: String,
    /// Where the service is, if it is another one.
    #[serde(default, deserialize_with = "super::endpoint::read")]
    pub endpoint: Option<String>,
    /// Below which names everything is; the whole bucket by default.
    #[serde(default)]
    pub prefix: String,
    /// Where the credentials come from.
    #[serde(default)]
    pub credentials: GcsCredentials,
    /// How bytes are moved.
    #[serde(default)]
    pub transfer: TransferOptions,
}

/// Where the credentials of Google Cloud come from.
#[cfg(feature = "gcs")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum GcsCredentials {
    /// `GOOGLE_APPLICATION_CREDENTIALS`, then the user's, then the machine's.
    #[default]
    Default,
    /// The service account of the machine.
    Instance {},
    /// A file of JSON for a service account, or for an external account.
    File {
        /// The file.
        path: PathBuf,
    },
    /// None, for an emulator.
    None {},
}

/// Options of a store in a container of Azure Blob Storage.
#[cfg(feature = "azblob")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzblobOptions {
    /// The container, which must exist.
    pub container: String,
    /// The storage account.
    pub account: String,
    /// Where the service is: `https://ACCOUNT.blob.core.windows.net` by default.
    #[serde(default, deserialize_with = "super::endpoint::read")]
    pub endpoint: Option<String>,
    /// Below which names everything is; the whole container by default.
    #[serde(default)]
    pub prefix: String,
    /// Where the credentials come from.
    #[serde(default)]
    pub credentials: AzblobCredentials,
    /// How bytes are moved.
    #[serde(default)]
    pub transfer: TransferOptions,
}

/// Where the credentials of Azure come from.
#[cfg(feature = "azblob")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub enum AzblobCredentials {
    /// The environment, workload identity, then the machine's managed identity.
    #[default]
    Default,
    /// A file whose first line is the key of the account.
    File {
        /// The file.
        path: PathBuf,
    },
    /// The key of the account.
    Key {
        /// The key.
        account_key: Secret,
    },
    /// A shared access signature.
    Sas {
        /// The token.
        sas_token: Secret,
    },
}

#[cfg(all(test, feature = "s3"))]
mod tests;
