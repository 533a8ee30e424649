//! Who may depend on whom: the table of `docs/architecture.md`, read off `cargo metadata`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};

use crate::assert_none;
use crate::sources::{ROOT, read};

pub(crate) static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let mut command = MetadataCommand::new();
    command.manifest_path(ROOT.join("Cargo.toml")).no_deps();
    command.exec().expect("cargo metadata can be read")
});

/// The layer of a crate, by the folder that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Layer {
    Domain,
    Ports,
    Application,
    /// An adapter, by its folder.
    Adapter(String),
    /// The crate that inbound adapters share: bounds over the connections of all protocols.
    Transport,
    /// A crate inside the folder of an adapter, which is part of it.
    Part(String),
    Bootstrap,
    Tests,
}

fn layer_of(folder: &str) -> Layer {
    let parts: Vec<&str> = folder.split('/').collect();
    match parts.as_slice() {
        ["domain"] => Layer::Domain,
        ["ports"] => Layer::Ports,
        ["application"] => Layer::Application,
        ["bootstrap"] => Layer::Bootstrap,
        ["tests"] | ["tests", _] => Layer::Tests,
        ["adapters-inbound", "transport"] => Layer::Transport,
        ["adapters-inbound" | "adapters-outbound", _] => Layer::Adapter(folder.to_owned()),
        ["adapters-inbound" | "adapters-outbound", name, _] => Layer::Part(format!("{}/{name}", parts[0])),
        _ => panic!("{folder}: a crate in a folder that docs/architecture.md does not know"),
    }
}

fn may_depend(from: &Layer, on: &Layer) -> bool {
    match (from, on) {
        (Layer::Domain, _) => false,
        (Layer::Ports, on) => *on == Layer::Domain,
        (Layer::Application, on) => matches!(on, Layer::Domain | Layer::Ports),
        (Layer::Adapter(adapter), Layer::Part(of)) => adapter == of,
        (Layer::Adapter(adapter), Layer::Transport) => adapter.starts_with("adapters-inbound/"),
        (Layer::Transport, on) => matches!(on, Layer::Domain | Layer::Ports),
        (Layer::Adapter(_), on) => matches!(on, Layer::Domain | Layer::Ports),
        (Layer::Part(of), on) => matches!(on, Layer::Part(other) if other == of),
        (Layer::Bootstrap, on) => *on != Layer::Tests,
        (Layer::Tests, _) => true,
    }
}

#[test]
fn a_planted_dependency_is_refused() {
    let adapter = || layer_of("adapters-outbound/memory");
    for from in ["domain", "ports", "application", "adapters-inbound/nfs", "adapters-outbound/redb"] {
        assert!(!may_depend(&layer_of(from), &adapter()), "{from}");
    }
    assert!(!may_depend(&adapter(), &Layer::Transport) && !may_depend(&Layer::Application, &Layer::Transport));
    assert!(!may_depend(&adapter(), &Layer::Application) && !may_depend(&Layer::Domain, &Layer::Ports));
}

/// The crates of the workspace, by name.
static LAYERS: LazyLock<BTreeMap<String, Layer>> = LazyLock::new(|| {
    let packages = METADATA.workspace_packages();
    packages.iter().map(|package| (package.name.to_string(), layer_of(&folder_of(package)))).collect()
});

fn folder_of(package: &Package) -> String {
    let folder = package.manifest_path.parent().expect("a manifest is in a folder").as_std_path();
    let relative = folder.strip_prefix(&*ROOT).expect("members are below the root");
    relative.to_str().expect("folder names are UTF-8").to_owned()
}

/// Calls `judge` for every dependency of every crate; what it returns is a fault.
fn faults(judge: impl Fn(&Layer, &Dependency) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for package in METADATA.workspace_packages() {
        let layer = &LAYERS[package.name.as_str()];
        let judged = package.dependencies.iter().filter_map(|dependency| judge(layer, dependency));
        found.extend(judged.map(|fault| format!("{}: {fault}", folder_of(package))));
    }
    found
}

#[test]
fn dependencies_point_inwards() {
    let found = faults(|layer, dependency| {
        let on = LAYERS.get(&dependency.name)?;
        // The application's tests run on the real stores in memory.
        if *layer == Layer::Application && dependency.kind == DependencyKind::Development {
            return None;
        }
        (!may_depend(layer, on)).then(|| format!("must not depend on {}", dependency.name))
    });
    assert_none("dependencies between crates that the architecture does not allow", &found);
}

/// The crates of others that the pure and the abstract layers may use: none does I/O, keeps time or rolls dice.
const DOMAIN_MAY_USE: [&str; 8] =
    ["bitflags", "bytes", "crc-fast", "siphasher", "smallvec", "thiserror", "xxhash-rust", "zeroize"];
const PORTS_MAY_USE: [&str; 6] = ["async-trait", "bitflags", "bytes", "mockall", "smallvec", "thiserror"];
const APPLICATION_MAY_USE: [&str; 11] = [
    "async-trait",
    "bitflags",
    "bytes",
    "futures-util",
    "hashbrown",
    "parking_lot",
    "smallvec",
    "thiserror",
    "tokio",
    "tracing",
    "xxhash-rust",
];

#[test]
fn inner_layers_use_only_crates_that_are_allowed_to_them() {
    let found = faults(|layer, dependency| {
        let allowed: &[&str] = match layer {
            Layer::Domain => &DOMAIN_MAY_USE,
            Layer::Ports => &PORTS_MAY_USE,
            Layer::Application => &APPLICATION_MAY_USE,
            _ => return None,
        };
        let name = dependency.name.as_str();
        let foreign = !LAYERS.contains_key(name) && dependency.kind != DependencyKind::Development;
        (foreign && !allowed.contains(&name)).then(|| format!("{name} is not among what it may use"))
    });
    assert_none("crates that an inner layer does not use", &found);
}

#[test]
fn the_application_takes_only_sync_of_tokio() {
    let found = faults(|layer, dependency| {
        let tokio = *layer == Layer::Application && dependency.name == "tokio";
        if !tokio || dependency.kind == DependencyKind::Development {
            return None;
        }
        let others: Vec<&String> = dependency.features.iter().filter(|feature| *feature != "sync").collect();
        (!others.is_empty()).then(|| format!("tokio with {others:?}"))
    });
    assert_none("features of tokio in the application", &found);
}

/// Libraries that store: each belongs into an outbound adapter of its own.
const STORAGE: [&str; 12] = [
    "aws-sdk-s3",
    "deadpool-postgres",
    "fjall",
    "object_store",
    "opendal",
    "redb",
    "rocksdb",
    "rusqlite",
    "sled",
    "slatedb",
    "sqlx",
    "tokio-postgres",
];

#[test]
fn storage_libraries_are_in_outbound_adapters_only() {
    let found = faults(|layer, dependency| {
        let outbound =
            matches!(layer, Layer::Adapter(folder) | Layer::Part(folder) if folder.starts_with("adapters-outbound/"));
        let stores = STORAGE.contains(&dependency.name.as_str());
        (stores && !outbound && dependency.kind != DependencyKind::Development)
            .then(|| format!("must not depend on {}", dependency.name))
    });
    assert_none("storage libraries outside the outbound adapters", &found);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let packages = METADATA.workspace_packages();
    let manifests = packages.iter().map(|package| format!("{}/Cargo.toml", folder_of(package)));
    let found: Vec<String> = manifests.filter(|path| !read(path).contains("[lints]\nworkspace = true")).collect();
    assert_none("manifests without the workspace's lints", &found);
}

#[test]
fn the_core_documents_all_that_is_public() {
    let roots = ["domain/src/lib.rs", "ports/src/lib.rs"];
    let missing = |path: &&str| !read(path).contains("#![deny(missing_docs)]");
    let found: Vec<String> = roots.iter().filter(|path| missing(path)).map(|path| (*path).to_owned()).collect();
    assert_none("crates that do not deny missing docs", &found);
}
