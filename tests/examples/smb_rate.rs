//! Rates of small requests to an SMB server, and what CPU time they take there: tests/smb/speed.sh runs it.
//! `smb_rate HOST:PORT SHARE USER PASSWORD SERVER_PID [FILES]`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]

use std::{
    collections::HashMap,
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus, Request,
    access::ShareAccess as WireShare,
    close,
    create::OplockLevel as WireOplock,
    identifiers::Guid,
    read::{self, Channel},
    write,
};
use dittofs_tests::smb_client::{Opening, SmbClient as Blocks};
use futures_util::{StreamExt, stream};
use smb2::{
    SmbClient, Tree,
    client::connection::Connection,
    msg::{
        close::CloseRequest,
        create::{CreateDisposition, CreateRequest, CreateResponse, ImpersonationLevel, ShareAccess},
    },
    pack::{Pack, ReadCursor, Unpack},
    types::{Command, FileId, OplockLevel, flags::FileAccessMask},
};

const FILES_USUAL: u64 = 10_000;
/// Requests of a kind that are in flight, by turns.
const DEPTHS: [usize; 2] = [1, 32];
const BLOCK: u32 = 4 << 10;
/// Bytes of the file that is read and written.
const FILE_BYTES: u64 = 64 << 20;
/// After so long nothing of what was written is on its way any more.
const SETTLING: Duration = Duration::from_secs(8);

struct Target {
    connection: Connection,
    tree: Tree,
    server: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, share, user, password, server, rest @ ..] = &words[..] else {
        panic!("smb_rate HOST:PORT SHARE USER PASSWORD SERVER_PID [FILES]")
    };
    let files = rest.first().map_or(FILES_USUAL, |files| files.parse().expect("FILES is a number"));
    let mut client = smb2::connect(address, user, password).await.expect("connect");
    let mut tree = client.connect_share(share).await.expect("share");
    client.create_directory(&tree, "many").await.expect("directory");
    let connection = client.connection().clone();
    let target = Target { connection, tree: tree.clone(), server: server.parse().expect("SERVER_PID") };

    let name = |file: u64| format!("many\\file {file}");
    rates(&target, "CREATE of a new file + CLOSE", files, DEPTHS[1], async |file| {
        let id = open(&target, &name(file), CreateDisposition::FileCreate).await;
        close(&target, id).await;
    })
    .await;
    for depth in DEPTHS {
        let some = files.min(if depth == 1 { 2_000 } else { files });
        rates(&target, "CREATE of a file + CLOSE", some, depth, async |file| {
            let id = open(&target, &name(file), CreateDisposition::FileOpen).await;
            close(&target, id).await;
        })
        .await;
        rates(&target, "compound CREATE, QUERY_INFO, CLOSE", some, depth, async |file| {
            let path = name(file).replace('\\', "/");
            target.tree.stat(&mut target.connection.clone(), &path).await.expect("stat");
        })
        .await;
    }
    list(&mut client, &mut tree, &target, files).await;
    let (_, port) = address.rsplit_once(':').expect("HOST:PORT");
    let user = (user.as_str(), password.as_str());
    let guid = Guid([0x17; 16]);
    blocks(&mut Blocks::connect(port.parse().expect("PORT"), share, guid, user).await, target.server).await;
    for file in 0..files {
        client.delete_file(&tree, &name(file).replace('\\', "/")).await.expect("delete");
    }
    client.delete_directory(&tree, "many").await.expect("directory");
    client.delete_file(&tree, "blocks").await.expect("delete");
}

async fn list(client: &mut SmbClient, tree: &mut Tree, target: &Target, files: u64) {
    const TIMES: u64 = 5;
    let (began, cpu) = (Instant::now(), cpu_seconds(target.server));
    for _ in 0..TIMES {
        let listed = client.list_directory(tree, "many").await.expect("list");
        assert!(listed.len() as u64 >= files, "{} are listed", listed.len());
    }
    let name = format!("QUERY_DIRECTORY, entries of {files}");
    report(&name, 1, TIMES * files, began, cpu_seconds(target.server) - cpu);
}

/// Reads and writes through one open, by a client that costs little: it is not what is measured.
async fn blocks(client: &mut Blocks, server: u32) {
    let share = WireShare::READ | WireShare::WRITE | WireShare::DELETE;
    let opening = Opening { name: "blocks", oplock: WireOplock::NONE, contexts: Vec::new(), share };
    let file_id = client.open(opening).await.file_id;
    let write = |offset, data: Bytes| {
        Request::Write(write::WriteRequest {
            offset,
            file_id,
            channel: Channel::NONE,
            remaining_bytes: 0,
            flags: write::WriteFlags::empty(),
            data,
        })
    };
    let chunk = Bytes::from(vec![7; 64 << 10]);
    for at in (0..FILE_BYTES).step_by(chunk.len()) {
        client.done(write(at, chunk.clone())).await;
    }
    // Not in order, and none twice.
    let offset = |number: u64| number.wrapping_mul(7_919) % (FILE_BYTES / u64::from(BLOCK)) * u64::from(BLOCK);
    let read = |number| {
        Request::Read(read::ReadRequest {
            padding: 0x50,
            flags: read::ReadFlags::empty(),
            length: BLOCK,
            offset: offset(number),
            file_id,
            minimum_count: 0,
            channel: Channel::NONE,
            remaining_bytes: 0,
        })
    };
    let count = |depth| if depth == 1 { 20_000 } else { 100_000 };
    // The server moves to its store what was written: no part of the price of a read.
    tokio::time::sleep(SETTLING).await;
    // Reads first, of a file that lies in memory as it was written.
    for number in 0..FILE_BYTES / u64::from(BLOCK) {
        client.done(read(number)).await;
    }
    for depth in DEPTHS {
        keep_busy(client, server, ("READ of 4 KiB", count(depth), depth), read).await;
    }
    for depth in DEPTHS {
        keep_busy(client, server, ("WRITE of 4 KiB", count(depth), depth), |number| {
            write(offset(number), Bytes::from(vec![number as u8; BLOCK as usize]))
        })
        .await;
    }
    client.done(Request::Close(close::CloseRequest { flags: close::CloseFlags::empty(), file_id })).await;
}

/// Has as many requests in flight as `depth` says.
async fn keep_busy(
    client: &mut Blocks,
    server: u32,
    (name, count, depth): (&str, u64, usize),
    request: impl Fn(u64) -> Request,
) {
    let (began, cpu) = (Instant::now(), cpu_seconds(server));
    let (mut sent, mut answered) = (0, 0);
    while answered < count {
        while sent < count && sent - answered < depth as u64 {
            client.queue(&request(sent));
            sent += 1;
        }
        client.send_queued().await;
        // All that have come, as a busy client takes them.
        loop {
            let (header, _) = client.receive().await;
            if header.status != NtStatus::PENDING {
                assert_eq!(header.status, NtStatus::SUCCESS);
                answered += 1;
            }
            if !client.has_received() {
                break;
            }
        }
    }
    report(name, depth, count, began, cpu_seconds(server) - cpu);
}

async fn open(target: &Target, name: &str, create_disposition: CreateDisposition) -> FileId {
    let request = CreateRequest {
        requested_oplock_level: OplockLevel::None,
        impersonation_level: ImpersonationLevel::Impersonation,
        // As a program asks for it that reads and writes.
        desired_access: FileAccessMask::new(0x0012_019F),
        file_attributes: 0x80,
        share_access: ShareAccess(7),
        create_disposition,
        create_options: 0x40,
        name: name.to_owned(),
        create_contexts: Vec::new(),
    };
    let body = call(target, Command::Create, &request).await;
    CreateResponse::unpack(&mut ReadCursor::new(&body)).expect("CREATE").file_id
}

async fn close(target: &Target, file_id: FileId) {
    call(target, Command::Close, &CloseRequest { flags: 0, file_id }).await;
}

async fn call(target: &Target, command: Command, request: &dyn Pack) -> Vec<u8> {
    let answer = target.connection.execute(command, request, Some(target.tree.tree_id)).await.expect("an answer");
    assert!(!answer.header.status.is_error(), "{command:?}: {:?}", answer.header.status);
    answer.body
}

async fn rates(target: &Target, name: &str, count: u64, depth: usize, one: impl AsyncFn(u64)) {
    let (began, cpu) = (Instant::now(), cpu_seconds(target.server));
    let one = &one;
    stream::iter(0..count).for_each_concurrent(depth, move |number| one(number)).await;
    report(name, depth, count, began, cpu_seconds(target.server) - cpu);
}

fn report(name: &str, depth: usize, count: u64, began: Instant, cpu: f64) {
    let seconds = began.elapsed().as_secs_f64();
    println!("{name}|{depth}|{:.0}|{:.1}", count as f64 / seconds, cpu * 1e6 / count as f64);
}

/// CPU time of a process and of those below it, also of the ones that have ended.
fn cpu_seconds(process: u32) -> f64 {
    /// As everywhere on Linux (sysconf, _SC_CLK_TCK).
    const TICKS: f64 = 100.0;
    let mut below: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut ticks: HashMap<u32, u64> = HashMap::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(line) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = line.rsplit_once(") ") else { continue };
        let fields: Vec<u64> = rest.split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect();
        below.entry(fields[1] as u32).or_default().push(process);
        ticks.insert(process, fields[11..15].iter().sum());
    }
    let (mut waiting, mut sum) = (vec![process], 0);
    while let Some(process) = waiting.pop() {
        sum += ticks.get(&process).copied().unwrap_or(0);
        waiting.extend(below.remove(&process).unwrap_or_default());
    }
    sum as f64 / TICKS
}
