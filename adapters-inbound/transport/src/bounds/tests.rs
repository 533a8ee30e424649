use super::*;

#[test]
fn as_many_connections_as_memory_and_descriptors_suffice_for() {
    let of = |memory_bytes, descriptors| {
        BoundsOptions { memory_bytes, descriptors, ..BoundsOptions::default() }.connections_max()
    };
    assert_eq!(of(1 << 30, None), 1024);
    assert_eq!(of(1 << 30, Some(200)), 200);
    assert_eq!(of(32 << 20, None), 307);
    assert_eq!(of(0, Some(0)), 1);
    let small = BoundsOptions { memory_bytes: 32 << 20, ..BoundsOptions::default() };
    assert_eq!(Bounds::new(&small).memory.usage().limit, (32 << 20) - 307 * MemoryBudget::OWN_BYTES);
}
