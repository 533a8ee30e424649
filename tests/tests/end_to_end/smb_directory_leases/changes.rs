//! Changes of what a listing shows of the files in it.

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    change_notify::{ChangeNotifyFlags, ChangeNotifyRequest, CompletionFilter},
    identifiers::FileId,
};
use dittofs_tests::smb_client::SmbClient;
use nfs3_client::nfs3_types::nfs3::{Nfs3Option, sattr3, stable_how};

use super::{
    Holder, NONE, R, RH, answer, client, close, directory, file, granted, hears_nothing, lease, set, status, world,
};
use crate::session::with_size;

const BASIC: u8 = 4;
const END_OF_FILE: u8 = 20;

/// The change that a round makes: another one each time.
fn change(what: &str, round: u64) -> (u8, Vec<u8>) {
    const YEAR_2000: u64 = 125_911_584_000_000_000;
    let time = YEAR_2000 + round * 10_000_000;
    let at = |field: &str| if what == field { time } else { 0 };
    let hidden: u32 = if round.is_multiple_of(2) { 0x22 } else { 0x20 };
    let attributes = if what == "attributes" { hidden } else { 0 };
    let times = [at("creation"), at("access"), at("write"), 0];
    match what {
        "size" => (END_OF_FILE, round.to_le_bytes().to_vec()),
        _ => {
            let times = times.into_iter().flat_map(u64::to_le_bytes);
            (BASIC, times.chain(attributes.to_le_bytes()).chain([0; 4]).collect())
        }
    }
}

async fn change_by(smb: &mut SmbClient, key: u8, parent: Option<u8>, what: &str, round: u64) -> FileId {
    let opened = file(smb, "d\\lease.dat", key, parent).await;
    let (class, input) = change(what, round);
    assert_eq!(status(smb, set(opened, class, &input)).await, NtStatus::SUCCESS, "{what}");
    opened
}

#[tokio::test]
async fn size_times_and_attributes_are_told_but_to_who_named_its_key() {
    let world = world().await;
    let (mut smb, mut other) = (client(&world, 1).await, client(&world, 2).await);
    let mut holder = Holder::new(&mut smb, "d", 1).await;
    let first = file(&mut smb, "d\\lease.dat", 2, Some(1)).await;
    close(&mut smb, first).await;
    let mut round = 1;
    for what in ["size", "attributes", "creation", "write", "access"] {
        for (parent, is_told) in [(Some(1), false), (Some(3), true), (None, true)] {
            round += 1;
            let opened = change_by(&mut smb, 2, parent, what, round).await;
            match is_told {
                true => holder.is_told(&mut smb).await,
                false => hears_nothing(&mut smb).await,
            }
            close(&mut smb, opened).await;
            hears_nothing(&mut smb).await;
        }
        // A key is its client's: that of another one says nothing, whatever it is.
        for parent in [Some(1), Some(3), None] {
            round += 1;
            let opened = change_by(&mut other, 2, parent, what, round).await;
            holder.is_told(&mut smb).await;
            close(&mut other, opened).await;
            hears_nothing(&mut smb).await;
        }
    }
}

#[tokio::test]
async fn what_nfs_changes_is_told() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let (there, beside) = (nfs.make_directory(&root, b"d", 0o777).await, nfs.make_directory(&root, b"e", 0o777).await);
    let mut holder = Holder::new(&mut smb, "d", 1).await;
    let mut other = Holder::new(&mut smb, "e", 2).await;
    let made = nfs.make_file(&there, b"a", 0o644).await;
    holder.is_told(&mut smb).await;
    nfs.write_at(&made, 0, b"from nfs", stable_how::UNSTABLE).await;
    holder.is_told(&mut smb).await;
    nfs.write_at(&made, 0, b"again it", stable_how::FILE_SYNC).await;
    holder.is_told(&mut smb).await;
    nfs.set(&made, with_size(2), None).await;
    holder.is_told(&mut smb).await;
    nfs.set(&made, sattr3 { mode: Nfs3Option::Some(0o600), ..sattr3::default() }, None).await;
    holder.is_told(&mut smb).await;
    nfs.move_to((&there, b"a"), (&there, b"b")).await;
    holder.is_told(&mut smb).await;
    nfs.make_symlink(&there, b"s", b"target").await;
    holder.is_told(&mut smb).await;
    nfs.remove_file(&there, b"s").await;
    holder.is_told(&mut smb).await;
    nfs.make_directory(&there, b"f", 0o777).await;
    holder.is_told(&mut smb).await;
    nfs.remove_directory(&there, b"f").await;
    holder.is_told(&mut smb).await;
    nfs.move_to((&there, b"b"), (&beside, b"c")).await;
    holder.is_told(&mut smb).await;
    other.is_told(&mut smb).await;
    nfs.remove_file(&beside, b"c").await;
    other.is_told(&mut smb).await;
    hears_nothing(&mut smb).await;
}

#[tokio::test]
async fn who_only_lists_is_told_and_has_nothing_to_say() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let opened = answer(&mut smb, directory("d", lease(1, R, None))).await;
    let there = nfs.find(&root, b"d").await.unwrap();
    nfs.make_file(&there, b"a", 0o644).await;
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!((broken.current_lease_state, broken.new_lease_state, broken.flags.bits()), (R, NONE, 0));
    let again = answer(&mut smb, directory("d", lease(1, RH, None))).await;
    assert_eq!(granted(&again), (RH, 0x13));
    close(&mut smb, again.file_id).await;
    close(&mut smb, opened.file_id).await;
    nfs.make_file(&there, b"b", 0o644).await;
    hears_nothing(&mut smb).await;
}

#[tokio::test]
async fn a_lease_goes_beside_a_watch() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let mut holder = Holder::new(&mut smb, "d", 1).await;
    let there = nfs.find(&root, b"d").await.unwrap();
    let request = ChangeNotifyRequest {
        flags: ChangeNotifyFlags::empty(),
        output_buffer_length: 4_096,
        file_id: holder.handle,
        completion_filter: CompletionFilter::from_bits_retain(0xfff),
    };
    let watch = smb.send(Request::ChangeNotify(request)).await;
    nfs.make_file(&there, b"a", 0o644).await;
    holder.is_told(&mut smb).await;
    assert_eq!(smb.answer(watch).await.0.status, NtStatus::SUCCESS);
}
