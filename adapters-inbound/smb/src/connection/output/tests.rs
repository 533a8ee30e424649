use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use dittofs_transport::{ClientNetwork, MemoryBudget};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use super::Output;
use crate::{calls::Broken, link::Frame};

const PATIENCE: Duration = Duration::from_secs(5);

fn output_of(pieces: &[usize]) -> Output {
    let mut output = Output::new();
    for length in pieces {
        output.push(Frame {
            pieces: vec![Bytes::new(), Bytes::from(vec![7; *length])],
            charge: None,
            is_notice: false,
            _requests: None,
        });
    }
    output
}

/// Writes until all is written, or the client is too slow.
async fn write_all(output: &mut Output, mut socket: DuplexStream) -> Result<(), Broken> {
    let account = MemoryBudget::new(1 << 20).account(ClientNetwork::of(IpAddr::from([10, 0, 0, 1])));
    while !output.is_empty() {
        output.write(&mut socket, PATIENCE, &account).await?;
    }
    Ok(())
}

/// Takes so many bytes each time until there are no more, with a pause between. Returns how many there were.
async fn take(mut socket: DuplexStream, bytes: usize, pause: Duration) -> usize {
    let (mut total, mut part) = (0, vec![0; bytes]);
    loop {
        match socket.read(&mut part).await {
            Ok(count) if count > 0 => total += count,
            _ => return total,
        }
        tokio::time::sleep(pause).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_is_written_in_its_order_however_little_the_socket_takes() {
    let mut output = output_of(&[10, 3_000, 1, 0, 70_000]);
    assert_eq!(output.bytes(), 73_011);
    let (ours, theirs) = duplex(700);
    let (written, taken) = tokio::join!(write_all(&mut output, ours), take(theirs, 1 << 20, Duration::ZERO));
    assert_eq!((written, taken), (Ok(()), 73_011));
}

#[tokio::test(start_paused = true)]
async fn a_byte_now_and_then_keeps_no_answer_waiting() {
    let mut output = output_of(&[1 << 20]);
    let (ours, theirs) = duplex(1_024);
    let begun = tokio::time::Instant::now();
    let (written, _) = tokio::join!(write_all(&mut output, ours), take(theirs, 1_000, Duration::from_secs(1)));
    assert_eq!(written, Err(Broken));
    assert!(begun.elapsed() < 3 * PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_takes_enough_gets_all_though_it_takes_longer_than_patience() {
    let mut output = output_of(&[1 << 20]);
    let (ours, theirs) = duplex(64 << 10);
    let begun = tokio::time::Instant::now();
    let (written, taken) = tokio::join!(write_all(&mut output, ours), take(theirs, 20_000, Duration::from_secs(1)));
    assert_eq!((written, taken), (Ok(()), 1 << 20));
    assert!(begun.elapsed() > PATIENCE, "{:?}", begun.elapsed());
}
