use std::{sync::Arc, thread};

use super::*;

/// Several threads add numbers to a list; all threads see the same list then, whichever copy they read.
#[test]
fn all_copies_see_all_changes_in_one_order() {
    const THREADS: usize = 8;
    const CHANGES: usize = 200;
    let list = Arc::new(Replicated::new(Vec::new));
    let adding = (0..THREADS).map(|thread| {
        let list = Arc::clone(&list);
        thread::spawn(move || (0..CHANGES).for_each(|change| list.change(|list| list.push((thread, change)))))
    });
    adding.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let expected = list.copies[0].0.read().clone();
    assert_eq!(expected.len(), THREADS * CHANGES);
    for _ in 0..COPIES {
        let list = Arc::clone(&list);
        assert!(thread::spawn(move || list.read().clone()).join().unwrap() == expected);
    }
    assert!(list.copies.iter().all(|copy| *copy.0.read() == expected));
}

#[test]
fn threads_that_read_at_once_use_copies_of_their_own() {
    let numbers: Vec<usize> = (0..COPIES).map(|_| thread::spawn(copy_of_thread).join().unwrap() % COPIES).collect();
    let different: std::collections::BTreeSet<&usize> = numbers.iter().collect();
    // Other tests take numbers, too.
    assert!(different.len() > COPIES / 2, "{numbers:?}");
    assert_eq!(copy_of_thread(), copy_of_thread(), "a thread stays with its copy");
}
