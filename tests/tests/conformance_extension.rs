//! A store that no crate of the program knows is named in a configuration, and opened by the program's own wiring, as
//! `docs/extending.md` says; and what that page says is what is done.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, io::Write, path::Path, sync::Arc};

use dittofs::config::{NoOptions, ProtocolKind, Protocols, StoreKind, StoreKinds, load, open_stores};
use dittofs_domain::{ObjectId, ShareId};
use dittofs_line::Line;
use dittofs_ports::Survives;
use dittofs_tests::stores::LoggedContentStore;

const CONFIGURATION: &str = "
metadata: { stores: { m: { type: memory } } }
content: { stores: { mine: { type: logged } } }
shares: [ { name: /export, metadata_store: m, content_store: mine } ]
";

fn kinds() -> StoreKinds {
    let logged = StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(LoggedContentStore::new()) as _));
    StoreKinds::built_in().with_content("logged", logged)
}

#[tokio::test]
async fn a_store_of_ones_own_is_named_and_opened_like_a_built_in_one() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(CONFIGURATION.as_bytes()).unwrap();
    let kinds = kinds();
    let config = load(Some(file.path()), [], &kinds, &Protocols::built_in()).unwrap();
    let stores = open_stores(&config.content, &kinds.content).await.unwrap();
    let store = &stores["mine"];
    store.put(ShareId(1), ObjectId(1), vec!["bytes".into()]).await.unwrap();
    assert_eq!(store.get(ShareId(1), ObjectId(1), 0..5).await.unwrap().concat(), b"bytes");
    assert!(
        load(Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()).is_err(),
        "the type is not built in"
    );
}

const EXTENDING: &str = include_str!("../../docs/extending.md");

/// The blocks of the page in a language, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = EXTENDING.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() == format!("```{language}") {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(block.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect());
        }
    }
    blocks
}

/// All that is below a folder and is Rust.
fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, into),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                let text = fs::read_to_string(path).unwrap();
                into.push(text.lines().map(|line| line.trim().to_owned() + "\n").collect());
            }
            false => {}
        }
    }
}

/// Code that is compiled and run can't be out of date. A line with `…` leaves something out, and is as good as a
/// comment.
#[test]
fn each_line_of_code_on_the_page_is_a_line_of_a_test() {
    let mut all = Vec::new();
    ["src", "tests", "simulation"].iter().for_each(|folder| {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    });
    let rust = blocks("rust");
    assert!(rust.len() >= 5, "{rust:#?}");
    for block in rust {
        for part in block.split_inclusive('\n').collect::<Vec<_>>().split(|line| line.contains('…')) {
            let part: String = part.iter().map(|line| line.trim().to_owned() + "\n").collect();
            let part = part.trim_start_matches(['}', '\n']).trim_end_matches(['}', '\n']);
            assert!(all.iter().any(|text| text.contains(part)), "no test has these lines:\n{part}");
        }
    }
}

#[test]
fn each_configuration_on_the_page_is_one() {
    let protocols = Protocols::built_in().with("line", ProtocolKind::of::<Line>());
    let yaml = blocks("yaml");
    assert_eq!(yaml.len(), 2, "{yaml:#?}");
    for snippet in yaml {
        let rest = match snippet.contains("content:") {
            true => {
                "metadata: { stores: { m: { type: memory } } }\n\
                     shares: [ { name: /export, metadata_store: m, content_store: mine } ]\n"
            }
            false => CONFIGURATION,
        };
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(format!("{snippet}{rest}").as_bytes()).unwrap();
        load(Some(file.path()), [], &kinds(), &protocols).unwrap_or_else(|error| panic!("{snippet}{error}"));
    }
}

#[test]
fn the_page_names_every_method_of_a_content_store() {
    let port = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ports/src/outbound/content_store.rs"));
    let port = port.unwrap();
    let (_, port) = port.split_once("pub trait ContentStore").unwrap();
    let methods: Vec<&str> = port.split(" fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    let (_, step) = EXTENDING.split_once("Implement `ContentStore`: ").unwrap();
    let (named, _) = step.split_once(". ").unwrap();
    let named: Vec<&str> = named.split(", ").map(|name| name.trim_matches('`')).collect();
    assert_eq!(named, methods);
}
