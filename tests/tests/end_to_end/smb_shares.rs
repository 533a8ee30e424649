//! The names of shares over SMB, and the commands that mount them.

use dittofs_tests::ports::own_port;

use crate::{session::home, smb::PASSWORD};

fn configuration(port: u16, name: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
         shares: [{{ name: /srv/export, metadata_store: m, content_store: c {name} }}]\n\
         adapters: {{ smb: {{ listen: \"127.0.0.1:{port}\", encryption: required }} }}\n"
    )
}

#[tokio::test]
async fn a_share_is_reached_by_its_name_for_smb_in_any_case_and_that_can_change() {
    let port = own_port();
    let home = home(Some(&configuration(port, "")));
    let added = home.run_with(&["user", "add", "alice", "--uid", "1000", "--gid", "1000"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    let _server = home.start();
    let shown = || String::from_utf8(home.run(&["share", "show", "/srv/export"]).stdout).unwrap();
    let linux = format!("mount -t cifs -o port={port},seal,username=USER,nosuid,nodev //127.0.0.1/export /mnt");
    assert!(shown().contains(&linux), "{}", shown());
    assert!(shown().contains(&format!("mount_smbfs //USER@127.0.0.1:{port}/export ")), "{}", shown());
    let mut client = smb2::connect(&format!("127.0.0.1:{port}"), "alice", PASSWORD).await.unwrap();
    client.connect_share("EXPORT").await.unwrap();

    home.configure(&configuration(port, ", smb_name: Größe 7"));
    let reloaded = home.run(&["reload"]);
    let text = String::from_utf8_lossy(&reloaded.stdout).into_owned();
    assert!(reloaded.status.success() && text.contains("smb_name"), "{reloaded:?}");
    assert!(shown().contains("'//127.0.0.1/Größe 7'"), "{}", shown());
    client.connect_share("export").await.unwrap_err();
    client.connect_share("gRÖßE 7").await.unwrap();
    let listed = client.list_shares().await.unwrap();
    assert!(listed.iter().any(|share| share.name == "Größe 7"), "{listed:?}");
}
