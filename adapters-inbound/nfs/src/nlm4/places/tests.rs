use super::*;

fn network(last: u8) -> ClientNetwork {
    ClientNetwork::of([192, 0, 2, last].into())
}

#[test]
fn one_network_does_not_take_all_places_and_a_drop_gives_one_back() {
    let places = Places::new(3, 2);
    let first = [places.try_take(network(1)), places.try_take(network(1))];
    assert!(first.iter().all(Option::is_some) && places.try_take(network(1)).is_none());
    let other = places.try_take(network(2));
    assert!(other.is_some() && places.try_take(network(3)).is_none(), "all are taken");
    drop(first);
    assert!(places.try_take(network(3)).is_some());
    drop(other);
    let taken = places.taken.lock();
    assert_eq!((taken.all, taken.networks.len()), (0, 0));
}
