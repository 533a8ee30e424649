//! Rates of small requests to an SMB server, and what CPU time they take there: tests/smb/speed.sh runs it.
//! `smb_rate HOST:PORT SHARE USER PASSWORD SERVER_PID [FILES]`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement fails by panicking")]

use std::{collections::HashMap, fs, time::Instant};

use futures_util::{StreamExt, stream};
use smb2::{
    SmbClient, Tree,
    client::connection::Connection,
    msg::{
        close::CloseRequest,
        create::{CreateDisposition, CreateRequest, CreateResponse, ImpersonationLevel, ShareAccess},
        read::ReadRequest,
        write::WriteRequest,
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
    blocks(&target).await;
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

/// Reads and writes through one open.
async fn blocks(target: &Target) {
    let id = open(target, "blocks", CreateDisposition::FileCreate).await;
    let chunk = vec![7; 64 << 10];
    for at in (0..FILE_BYTES).step_by(chunk.len()) {
        write(target, id, at, chunk.clone()).await;
    }
    // Not in order, and none twice.
    let offset = |number: u64| number.wrapping_mul(7_919) % (FILE_BYTES / u64::from(BLOCK)) * u64::from(BLOCK);
    for depth in DEPTHS {
        let count = if depth == 1 { 4_000 } else { 16_000 };
        rates(target, "READ of 4 KiB", count, depth, async |number| {
            let request = ReadRequest {
                padding: 0x50,
                flags: 0,
                length: BLOCK,
                offset: offset(number),
                file_id: id,
                minimum_count: 0,
                channel: 0,
                remaining_bytes: 0,
                read_channel_info: Vec::new(),
            };
            call(target, Command::Read, &request).await;
        })
        .await;
        rates(target, "WRITE of 4 KiB", count, depth, async |number| {
            write(target, id, offset(number), vec![number as u8; BLOCK as usize]).await;
        })
        .await;
    }
    close(target, id).await;
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

async fn write(target: &Target, file_id: FileId, offset: u64, data: Vec<u8>) {
    let request = WriteRequest {
        data_offset: 0x70,
        offset,
        file_id,
        channel: 0,
        remaining_bytes: 0,
        write_channel_info_offset: 0,
        write_channel_info_length: 0,
        flags: 0,
        data,
    };
    call(target, Command::Write, &request).await;
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
