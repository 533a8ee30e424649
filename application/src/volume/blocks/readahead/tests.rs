use std::{net::IpAddr, time::Duration};

use super::{ClientId, NodeId, OpenToken, Pace, Readahead, Reader, STREAMS_MAX, Stream};

const MIB: u64 = 1 << 20;
const NOW: Duration = Duration::from_secs(9);

/// One client, without opens.
fn reader(node: u64) -> Reader {
    Reader { node: NodeId(node), client: client(1), open: None }
}

fn client(number: u8) -> ClientId {
    ClientId::Nfs3(IpAddr::from([192, 0, 2, number]))
}

fn paces() -> [Pace; 2] {
    [Pace::new(false, 128 * MIB, 0), Pace::new(true, 128 * MIB, 0)]
}

#[test]
fn a_reader_in_order_has_everything_asked_for_once_and_before_it_comes() {
    let size = 200 * MIB + 777;
    for pace in paces() {
        let (mut stream, mut asked, mut at) = (Stream::default(), MIB, 0);
        while at < size {
            let wanted = stream.read(&(at..at + MIB), size, &pace);
            if !wanted.is_empty() {
                assert!(wanted.start >= asked, "asked for twice: {wanted:?}");
                assert!(wanted.start <= asked.max(at + MIB), "a gap before {wanted:?}");
                assert!(wanted.end <= at + MIB + pace.window_max);
                asked = wanted.end;
            }
            at += MIB;
            assert!(at < 4 * MIB || asked > at || asked == size, "the reader has come to {at}");
        }
        assert_eq!(asked, size);
    }
}

#[test]
fn what_is_asked_for_behind_a_network_are_whole_blocks() {
    let [_, pace] = paces();
    let mut stream = Stream::default();
    let steps = (0..60).map(|at| stream.read(&(at * MIB..(at + 1) * MIB), 900 * MIB, &pace));
    let ends: Vec<u64> = steps.filter(|wanted| !wanted.is_empty()).map(|wanted| wanted.end).collect();
    assert!(ends.len() > 3 && ends.iter().all(|end| end % pace.step == 0), "{ends:?}");
}

#[test]
fn a_reader_out_of_order_is_not_followed() {
    for pace in paces() {
        let mut stream = Stream::default();
        for at in [50, 3, 90, 20, 70, 9, 110] {
            assert!(stream.read(&(at * MIB..(at + 1) * MIB), 200 * MIB, &pace).is_empty(), "{at}");
        }
    }
}

#[test]
fn the_queue_and_the_streams_are_bounded() {
    for pace in paces() {
        let readahead = Readahead::new(pace);
        for node in 4..10_000 {
            for at in 0..3 {
                readahead.note(reader(node), &(at * MIB..(at + 1) * MIB), 100 * MIB, NOW);
            }
        }
        assert!(readahead.streams.lock().len() <= STREAMS_MAX);
        assert!(readahead.queue.lock().len() <= super::QUEUE_MAX);
    }
}

#[test]
fn short_reads_and_the_end_of_a_file_ask_for_nothing() {
    let readahead = Readahead::new(paces()[1]);
    for at in 0..100 {
        readahead.note(reader(9), &(at * 4_096..(at + 1) * 4_096), 100 * MIB, NOW);
    }
    readahead.note(reader(9), &(0..MIB), MIB, NOW);
    assert!(readahead.take().is_none());
}

#[test]
fn readers_share_the_window_and_who_is_gone_has_no_part_in_it() {
    let readahead = Readahead::new(paces()[1]);
    let read = |node: u64, now: Duration| {
        for at in 0..8 {
            readahead.note(reader(node), &(at * MIB..(at + 1) * MIB), 900 * MIB, now);
        }
        readahead.streams.lock()[&reader(node)].window
    };
    let alone = read(9, NOW);
    for node in 10..13 {
        read(node, NOW);
    }
    assert_eq!(read(9, NOW), alone / 4);
    assert_eq!(read(20, NOW + Duration::from_secs(60)), alone);
}

#[test]
fn who_reads_little_is_not_fetched_much_for() {
    let [_, pace] = paces();
    let (mut stream, mut asked) = (Stream::default(), 0);
    for at in [100, 140, 102] {
        let wanted = stream.read(&(at * MIB..at * MIB + (64 << 10)), 900 * MIB, &pace);
        asked += wanted.end - wanted.start;
    }
    assert_eq!(asked, 0, "reads some MiB apart are not in order");
    let wanted = stream.read(&(102 * MIB + (64 << 10)..102 * MIB + (128 << 10)), 900 * MIB, &pace);
    assert!(wanted.end - wanted.start <= pace.step, "{wanted:?}");
}

#[test]
fn what_a_reader_has_passed_is_not_fetched_for_it() {
    let readahead = Readahead::new(paces()[1]);
    for at in 0..100 {
        readahead.note(reader(9), &(at * MIB..(at + 1) * MIB), 900 * MIB, NOW);
    }
    let (_, first) = readahead.take().unwrap();
    assert!(first.end > 100 * MIB, "{first:?}");
}

#[test]
fn two_that_read_one_file_at_different_places_are_both_followed() {
    let opened = |open| Reader { open: Some(OpenToken(open)), ..reader(9) };
    let elsewhere = Reader { client: client(2), ..reader(9) };
    for (first, second) in [(reader(9), elsewhere), (opened(1), opened(2))] {
        let readahead = Readahead::new(paces()[1]);
        for at in 0..8 {
            readahead.note(first, &(at * MIB..(at + 1) * MIB), 900 * MIB, NOW);
            readahead.note(second, &((400 + at) * MIB..(401 + at) * MIB), 900 * MIB, NOW);
        }
        let streams = readahead.streams.lock();
        assert!(streams[&first].ahead > 8 * MIB && streams[&second].ahead > 408 * MIB, "{streams:?}");
    }
}
