//! A store that no crate of the program knows is named in a configuration, and opened by the program's own wiring.

use std::{io::Write, sync::Arc};

use dittofs::config::{NoOptions, Protocols, StoreKind, StoreKinds, load, open_stores};
use dittofs_domain::{ObjectId, ShareId};
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
