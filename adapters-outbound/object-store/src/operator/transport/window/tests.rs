use std::time::Duration;

use tokio::time::advance;

use super::*;

const BYTES: usize = 1 << 20;

/// One round: the window is filled, time passes, all arrive.
async fn round(window: &Window, time: Duration) {
    let mut entered = Vec::new();
    for _ in 0..window.limit() {
        entered.push(window.enter().await);
    }
    advance(time).await;
    for one in entered {
        one.done(BYTES);
    }
}

#[tokio::test(start_paused = true)]
async fn grows_while_that_is_faster_and_not_beyond_its_bound() {
    let window = Window::new(20);
    let mut widths = Vec::new();
    // A link without an end: a round takes as long however wide it is.
    for _ in 0..6 {
        round(&window, Duration::from_millis(20)).await;
        widths.push(window.limit());
    }
    assert_eq!(widths, [8, 16, 20, 20, 20, 20]);
}

#[tokio::test(start_paused = true)]
async fn stays_where_the_link_is_full() {
    let window = Window::new(64);
    for _ in 0..10 {
        // Eight fill the link.
        let slowness = window.limit().max(8) as u32;
        round(&window, Duration::from_millis(10) * slowness).await;
    }
    assert!((8..=17).contains(&window.limit()), "{}", window.limit());
}

#[tokio::test(start_paused = true)]
async fn is_halved_once_for_all_that_ran_together_and_grows_again() {
    let window = Window::new(16);
    for _ in 0..3 {
        round(&window, Duration::from_millis(20)).await;
    }
    assert_eq!(window.limit(), 16);
    let mut entered = Vec::new();
    for _ in 0..16 {
        entered.push(window.enter().await);
    }
    advance(Duration::from_millis(5)).await;
    for one in entered {
        one.refused();
    }
    assert_eq!(window.limit(), 8);
    // No more than eight get in.
    let mut entered = Vec::new();
    for _ in 0..8 {
        entered.push(window.enter().await);
    }
    let ninth = tokio::time::timeout(Duration::from_secs(1), window.enter()).await;
    assert!(ninth.is_err());
    drop(entered);
    round(&window, Duration::from_millis(20)).await;
    assert_eq!(window.limit(), 9);
}

#[tokio::test(start_paused = true)]
async fn never_closes() {
    let window = Window::new(8);
    for _ in 0..20 {
        let one = window.enter().await;
        advance(Duration::from_millis(1)).await;
        one.refused();
    }
    assert_eq!(window.limit(), 1);
    round(&window, Duration::from_millis(20)).await;
    assert!(window.limit() >= 1);
}
