use super::*;

fn idle_bytes(buffers: &Buffers) -> usize {
    buffers.idle.lock().bytes
}

#[test]
fn copies_are_whole_aligned_and_own_their_memory() {
    let buffers = Arc::<Buffers>::default();
    for len in [1, 4_096, RECYCLED_MIN - 1, RECYCLED_MIN, RECYCLED_MIN + 1, 1 << 20, RECYCLED_MAX, RECYCLED_MAX + 1] {
        let data: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let copy = buffers.copy(&data);
        assert!(copy == data && copy.as_ptr() != data.as_ptr());
        assert!(Buffers::allocated(len) >= len);
        if (RECYCLED_MIN..=RECYCLED_MAX).contains(&len) {
            assert_eq!(copy.as_ptr() as usize % ALIGNMENT, 0);
        }
    }
}

#[test]
fn a_buffer_is_used_again_once_its_last_slice_is_gone() {
    let buffers = Arc::<Buffers>::default();
    let first = buffers.copy(&vec![1; 300 << 10]);
    let slice = first.slice(7..9);
    let address = first.as_ptr();
    drop(first);
    assert_eq!(idle_bytes(&buffers), 0);
    drop(slice);
    assert_eq!(idle_bytes(&buffers), Buffers::allocated(300 << 10));
    let second = buffers.copy(&vec![2; 512 << 10]);
    assert_eq!(second.as_ptr(), address);
    assert_eq!(second, vec![2; 512 << 10]);
    assert_eq!(idle_bytes(&buffers), 0);
}

#[test]
fn unused_buffers_are_bounded() {
    let buffers = Arc::<Buffers>::default();
    let copies: Vec<Bytes> = (0..12).map(|_| buffers.copy(&vec![1; RECYCLED_MAX])).collect();
    drop(copies);
    let idle = idle_bytes(&buffers);
    assert!(idle > 0 && idle <= IDLE_BYTES_MAX);
}
