//! Which protocols there are. The set is open: a program that embeds the server adds its own.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use dittofs_nfs::Nfs;
use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_smb::Smb;
use dittofs_transport::{ListenError, Protocol, Serving};
use figment::value::{Tag, Value};
use serde::de::DeserializeOwned;

use super::adapters::{nfs, smb};
use super::options::RawOptions;
use super::section::Section;
use super::stores::refuse_option;

type Read = dyn for<'r> Fn(Section<'r>) -> Option<ProtocolConfig> + Send + Sync;

/// One protocol: how its section is read, and what serves it.
#[derive(Clone)]
pub struct ProtocolKind {
    read: Arc<Read>,
    /// Whether it is served where the configuration does not name it.
    pub(super) is_default: bool,
}

impl ProtocolKind {
    /// One whose section is read as its options, which should deny unknown fields. It is served where the configuration
    /// names it.
    #[must_use]
    pub fn of<P: Protocol>() -> Self
    where
        P::Options: DeserializeOwned,
    {
        let read = |mut section: Section<'_>| {
            let options = RawOptions(Value::Dict(Tag::Default, section.take_all()));
            match options.read::<P::Options>() {
                Ok(options) => Some(ProtocolConfig::of::<P>(options)),
                Err(_) => {
                    let faults = options.faults::<P::Options>().into_iter();
                    faults.for_each(|fault| refuse_option(section.report(), section.path(), fault));
                    None
                }
            }
        };
        Self { read: Arc::new(read), is_default: false }
    }

    /// One that is served in any case, and whose section has a reader of its own.
    fn built_in<P: Protocol>(read: fn(Section<'_>) -> P::Options) -> Self {
        Self { is_default: true, ..Self::named::<P>(read) }
    }

    /// One that is served where the configuration names it, and whose section has a reader of its own.
    fn named<P: Protocol>(read: fn(Section<'_>) -> P::Options) -> Self {
        Self { read: Arc::new(move |section| Some(ProtocolConfig::of::<P>(read(section)))), is_default: false }
    }

    pub(super) fn read(&self, section: Section<'_>) -> Option<ProtocolConfig> {
        (self.read)(section)
    }
}

impl fmt::Debug for ProtocolKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProtocolKind").field("is_default", &self.is_default).finish_non_exhaustive()
    }
}

/// The protocols that a program knows, by the names of their sections below `adapters`.
#[derive(Clone, Debug)]
pub struct Protocols(Vec<(String, ProtocolKind)>);

impl Protocols {
    /// The protocols that this program has by itself.
    #[must_use]
    pub fn built_in() -> Self {
        let nfs = ProtocolKind::built_in::<Nfs>(nfs::read);
        Self(Vec::new()).with("nfs", nfs).with("smb", ProtocolKind::named::<Smb>(smb::read))
    }

    /// These, and one more; or another one of this name. `admin` and `limits` are no names for protocols.
    #[must_use]
    pub fn with(mut self, name: &str, kind: ProtocolKind) -> Self {
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), kind));
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &ProtocolKind)> {
        self.0.iter().map(|(name, kind)| (name.as_str(), kind))
    }
}

/// A protocol as configured, whichever it is. Two are equal if their options are.
#[derive(Clone)]
pub struct ProtocolConfig(Arc<dyn Configured>);

impl ProtocolConfig {
    fn of<P: Protocol>(options: P::Options) -> Self {
        Self(Arc::new(Options::<P>(options)))
    }

    /// Its options, if they are of this type.
    #[must_use]
    pub fn options<T: 'static>(&self) -> Option<&T> {
        self.0.options().downcast_ref()
    }

    /// Takes its addresses.
    pub(crate) async fn bind(&self) -> Result<Box<dyn Running>, ListenError> {
        self.0.bind().await
    }
}

impl PartialEq for ProtocolConfig {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&*other.0)
    }
}

impl fmt::Debug for ProtocolConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[async_trait]
trait Configured: fmt::Debug + Send + Sync {
    fn options(&self) -> &dyn Any;
    fn is_same(&self, other: &dyn Configured) -> bool;
    async fn bind(&self) -> Result<Box<dyn Running>, ListenError>;
}

struct Options<P: Protocol>(P::Options);

impl<P: Protocol> fmt::Debug for Options<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[async_trait]
impl<P: Protocol> Configured for Options<P> {
    fn options(&self) -> &dyn Any {
        &self.0
    }

    fn is_same(&self, other: &dyn Configured) -> bool {
        other.options().downcast_ref::<P::Options>() == Some(&self.0)
    }

    async fn bind(&self) -> Result<Box<dyn Running>, ListenError> {
        Ok(Box::new(P::bind(&self.0).await?))
    }
}

/// A [`Protocol`] whose options' type is not known. Its methods are those of the protocol.
#[async_trait]
pub(crate) trait Running: Send + Sync {
    fn start(&mut self, serving: Serving) -> Result<(), ListenError>;
    fn announce(&self, share: &str) -> Option<String>;
    fn statistics(&self) -> Arc<dyn ProtocolStatistics>;
    fn reload(&self, newer: &ProtocolConfig) -> Vec<&'static str>;
    async fn drain(&self);
}

#[async_trait]
impl<P: Protocol> Running for P {
    fn start(&mut self, serving: Serving) -> Result<(), ListenError> {
        Protocol::start(self, serving)
    }

    fn announce(&self, share: &str) -> Option<String> {
        Protocol::announce(self, share)
    }

    fn statistics(&self) -> Arc<dyn ProtocolStatistics> {
        Protocol::statistics(self)
    }

    fn reload(&self, newer: &ProtocolConfig) -> Vec<&'static str> {
        // One name stands for one protocol as long as the program runs.
        newer.options().map(|options| Protocol::reload(self, options)).unwrap_or_default()
    }

    async fn drain(&self) {
        Protocol::drain(self).await;
    }
}
