use super::*;

#[test]
fn a_buffer_starts_where_it_should_and_holds_what_was_asked() {
    let pool = BufferPool::new(1 << 20, usize::MAX);
    for (bytes, aligned) in [(1, 0), (64 << 10, 0), (100_000, 100_000), (1 << 20, 1 << 20), (4 << 20, 0)] {
        let buffer = pool.acquire(bytes, aligned);
        assert!(buffer.bytes.is_empty() && buffer.bytes.capacity() >= bytes);
        if bytes <= 1 << 20 {
            assert_eq!((buffer.bytes.as_ptr() as usize + aligned) % PAGE, 0);
        }
    }
}

#[test]
fn memory_is_used_again_only_when_its_last_slice_is_gone() {
    let pool = BufferPool::new(1 << 20, usize::MAX);
    let mut buffer = pool.acquire(1 << 20, 0);
    buffer.bytes.extend_from_slice(&[1; 5000]);
    let slice = buffer.bytes.split_to(5000).freeze();
    let start = slice.as_ptr();
    pool.retire(buffer);
    let other = pool.acquire(1 << 20, 0);
    assert_ne!(other.bytes.as_ptr(), start);
    drop(slice);
    assert_eq!(pool.acquire(1 << 20, 0).bytes.as_ptr(), start);
}
