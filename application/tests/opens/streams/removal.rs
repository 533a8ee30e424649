//! When streams go, and their files.

use super::*;

/// A denial concerns the file as far as it would be deleted, and only from the stream to the file.
#[tokio::test(start_paused = true)]
async fn an_open_of_a_stream_keeps_its_file_from_being_deleted() {
    let world = World::new().await;
    let exclusive = |request: OpenNameRequest| OpenNameRequest {
        open: OpenRequest { deny: ShareAccess::all(), ..request.open },
        ..request
    };
    let held = world.share.open_name(&nfs(1), &exclusive(make("a", "s"))).await.unwrap();
    let other = world.share.open_name(&nfs(2), &exclusive(make("a", "t"))).await.unwrap();
    let content = world.share.open_name(&nfs(2), &exclusive(request("a", "", None, READ | WRITE))).await.unwrap();
    close(&world, &nfs(2), &content).await;
    close(&world, &nfs(2), &other).await;
    let deleting = request("a", "", None, AccessMask::DELETE);
    let refused = world.share.open_name(&nfs(2), &deleting).await;
    assert_eq!(refused.unwrap_err(), failed(FsError::ShareDenied));
    close(&world, &nfs(1), &held).await;

    let content = world.share.open_name(&nfs(2), &exclusive(request("a", "", None, READ))).await.unwrap();
    let stream = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    close(&world, &nfs(1), &stream).await;
    close(&world, &nfs(2), &content).await;
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_file_goes_with_the_last_open_of_its_streams() {
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    let stream = world.share.open_name(&nfs(1), &found("a", "s")).await.unwrap();
    let of = stream.opened.attributes.file;
    let opened = world.share.open_name(&nfs(2), &request("a", "", None, AccessMask::DELETE)).await.unwrap();
    let entry = Some((NodeId::ROOT, name("a")));
    world.share.set_deletion(&through(&nfs(2), &opened), of, opened.opened.token, entry).await.unwrap();
    close(&world, &nfs(2), &opened).await;

    assert_eq!(world.read(&through(&nfs(1), &stream), id(&stream)).await.unwrap(), b"bytes");
    for request in [found("a", ""), found("a", "s"), make("a", "t")] {
        assert_eq!(world.share.open_name(&nfs(2), &request).await.unwrap_err(), OpenFailure::Deleting);
    }
    close(&world, &nfs(1), &stream).await;
    assert_eq!(file(&world, "a").await, Err(FsError::NotFound));
    gone(&world, &[of, id(&stream)]).await;
}

/// A client of another protocol takes the name at once; the stream can be read for as long as it is open.
#[tokio::test(start_paused = true)]
async fn a_removed_file_and_its_streams_are_reaped_after_the_last_close() {
    let world = World::new().await;
    let stream = written(&world, "a", "s", b"bytes").await;
    written(&world, "a", "t", b"more").await;
    let of = file(&world, "a").await.unwrap().node;
    let opened = world.share.open_name(&nfs(1), &found("a", "s")).await.unwrap();
    world.remove(&nfs(2), "a").await.unwrap();
    pass().await;
    let through = through(&nfs(1), &opened);
    assert_eq!(world.read(&through, stream).await.unwrap(), b"bytes");
    assert_eq!(world.share.attributes(&through, stream).await.unwrap().size, 5);
    close(&world, &nfs(1), &opened).await;
    gone(&world, &[of, stream]).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_removed_by_itself_and_its_file_stays() {
    let world = World::new().await;
    for stream in ["s", "t"] {
        written(&world, "a", stream, b"bytes").await;
    }
    let of = file(&world, "a").await.unwrap().node;
    for (stream, left) in [("s", 1), ("t", 0)] {
        let opened = world.share.open_name(&nfs(1), &make("a", stream)).await.unwrap();
        let entry = Some((of, name(stream)));
        world.share.set_deletion(&through(&nfs(1), &opened), id(&opened), opened.opened.token, entry).await.unwrap();
        let pending = world.share.open_name(&nfs(2), &found("a", stream)).await;
        assert_eq!(pending.unwrap_err(), OpenFailure::Deleting);
        close(&world, &nfs(1), &opened).await;
        assert_eq!(streams(&world, "a").await.len(), left);
        assert_eq!(flags(&world, of).await.contains(NodeFlags::STREAMS), left > 0);
    }
    world.remove(&nfs(1), "a").await.unwrap();
    gone(&world, &[of]).await;
}

/// It goes by the name that it has, whatever name it was opened by.
#[tokio::test(start_paused = true)]
async fn a_renamed_stream_is_removed_by_its_new_name() {
    let world = World::new().await;
    let stream = written(&world, "a", "s", b"bytes").await;
    let opened = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    let (caller, of) = (through(&nfs(1), &opened), opened.opened.attributes.file);
    let entry = Some((of, name("s")));
    world.share.set_deletion(&caller, stream, opened.opened.token, entry).await.unwrap();
    let rename =
        StreamRename { file: of, from: name("S"), to: name("new"), stream, held: AccessMask::DELETE, replace: false };
    world.share.rename_stream(&caller, &rename).await.unwrap();
    assert_eq!(streams(&world, "a").await, [("new".to_owned(), 5)]);
    close(&world, &nfs(1), &opened).await;
    assert!(streams(&world, "a").await.is_empty());
}

/// All who cache a stream are asked at once: a file with many is overwritten as soon as one with one.
#[tokio::test(start_paused = true)]
async fn who_overwrites_a_file_waits_once_for_all_who_cache_its_streams() {
    let world = World::new().await;
    for stream in ["s", "t", "u"] {
        written(&world, "a", stream, b"bytes").await;
        let cached = found("a", stream);
        let cache = crate::world::cached(u128::from(stream.as_bytes()[0])).cache;
        world
            .share
            .open_name(&nfs(2), &OpenNameRequest { open: OpenRequest { cache, ..cached.open }, ..cached })
            .await
            .unwrap();
    }
    let replace = request("a", "", Some(CreateHow::Unchecked), WRITE);
    let replace = OpenNameRequest { replace: Some(SetAttributes::size(0)), ..replace };
    let with =
        |waits| OpenNameRequest { open: OpenRequest { truncate: true, waits, ..replace.open }, ..replace.clone() };
    let before = world.elapsed();
    let refused = world.share.open_name(&nfs(1), &with(false)).await;
    assert_eq!(refused.unwrap_err(), failed(FsError::Busy), "it did not want to wait");
    assert_eq!(world.elapsed(), before);
    assert_eq!(world.events.breaks().len(), 3, "each is told");
    assert_eq!(streams(&world, "a").await.len(), 3, "a refused call changes nothing");
    world.share.open_name(&nfs(1), &with(true)).await.unwrap();
    let waited = world.elapsed() - before;
    assert!(waited >= Duration::from_secs(35) && waited < Duration::from_secs(40), "{waited:?}");
    assert!(streams(&world, "a").await.is_empty());
}
