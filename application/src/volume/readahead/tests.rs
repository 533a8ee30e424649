use super::{NodeId, Readahead, STREAMS_MAX, Stream, WINDOW_MAX};

const MIB: u64 = 1 << 20;

#[test]
fn a_reader_in_order_has_everything_asked_for_once_and_before_it_comes() {
    let size = 200 * MIB;
    let (mut stream, mut asked, mut at) = (Stream::default(), MIB, 0);
    while at < size {
        let wanted = stream.read(&(at..at + MIB), size);
        if !wanted.is_empty() {
            assert!(wanted.start >= asked, "asked for twice: {wanted:?}");
            assert!(wanted.start <= asked.max(at + MIB), "a gap before {wanted:?}");
            assert!(wanted.end <= at + MIB + WINDOW_MAX);
            asked = wanted.end;
        }
        at += MIB;
        assert!(at < 4 * MIB || at >= asked.min(size) || asked > at, "the reader has come to {at}");
    }
    assert_eq!(asked, size);
}

#[test]
fn a_reader_out_of_order_is_not_followed() {
    let mut stream = Stream::default();
    for at in [50, 3, 90, 20, 70, 9, 110] {
        assert!(stream.read(&(at * MIB..(at + 1) * MIB), 200 * MIB).is_empty(), "{at}");
    }
}

#[test]
fn the_queue_and_the_streams_are_bounded() {
    let readahead = Readahead::default();
    for node in 4..10_000 {
        for at in 0..3 {
            readahead.note(NodeId(node), &(at * MIB..(at + 1) * MIB), 100 * MIB);
        }
    }
    assert!(readahead.streams.lock().len() <= STREAMS_MAX);
    assert!(readahead.queue.lock().len() <= super::QUEUE_MAX);
}

#[test]
fn short_reads_and_the_end_of_a_file_ask_for_nothing() {
    let readahead = Readahead::default();
    for at in 0..100 {
        readahead.note(NodeId(9), &(at * 4_096..(at + 1) * 4_096), 100 * MIB);
    }
    readahead.note(NodeId(9), &(0..MIB), MIB);
    assert!(readahead.take().is_none());
}
