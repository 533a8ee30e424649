use super::*;

fn client(last: u8, name: &[u8]) -> LockClient {
    LockClient { address: [192, 0, 2, last].into(), name: name.into(), server: [192, 0, 2, 254].into() }
}

#[tokio::test]
async fn clients_are_found_after_a_restart_under_a_higher_odd_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock-clients");
    let file = LockClientFile::new(path.clone());
    assert_eq!(file.begin().await.unwrap(), (1, Vec::new()));
    let clients = [client(1, b"a b\n\xff"), client(2, b""), client(3, b"c")];
    for client in &clients {
        file.keep(client).await.unwrap();
        file.keep(client).await.unwrap();
    }
    file.forget(&clients[2..]).await.unwrap();
    file.forget(&clients[2..]).await.unwrap();
    assert_eq!(LockClientFile::new(path.clone()).begin().await.unwrap(), (3, clients[..2].to_vec()));
    // They stay until they are forgotten, through lives that nobody locks in.
    let file = LockClientFile::new(path.clone());
    assert_eq!(file.begin().await.unwrap(), (5, clients[..2].to_vec()));
    file.forget(&clients).await.unwrap();
    assert_eq!(LockClientFile::new(path).begin().await.unwrap(), (7, Vec::new()));
}

#[tokio::test]
async fn after_the_highest_number_comes_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock-clients");
    fs::write(&path, format!("{HEAD}{}\nend\n", i32::MAX)).unwrap();
    assert_eq!(LockClientFile::new(path).begin().await.unwrap().0, 1);
}

#[tokio::test]
async fn a_file_that_is_cut_off_or_of_somebody_else_is_damaged_and_written_anew() {
    let whole = Kept { life: 9, clients: [client(1, b"one"), client(2, b"two")].into() }.text();
    let cut = (0..whole.len()).map(|bytes| whole[..bytes].to_owned());
    let others = ["dittofs-lock-clients 2 9\nend\n".to_owned(), whole.replace(" 9\n", " 8\n"), "\0".to_owned()];
    for text in cut.chain(others) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock-clients");
        fs::write(&path, &text).unwrap();
        let file = LockClientFile::new(path.clone());
        assert!(matches!(file.begin().await, Err(LockClientsError::Corrupt(_))), "{text:?}");
        file.keep(&client(3, b"three")).await.unwrap();
        let (life, clients) = LockClientFile::new(path).begin().await.unwrap();
        assert!(life > 1_000_000_000 && life % 2 == 1, "{life}: an earlier one may have had a lower one");
        assert_eq!(clients, [client(3, b"three")]);
    }
}

#[tokio::test]
async fn a_list_that_can_t_be_read_at_first_loses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock-clients");
    let whole = Kept { life: 9, clients: [client(1, b"one")].into() }.text();
    // A folder is in its place.
    fs::create_dir(&path).unwrap();
    let file = LockClientFile::new(path.clone());
    assert!(matches!(file.begin().await, Err(LockClientsError::Unavailable(_))));
    assert!(matches!(file.keep(&client(2, b"two")).await, Err(LockClientsError::Unavailable(_))));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, whole).unwrap();
    file.keep(&client(2, b"two")).await.unwrap();
    let kept = LockClientFile::new(path).begin().await.unwrap();
    assert_eq!(kept, (11, vec![client(1, b"one"), client(2, b"two")]));
}

#[tokio::test]
async fn what_can_t_be_written_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = LockClientFile::new(folder.path().join("missing").join("lock-clients"));
    assert!(matches!(file.begin().await, Err(LockClientsError::Unavailable(_))));
    assert!(matches!(file.keep(&client(1, b"one")).await, Err(LockClientsError::Unavailable(_))));
}
