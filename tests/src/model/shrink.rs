//! Makes a sequence that fails shorter.

use super::Step;

/// The shortest sequence that was found in so many tries and still fails.
pub fn shrink(steps: &[Step], tries: usize, mut fails: impl FnMut(&[Step]) -> bool) -> Vec<Step> {
    let mut least = steps.to_vec();
    let mut chunk = least.len() / 2;
    let mut left = tries;
    while chunk > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < least.len() && left > 0 {
            left -= 1;
            let mut without = least.clone();
            without.drain(at..(at + chunk).min(least.len()));
            if fails(&without) {
                least = without;
                shorter = true;
            } else {
                at += chunk;
            }
        }
        if !shorter {
            chunk /= 2;
        }
    }
    least
}
