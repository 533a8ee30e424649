use std::{fs, path::PathBuf};

use bytes::Bytes;
use dittofs_domain::{Epoch, KeyId, ObjectId, Scale, ShareId, Timestamp, backup::BackupId};
use dittofs_ports::{KeysInUse, Manifest, ObjectInBackup, RowsInBackup, ShareInBackup, SnapshotRow};
use rstest::rstest;
use tempfile::TempDir;

use super::*;

const SHARE: ShareId = ShareId(0xd177);
const OBJECT: ObjectId = ObjectId(0x61 << 120 | 7);
const BYTES: &[u8] = b"what an object holds";

fn rows() -> Vec<SnapshotRow> {
    let row = |table, key: &[u8], value: &[u8]| SnapshotRow { table, key: key.to_vec(), value: value.to_vec() };
    vec![row(1, b"a", b""), row(1, b"b", b"value"), row(2, b"", b"other")]
}

async fn write(folder: &Path) -> Manifest {
    let writer = FolderBackups.make(folder).await.unwrap();
    writer.rows(SHARE, rows()).await.unwrap();
    writer.rows(SHARE, rows()).await.unwrap();
    let rows = writer.end_rows(SHARE).await.unwrap();
    let parts = vec![Bytes::from_static(BYTES), Bytes::from_static(BYTES)];
    let checksum = Some(writer.object(SHARE, OBJECT, parts).await.unwrap());
    let in_use = [KeyId::of_number(5), KeyId::of_fingerprint(9)].into();
    let share = ShareInBackup {
        id: SHARE,
        name: "/export".into(),
        scale: Scale::TINY,
        counts_names: true,
        keys: KeysInUse { in_use, are_all: false },
        epoch: Epoch(3),
        at: Timestamp::new(8, 9).unwrap(),
        nodes: 10,
        bytes: 11,
        format: "rows of a test".into(),
        rows,
        objects: vec![ObjectInBackup { id: OBJECT, bytes: 2 * BYTES.len() as u64, checksum }],
        incomplete: Vec::new(),
    };
    let (backup, at) = (BackupId::of_bits(4), Timestamp::new(5, 6).unwrap());
    let manifest = Manifest { backup, at, program: "0.0.1".into(), holds_objects: true, shares: vec![share] };
    writer.finish(&manifest).await.unwrap();
    manifest
}

/// Reads all of a backup.
async fn read(folder: &Path) -> Result<(Vec<SnapshotRow>, Vec<u8>), BackupFolderError> {
    let reader = FolderBackups.open(folder).await?;
    let share = &reader.manifest().shares[0];
    let (mut found, mut all) = (reader.rows(share).await?, Vec::new());
    loop {
        let page = found.next().await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    assert!(found.next().await?.is_empty());
    Ok((all, reader.object(share.id, &share.objects[0]).await?.concat()))
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("backup");
    (folder, place)
}

#[tokio::test]
async fn what_was_written_is_read() {
    let (_folder, place) = place();
    let manifest = write(&place).await;
    assert_eq!(FolderBackups.open(&place).await.unwrap().manifest(), &manifest);
    let (found, object) = read(&place).await.unwrap();
    assert_eq!(found, [rows(), rows()].concat());
    assert_eq!(object, [BYTES, BYTES].concat());
}

#[tokio::test]
async fn only_a_backup_that_lacks_bytes_of_files_is_of_the_format_that_earlier_releases_refuse() {
    let (folder, place) = place();
    let manifest = write(&place).await;
    let format = |place: &Path| {
        let text = fs::read_to_string(place.join("manifest.json")).unwrap();
        text.lines().find(|line| line.contains("\"format\"")).unwrap().trim().to_owned()
    };
    assert_eq!(format(&place), "\"format\": 1,");
    let share = ShareInBackup { incomplete: vec!["/a file".into()], ..manifest.shares[0].clone() };
    let manifest = Manifest { shares: vec![share], ..manifest };
    let other = folder.path().join("other");
    let writer = FolderBackups.make(&other).await.unwrap();
    writer.rows(SHARE, rows()).await.unwrap();
    writer.end_rows(SHARE).await.unwrap();
    writer.finish(&manifest).await.unwrap();
    assert_eq!(format(&other), "\"format\": 2,");
    assert_eq!(FolderBackups.open(&other).await.unwrap().manifest(), &manifest);
}

#[tokio::test]
async fn a_folder_that_is_not_empty_or_has_no_place_is_refused() {
    let (_folder, place) = place();
    write(&place).await;
    assert!(matches!(FolderBackups.make(&place).await, Err(BackupFolderError::NotEmpty(_))));
    let nowhere = place.join("not").join("there");
    assert!(matches!(FolderBackups.make(&nowhere).await, Err(BackupFolderError::Io { .. })));
}

#[tokio::test]
async fn a_folder_without_a_manifest_is_no_backup() {
    let (_folder, place) = place();
    let writer = FolderBackups.make(&place).await.unwrap();
    writer.rows(SHARE, rows()).await.unwrap();
    let refused = FolderBackups.open(&place).await.err().unwrap();
    assert!(refused.to_string().contains("no manifest"), "{refused}");
}

#[tokio::test]
async fn a_manifest_of_a_later_release_is_reported_as_such() {
    let (_folder, place) = place();
    write(&place).await;
    let file = files::manifest(&place);
    let text = fs::read_to_string(&file).unwrap().replace("\"format\": 1", "\"format\": 3");
    fs::write(&file, text).unwrap();
    assert!(matches!(FolderBackups.open(&place).await, Err(BackupFolderError::Newer { found: 3, .. })));
}

/// Every bit of every file counts, and so does every length.
#[rstest]
#[case::manifest(files::manifest(Path::new("")))]
#[case::rows(files::rows(Path::new(""), SHARE))]
#[case::object(files::object(Path::new(""), SHARE, OBJECT))]
#[tokio::test]
async fn damage_is_found_wherever_it_is_and_reported_by_name(#[case] file: PathBuf) {
    let (_folder, place) = place();
    write(&place).await;
    let file = place.join(file);
    let name = file.display().to_string();
    let whole = fs::read(&file).unwrap();
    let expected = read(&place).await.unwrap();
    let refused = async |what: String| match read(&place).await {
        Err(error) => assert!(error.to_string().contains(&name), "{what}: {error}"),
        // Only spaces of the manifest may be anything.
        Ok(found) => assert!(found == expected && whole.starts_with(b"{"), "{what}"),
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&file, bytes).unwrap();
        refused(format!("byte {at}")).await;
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(&file, &whole[..length]).unwrap();
        refused(format!("{length} bytes")).await;
    }
    fs::write(&file, [&whole[..], b"x"].concat()).unwrap();
    refused("one byte more".into()).await;
    fs::remove_file(&file).unwrap();
    assert!(read(&place).await.is_err());
}

#[tokio::test]
async fn rows_without_a_frame_are_rows_too() {
    let (_folder, place) = place();
    let writer = FolderBackups.make(&place).await.unwrap();
    let found = writer.end_rows(SHARE).await.unwrap();
    assert_eq!((found.rows, found.bytes), (0, rows::MAGIC.len() as u64));
    assert_ne!(found, RowsInBackup { checksum: 0, ..found });
}
