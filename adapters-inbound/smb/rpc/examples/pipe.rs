//! Drives a pipe by commands on standard input, one a line, so that other implementations of RPC can talk to it:
//!
//! - `open NAME`
//! - `write HEX`
//! - `read MAX`
//! - `transceive MAX HEX`
//!
//! Each is answered by a line: `ok`, `none`, `data HEX`, `part HEX` if the message has more bytes, or `error TEXT`.
//! The argument is the number of shares beside `IPC$`, five unless given.

use std::io::{BufRead, Write};

use dittofs_smb_rpc::{Pipe, PipeError, Reply, Server, Share};

fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(5);
    let server = server(count);
    let mut pipe = None;
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        writeln!(output, "{}", answer(&mut pipe, &line?, &server))?;
        output.flush()?;
    }
    Ok(())
}

fn answer(pipe: &mut Option<Pipe>, line: &str, server: &Server) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    let replied = match (words.as_slice(), pipe) {
        (["open", name], pipe) => {
            *pipe = Pipe::open(name);
            return if pipe.is_some() { "ok".into() } else { "error no such pipe".into() };
        }
        (["write", hex], Some(pipe)) => match pipe.write(&from_hex(hex), server) {
            Ok(()) => return "ok".into(),
            Err(error) => Err(error),
        },
        (["read", max], Some(pipe)) => pipe.read(max.parse().unwrap_or(0)),
        (["transceive", max, hex], Some(pipe)) => pipe.transceive(&from_hex(hex), max.parse().unwrap_or(0), server),
        _ => return "error no such command".into(),
    };
    reply(replied)
}

fn reply(replied: Result<Option<Reply>, PipeError>) -> String {
    match replied {
        Ok(None) => "none".into(),
        Ok(Some(reply)) => {
            let hex: String = reply.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} {hex}", if reply.overflow { "part" } else { "data" })
        }
        Err(error) => format!("error {error}"),
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().filter_map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

/// Shares that differ in all that a call may tell.
fn server(count: u32) -> Server {
    let mut server = Server::new("DITTO", "WORKGROUP");
    server.comment = "DittoFS".into();
    server.shares = (0..count)
        .map(|number| {
            let odd = number % 2 == 1;
            Share {
                comment: if odd { String::new() } else { format!("Share number {number} \u{1f41f}") },
                max_users: odd.then_some(number * 10),
                current_users: number,
                flags: if odd { 0x30 } else { 0 },
                ..Share::disk(format!("share{number}"))
            }
        })
        .collect();
    server.shares.push(Share { comment: "IPC Service".into(), ..Share::ipc() });
    server
}
